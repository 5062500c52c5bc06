"""Two readings of Swoogo's field definitions compared (swoogo-api.md 9.2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.fields.definitions import (
    Alteration,
    Choice,
    FieldChange,
    FieldDefinition,
    FieldDefinitions,
    compare,
)
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind

pytestmark = pytest.mark.rule("F5")

TALK, PANEL = Choice(1, "Talk"), Choice(2, "Panel")
FORMAT = FieldDefinition(Kind.SESSION, "c_1", "Format", FieldType.CHOICE, "dropDownList", 7, choices=(TALK, PANEL))
STREET = FieldDefinition(Kind.SPEAKER, "workAddress.line_2", "Line 2", FieldType.TEXT)


def reading(*fields: FieldDefinition, kinds: tuple[Kind, ...] = (Kind.SESSION, Kind.SPEAKER)) -> FieldDefinitions:
    return FieldDefinitions({kind: {each.attribute: each for each in fields if each.kind is kind} for kind in kinds})


@pytest.mark.rule("F5")
@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ((FORMAT,), []),
        ((), [(Alteration.REMOVED, "Format", "")]),
        ((replace(FORMAT, label="Kind of talk"),), [(Alteration.RENAMED, "Format", "Kind of talk")]),
        (
            (replace(FORMAT, type=FieldType.TEXT, native_type="textInput", choices=()),),
            [(Alteration.RETYPED, "dropDownList", "textInput")],
        ),
        ((replace(FORMAT, choices=(PANEL,)),), [(Alteration.CHOICE_REMOVED, "Talk", "")]),
        ((replace(FORMAT, choices=(*FORMAT.choices, Choice(3, "Keynote"))),), []),
        ((replace(FORMAT, choices=(replace(TALK, name="Lecture"), PANEL)),), []),
        ((replace(FORMAT, choices=()),), []),
        ((FORMAT, replace(FORMAT, attribute="c_2")), []),
    ],
    ids=["same", "removed", "renamed", "retyped", "choice gone", "choice new", "choice renamed", "not asked", "new"],
)
def test_what_became_of_a_field(now: tuple[FieldDefinition, ...], expected: list[tuple[Alteration, str, str]]) -> None:
    """Renamed, retyped and removed fields and removed choices are changes; additions are not."""
    changes = compare(reading(FORMAT), reading(*now))
    assert changes == tuple(FieldChange(Kind.SESSION, "c_1", *each) for each in expected)


@pytest.mark.rule("F5")
def test_a_kind_that_was_not_read_says_nothing() -> None:
    """Only kinds that a map names are read."""
    assert compare(reading(FORMAT, STREET), reading(FORMAT, kinds=(Kind.SESSION,))) == ()


@pytest.mark.rule("F2")
def test_a_part_of_a_nested_attribute_names_its_parent() -> None:
    """`workAddress.line_2`."""
    assert (STREET.parent, FORMAT.parent) == ("workAddress", "")


@pytest.mark.rule("F3")
@pytest.mark.parametrize(("name", "found"), [("talk", TALK), (" PANEL ", PANEL), ("Keynote", None), ("", None)])
def test_choices_are_matched_by_name(name: str, found: Choice | None) -> None:
    """Trimmed, case-insensitive."""
    assert FORMAT.choice(name) == found


@pytest.mark.rule("F3")
def test_of_choices_with_one_name_the_oldest_counts() -> None:
    """Names of choices are not unique."""
    assert replace(FORMAT, choices=(Choice(9, "talk"), TALK)).choice("Talk") == TALK
