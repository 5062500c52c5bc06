"""The workflows of the code host, as its linter reads them; and that they call what exists here."""

from __future__ import annotations

import re
import subprocess
from typing import Any, Final

import pytest
import yaml

from tests.support import tools
from tests.support.rendered import ROOT

WORKFLOWS: Final = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def _read(name: str) -> dict[str, Any]:
    # `on` is a truth value in YAML 1.1; nothing here needs it.
    found: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / name).read_text())
    return found


def test_the_linter_has_nothing_to_say() -> None:
    run = subprocess.run([tools.actionlint()], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_linter_finds_a_fault() -> None:
    broken = "on: push\njobs:\n  a:\n    runs-on: ubuntu-latest\n    steps: [{run: 'echo ${{ nonsense.x }}'}]\n"
    command = [str(tools.actionlint()), "-"]
    run = subprocess.run(command, input=broken, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 1
    assert "nonsense" in run.stdout


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_have_few_rights_and_a_time_limit(path: Any) -> None:
    workflow = _read(path.name)
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert "uses" in job or job["timeout-minutes"] <= 60, name


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_call_targets_that_the_makefile_has(path: Any) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for called in re.findall(r"run: make ([a-z]+)", path.read_text()):
        assert called in targets


def test_images_are_built_for_both_platforms_with_their_bill_of_materials() -> None:
    build = _read("images.yml")["jobs"]["build"]
    assert build["strategy"]["matrix"]["platform"] == ["amd64", "arm64"]
    dockerfile = (ROOT / "Dockerfile").read_text()
    for target in build["strategy"]["matrix"]["target"]:
        assert f"AS {target}\n" in dockerfile
    [step] = [step for step in build["steps"] if step.get("id") == "build"]
    assert {"sbom", "provenance"} <= set(step["with"])
