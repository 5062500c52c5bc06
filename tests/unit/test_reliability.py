"""What `docs/reliability.md` says was tried is on a list, and each fault of the list names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tools.tried_docs import page, tried

_PROJECT: Final = Path(__file__).parents[2]


def test_every_test_that_the_list_names_exists() -> None:
    """A renamed or removed test has to leave the list."""
    named = {name for faults in tried().values() for names in faults.values() for name in names}
    there = {
        name
        for path in (_PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)\(", path.read_text())
    }
    assert len(named) > 200
    assert named - there == set()


def test_every_fault_names_a_test() -> None:
    """Otherwise the list would promise what no test tries."""
    assert sum(map(len, tried().values())) > 40
    assert [fault for faults in tried().values() for fault, names in faults.items() if not names] == []


def test_the_page_of_the_site_has_every_part_fault_and_test() -> None:
    text = page()
    for part, faults in tried().items():
        assert f"\n## {part}\n" in text
        for fault, names in faults.items():
            assert f"\n| {fault} | " in text
            assert all(f"`{name}`" in text for name in names)


def test_the_page_on_reliability_has_a_row_for_every_part() -> None:
    text = (_PROJECT / "docs" / "reliability.md").read_text()
    assert [part for part in tried() if f"| {part} |" not in text] == []
