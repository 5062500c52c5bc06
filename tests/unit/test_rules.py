"""`docs/rules.md` is true: every rule is in it once, its modules exist, and its tests name it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

_ROOT: Final = Path(__file__).parents[2]
_TABLE: Final = _ROOT / "docs" / "rules.md"
_NOT_YET: Final = "not yet"

RULES: Final = {
    "C": 5,
    "M": 8,
    "E": 8,
    "S": 9,
    "P": 5,
    "O": 5,
    "R": 6,
    "D": 4,
    "X": 2,
    "N": 3,
    "G": 6,
}
"""Letter of an area -> how many rules it has, numbered from 1."""

_ROW: Final = re.compile(r"^\| ([A-Z]\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
_QUOTED: Final = re.compile(r"`([^`]+)`")


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: the rule, what it says, where it lives, which tests hold it."""

    rule: str
    says: str
    lives: str
    held: str


def _ids() -> list[str]:
    return [f"{letter}{number}" for letter, count in RULES.items() for number in range(1, count + 1)]


def _rows() -> list[Row]:
    return [Row(*found) for found in _ROW.findall(_TABLE.read_text())]


def rules_named(source: str) -> set[str]:
    """Rules that a test file names in a docstring (`S3`, `S1-S5`) or in a test's name (`test_s3_...`)."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found |= set(_written(ast.get_docstring(node) or ""))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found |= {name.upper() for name in re.findall(r"(?<=_)[a-z]\d+(?=_)", node.name)}
    return found


def _written(text: str) -> Iterator[str]:
    for first, start, last, end in re.findall(r"\b([A-Z])(\d+)(?:\s?-\s?([A-Z])(\d+))?\b", text):
        same = last == first and int(end) > int(start)
        yield from (f"{first}{number}" for number in range(int(start), int(end if same else start) + 1))
        if last and not same:
            yield f"{last}{end}"


@pytest.mark.parametrize(
    ("source", "named"),
    [
        ('"""S3: several dates"""', {"S3"}),
        ('"""S1-S5, S7"""', {"S1", "S2", "S3", "S4", "S5", "S7"}),
        ("async def test_g4_a_late_worker() -> None: ...", {"G4"}),
        ('def test_dates() -> None:\n    """Several (S3)."""', {"S3"}),
        ('"""S31 and US3"""', {"S31"}),
        ('"""E4-S8"""', {"E4", "S8"}),
        ('S1 = "session/S2"', set()),
    ],
)
def test_rules_are_found_where_they_are_named(source: str, named: set[str]) -> None:
    """A range names what lies in it; a longer id is another rule; a constant is none."""
    assert rules_named(source) == named


def test_the_table_has_every_rule_once_and_in_order() -> None:
    """A rule that is dropped or forgotten shows."""
    assert [row.rule for row in _rows()] == _ids()


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.rule)
def test_a_rule_lives_in_modules_that_exist(row: Row) -> None:
    """What is not `not yet` names at least one file of the repository, and no file that is not there."""
    paths = _QUOTED.findall(row.lives)
    assert paths or row.lives == _NOT_YET
    assert [path for path in paths if not (_ROOT / path).is_file()] == []


@pytest.mark.parametrize("row", _rows(), ids=lambda row: row.rule)
def test_a_rule_is_named_by_the_tests_that_hold_it(row: Row) -> None:
    """A rule that lives somewhere has a test, and the test says which rule it holds."""
    paths = _QUOTED.findall(row.held)
    assert bool(paths) == (row.lives != _NOT_YET)
    silent = [path for path in paths if row.rule not in rules_named((_ROOT / path).read_text())]
    assert silent == []
