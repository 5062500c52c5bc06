"""The dependency audit fails on a vulnerability only, and never calls an unanswered question good news."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.audit import audit

GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"]}]}
UNKNOWN = {"name": "c", "skip_reason": "not found on PyPI"}


def answering(*dependencies: dict[str, Any]) -> Callable[..., subprocess.CompletedProcess[str]]:
    return lambda command: subprocess.CompletedProcess(command, 0, json.dumps({"dependencies": dependencies}), "")


@pytest.mark.parametrize(
    ("dependencies", "status", "says"),
    [
        ([GOOD], 0, "1 packages, none vulnerable"),
        ([GOOD, BAD], 1, "b 2: PYSEC-1, mended in 3"),
        ([UNKNOWN], 0, "not possible here: the package index has no vulnerability data"),
        ([GOOD, UNKNOWN], 0, "1 of 2 packages are known"),
    ],
)
def test_the_audit_says_what_it_knows(dependencies: list[dict[str, Any]], status: int, says: str) -> None:
    found, text = audit(answering(*dependencies))
    assert (found, says in text) == (status, True), text


@pytest.mark.parametrize(
    "trouble",
    [subprocess.TimeoutExpired("pip-audit", 45), OSError("no such file"), None],
    ids=["slow", "gone", "error"],
)
def test_an_audit_that_cannot_be_made_stops_nobody(trouble: Exception | None) -> None:
    def run(command: Any) -> subprocess.CompletedProcess[str]:
        if trouble:
            raise trouble
        return subprocess.CompletedProcess(command, 1, "", "Traceback: no network")

    assert audit(run) == (0, "dependency audit: not possible here: the package index did not answer.")
