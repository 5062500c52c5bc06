"""What `docs/reliability.md` says was tried names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_PROJECT: Final = Path(__file__).parents[2]
_PAGE: Final = (_PROJECT / "docs" / "reliability.md").read_text()


def test_every_test_that_the_page_names_exists() -> None:
    """A renamed or removed test has to leave the page."""
    named = set(re.findall(r"`(test_\w+)`", _PAGE))
    there = {
        name
        for path in (_PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text())
    }
    assert len(named) > 150
    assert named - there == set()


def test_every_fault_names_a_test() -> None:
    """Otherwise the page would promise what no test tries."""
    faults = _PAGE.partition("\n## What was made to go wrong\n")[2].partition("\n## ")[0]
    lines = [line for line in faults.splitlines() if line.startswith("- ")]
    assert len(lines) > 40
    assert [line for line in lines if not re.search(r": `test_\w+`", line)] == []
