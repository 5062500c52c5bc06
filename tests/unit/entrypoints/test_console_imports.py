"""Issue 15: the service without the role `console` loads nothing of it."""

from __future__ import annotations

import subprocess
import sys

import pytest

_LOADED = "import sys, consumer.app, consumer.entrypoints.cli.run; print(*sys.modules)"


@pytest.mark.parametrize("package", ["starlette", "jinja2", "joserfc", "consumer.entrypoints.console"])
def test_the_service_does_not_load(package: str) -> None:
    done = subprocess.run([sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "consumer.app" in loaded
    assert [name for name in loaded if name == package or name.startswith(f"{package}.")] == []


def test_a_console_of_one_machine_loads_nothing_that_verifies_signatures() -> None:
    code = "import sys, consumer.entrypoints.console.app, consumer.entrypoints.console.identity; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"joserfc", "cryptography.hazmat.bindings._rust"} & set(done.stdout.split())
