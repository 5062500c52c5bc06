"""The service without the role `console` loads nothing of it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def modules_after(code: str) -> list[str]:
    """What a fresh interpreter has loaded."""
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


@pytest.fixture(scope="module")
def of_the_service() -> list[str]:
    return modules_after("import consumer.app, consumer.entrypoints.cli.run")


@pytest.mark.parametrize("package", ["starlette", "jinja2", "joserfc", "consumer.entrypoints.console"])
def test_the_service_does_not_load(package: str, of_the_service: list[str]) -> None:
    assert "consumer.app" in of_the_service
    assert [name for name in of_the_service if name == package or name.startswith(f"{package}.")] == []


def test_a_console_of_one_machine_loads_nothing_that_verifies_signatures() -> None:
    loaded = modules_after("import consumer.entrypoints.console.app, consumer.entrypoints.console.identity")
    assert not {"joserfc", "cryptography.hazmat.bindings._rust"} & set(loaded)
