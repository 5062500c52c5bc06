"""The fault matrix in `docs/reliability.md` names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_PROJECT: Final = Path(__file__).parents[2]


def test_every_test_that_the_fault_matrix_names_exists() -> None:
    """A renamed or removed test has to leave the matrix."""
    named = set(re.findall(r"`(test_\w+)`", (_PROJECT / "docs" / "reliability.md").read_text()))
    there = {
        name
        for path in (_PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text())
    }
    assert len(named) > 150
    assert named - there == set()


def test_every_row_has_its_three_columns_and_a_test() -> None:
    """Otherwise the table would show nonsense, or promise what no test tries."""
    text = (_PROJECT / "docs" / "reliability.md").read_text().partition("\n## What was made to go wrong\n")[2]
    rows = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("| ")]
    assert len(rows) > 50
    assert {line.count(" | ") for line in rows} == {2}
    assert [row for row in rows[2:] if not re.search(r"\| `test_\w+`", row)] == []
