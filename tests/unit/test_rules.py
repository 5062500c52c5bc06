"""Every rule is named by the code that does it and by a test that holds it; the page of rules says where."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tools.rules import AREAS, RULES, held_by, named_in, page, places

COUNTS: Final[dict[str, int | list[int]]] = {
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
    "F": 8,
    "K": 4,
    "U": 5,
    "W": 3,
    "Y": 4,
    "G": 6,
}
"""Letter of an area -> how many rules it has, numbered from 1; or their numbers."""


def test_every_rule_is_there_once_and_in_order() -> None:
    numbers = {name: each if isinstance(each, list) else range(1, each + 1) for name, each in COUNTS.items()}
    assert list(RULES) == [f"{letter}{number}" for letter, each in numbers.items() for number in each]
    assert sum(map(len, AREAS.values())) == len(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_rule_is_named_by_a_module_and_held_by_a_test(rule: str) -> None:
    modules, tests = places()
    assert modules.get(rule), f"no module names {rule}"
    assert tests.get(rule), f"no test holds {rule}"


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        ('@pytest.mark.rule("S3")\ndef test_dates() -> None: ...', {"S3"}),
        ('pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2")]', {"G1", "G2"}),
        ('def test_dates() -> None:\n    """S3"""', set()),
        ('@rule("S3")\ndef step() -> None: ...', set()),
    ],
)
def test_markers_of_a_test_module_are_found(source: str, rules: set[str]) -> None:
    assert held_by(source) == rules


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        ('"""G4: only its holder renews it."""', {"G4"}),
        ("# S1-S3, S7", {"S1", "S2", "S3", "S7"}),
        ("S31, US3, Z1", set()),
    ],
)
def test_rules_that_a_module_names_are_found(source: str, rules: set[str]) -> None:
    assert named_in(source) == rules


def test_page_has_a_row_for_every_rule_with_existing_paths() -> None:
    rows = re.findall(r"^\| ([A-Z]\d) \| .+ \| (`.+`) \| (`.+`) \|$", page(), re.MULTILINE)
    assert [rule for rule, *_ in rows] == list(RULES)
