"""What `fields` says of both sides' fields and of a map, at 80 and 120 columns."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.connections.mapping import FieldMap, FieldMaps, Policy
from consumer.domain.fields.definitions import BUILT_IN, Choice, FieldDefinition, FieldDefinitions
from consumer.domain.fields.suggestions import suggest
from consumer.domain.planning.desired import TextLimits
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Snapshot, Sponsor
from consumer.entrypoints.cli.fields import print_fields
from consumer.entrypoints.documents.fields import FieldsDocument, KindFields, fields_document
from tests.support.builders import NOW, a_contact, a_mapping, a_session
from tests.unit.entrypoints.screens import screen

pytestmark = pytest.mark.rule("F7")

STYLING = re.compile(r"\x1b\[[0-9;]*m")
TEXT, CHOICE, MANY = FieldType.TEXT, FieldType.CHOICE, FieldType.CHOICES
TAGS = tuple(Choice(number, f"T{number}") for number in range(1, 9))
CUSTOM = (
    FieldDefinition(Kind.SESSION, "c_1", "Format", CHOICE, "dropDownList", 1, choices=(Choice(11, "Talk"),)),
    FieldDefinition(Kind.SESSION, "c_2", "Language", TEXT, "textInput", 2),
    FieldDefinition(
        Kind.SESSION,
        "c_3",
        "Session tags",
        MANY,
        "checkboxList",
        3,
        choices=TAGS,
    ),
    FieldDefinition(Kind.SPEAKER, "c_4", "Pronouns", TEXT, "textInput", 4),
    FieldDefinition(Kind.SPEAKER, "c_6", "Chosen", CHOICE, "dropDownList", 6),
    FieldDefinition(Kind.SPEAKER, "c_5", "Allergies and other dietary needs", FieldType.LONG_TEXT, "textArea", 5),
)
DEFINITIONS = FieldDefinitions(
    {
        kind: {**BUILT_IN[kind], **{each.attribute: each for each in CUSTOM if each.kind is kind}}
        for kind in (Kind.SESSION, Kind.SPEAKER, Kind.SPONSOR)
    },
    NOW,
)


def a_snapshot() -> Snapshot:
    def session(number: int, form: str, **extra: tuple[str, ...]) -> Any:
        values = {"format": (CHOICE.value, (form,)), **{name: (MANY.value, texts) for name, texts in extra.items()}}
        return replace(a_session(f"s{number}"), extra=values)

    sessions = [session(1, "talk"), session(2, "Panel", tags=("T1", "T2")), session(3, "Panel", tags=("Nowhere",))]
    ada = a_contact("c1")
    person = replace(
        ada.profile,
        email="ada@example.org",
        extra={
            "pronouns": (TEXT.value, ("she/her",)),
            "phone_mobile": (FieldType.PHONE.value, ("+49 30 123",)),
            "dietary_needs": (TEXT.value, ("No nuts",)),
        },
    )
    return Snapshot(
        {each.id: each for each in sessions},
        {"c1": replace(ada, profile=person)},
        {"p1": Sponsor("p1", name="Acme", website="https://acme.example", tier="Gold")},
    )


def a_document(maps: FieldMaps | None = None, *, suggestions: bool = False) -> FieldsDocument:
    mapping = a_mapping()
    settings = replace(mapping.settings, field_maps=maps or FieldMaps())
    return fields_document(
        replace(mapping, settings=settings),
        a_snapshot(),
        DEFINITIONS,
        TextLimits(),
        suggestions=suggestions,
        credits_spent=33,
    )


MAPS = FieldMaps(
    sessions=(
        FieldMap("format", "Format", Policy.ALWAYS, add_choices=True),
        FieldMap("tags", "c_3"),
        FieldMap("description", None),
        FieldMap("language", "c_99"),
    ),
    speakers=(FieldMap("pronouns", "c_4"),),
)


def of(document: FieldsDocument, kind: str) -> KindFields:
    return next(each for each in document.kinds if each.kind == kind)


def test_each_entry_of_the_map_says_what_it_does_with_the_records() -> None:
    """Values counted, misfits named with an example, choices that would be added, and why an entry is off."""
    pairs = {each.source: each for each in of(a_document(MAPS), "sessions").pairs}
    assert (pairs["format"].values, pairs["format"].not_fitting, pairs["format"].new_choices) == (3, 0, ("Panel",))
    assert (pairs["tags"].values, pairs["tags"].not_fitting) == (2, 1)
    assert pairs["tags"].examples == ('"Nowhere"',)
    assert pairs["language"].off == "Swoogo has no field c_99."
    assert (pairs["description"].off, pairs["description"].values) == ("", 3)


def test_both_sides_say_where_a_field_comes_from_and_goes_to() -> None:
    """The standard pairs too, as the map leaves them."""
    sessions = of(a_document(MAPS), "sessions")
    goes = {each.name: each.to for each in sessions.sessionboard}
    comes = {each.attribute: each.source for each in sessions.swoogo}
    assert (goes["title"], goes["format"], goes["starts_at"], goes["description"]) == (
        ("name",),
        ("c_1",),
        ("date", "start_time"),
        (),
    )
    assert (comes["name"], comes["c_3"], comes["description"], comes["c_2"]) == ("title", "tags", "", "")
    types = {each.attribute: (each.type, each.required, each.read_only) for each in sessions.swoogo}
    assert (types["name"], types["id"]) == (("text", True, False), ("text", False, True))


def test_what_records_say_of_people_is_shown_in_its_form_alone() -> None:
    """Nothing of a person is in the document, with or without a map."""
    added = FieldMaps(speakers=(FieldMap("pronouns", "c_6", add_choices=True),))
    assert of(a_document(added), "speakers").pairs[0].new_choices == ("xxx/xxx",)
    phones = FieldMaps(speakers=(FieldMap("phone_mobile", "mobile_phone"),))
    assert of(a_document(phones), "speakers").pairs[0].new_choices == ()
    for maps in (FieldMaps(), MAPS, added):
        text = json.dumps(a_document(maps, suggestions=True), default=repr)
        assert not any(word in text for word in ("ada@", "she/her", "nuts", "30 123", "example.org"))
    samples = {each.name: each.sample for each in of(a_document(), "speakers").sessionboard}
    assert (samples["pronouns"], samples["phone_mobile"]) == ("xxx/xxx", "+00 00 000")
    assert {each.name: each.sample for each in of(a_document(), "sponsors").sessionboard}["tier"] == "Gold"


def test_suggestions_go_by_name_and_type_and_into_the_json() -> None:
    """What is mapped is not suggested; what is suggested stands with the map, as the contract spells it."""
    document = a_document(MAPS, suggestions=True)
    assert [(each.source, each.target) for each in of(document, "speakers").suggestions] == [
        ("dietary_needs", "c_5"),
        ("phone_mobile", "mobile_phone"),
    ]
    assert document.field_maps == {
        "sessions": [
            {"source": "format", "target": "Format", "policy": "always", "add_choices": True},
            {"source": "tags", "target": "c_3"},
            {"source": "description", "target": None},
            {"source": "language", "target": "c_99"},
        ],
        "speakers": [
            {"source": "pronouns", "target": "c_4"},
            {"source": "dietary_needs", "target": "c_5"},
            {"source": "phone_mobile", "target": "mobile_phone"},
        ],
    }
    bare = a_document(suggestions=True)
    assert bare.field_maps["sessions"] == [{"source": "format", "target": "c_1"}, {"source": "tags", "target": "c_3"}]


@pytest.mark.parametrize(
    ("source", "kind", "label", "type_", "expected"),
    [
        ("languages", TEXT, "Language", TEXT, True),
        ("dietary_needs", TEXT, "Dietary needs", TEXT, True),
        ("speaker_bio", TEXT, "Bio", TEXT, True),
        ("speaker", TEXT, "Speaker fee", TEXT, False),
        ("colour", TEXT, "Format", TEXT, False),
        ("recorded", FieldType.CHECKBOX, "Recorded", FieldType.DATE, False),
    ],
)
def test_a_suggestion_needs_a_name_in_common_and_types_that_can_be_converted(
    source: str, kind: FieldType, label: str, type_: FieldType, expected: bool
) -> None:
    found = suggest({source: kind}, [FieldDefinition(Kind.SPEAKER, "c_9", label, type_)], ())
    assert bool(found) is expected


def test_where_two_fields_are_as_likely_none_is_suggested() -> None:
    fields = [FieldDefinition(Kind.SPEAKER, f"c_{number}", "Topic", TEXT) for number in range(2)]
    assert suggest({"topic": TEXT}, fields, ()) == ()


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal_but_the_json(width: int) -> None:
    """Sentences break at words, names are cut, and what is to be copied stays whole."""
    console, shown = screen(width, terminal=True)
    print_fields(console, a_document(MAPS, suggestions=True))
    bare = [STYLING.sub("", line) for line in shown.getvalue().splitlines()]
    cut = bare.index("field_maps, for the settings of the mapping:")
    assert max(map(len, bare[:cut])) <= width
    assert json.loads("\n".join(bare[cut + 1 :])) == a_document(MAPS, suggestions=True).field_maps
    joined = " ".join(" ".join(bare[:cut]).split())
    assert 'tags -> c_3 (until_edited): 2 records have a value; 1 does not fit: "Nowhere".' in joined
    assert "format -> Format (always): 3 records have a value; 1 choice would be added: Panel." in joined
    assert "language -> c_99 (until_edited): switched off. Swoogo has no field c_99." in joined


def test_without_a_map_it_says_how_to_make_one() -> None:
    console, shown = screen(120)
    print_fields(console, a_document())
    assert shown.getvalue().rstrip().endswith("The mapping has no field maps; --suggest makes a start.")
