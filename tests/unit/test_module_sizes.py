"""A module that a stranger reads in one sitting."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LONGEST = 300


@pytest.mark.parametrize("folder", ["consumer", "tests", "sandbox", "benchmarks", "tools"])
def test_no_module_has_more_lines_than_it_may(folder: str) -> None:
    lines = {str(path.relative_to(ROOT)): path.read_text().count("\n") for path in (ROOT / folder).rglob("*.py")}
    assert lines
    assert {name: count for name, count in lines.items() if count > LONGEST} == {}
