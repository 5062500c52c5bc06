"""Field maps in plans: which pairs are in force, and what a changed map sends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as using
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from consumer.domain.connections.mapping import FieldMap, FieldMaps, Policy
from consumer.domain.fields.definitions import Choice, FieldDefinition, FieldDefinitions
from consumer.domain.issues.issue import Code
from consumer.domain.planning.plan import Adopt, Create, Plan, SetImage, Update
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Session, Sponsor
from tests.support.builders import a_contact, a_mapping, a_plan_input, a_room, a_session

pytestmark = pytest.mark.rule("F1", "F2", "F5", "F6")

DEFINITIONS = FieldDefinitions(
    {
        Kind.SESSION: {
            each.attribute: each
            for each in (
                FieldDefinition(Kind.SESSION, "c_1", "Language", FieldType.TEXT, field_id=1),
                FieldDefinition(
                    Kind.SESSION, "c_2", "Format", FieldType.CHOICE, field_id=2, choices=(Choice(7, "Talk"),)
                ),
                FieldDefinition(Kind.SESSION, "c_3", "Twin", FieldType.TEXT, field_id=3),
                FieldDefinition(Kind.SESSION, "c_4", "Twin", FieldType.TEXT, field_id=4),
                FieldDefinition(Kind.SESSION, "c_5", "Handout", FieldType.FILE, field_id=5),
                FieldDefinition(Kind.SESSION, "id", "Id", FieldType.NUMBER, read_only=True),
                FieldDefinition(Kind.SESSION, "badge_name", "badge_name", FieldType.TEXT),
            )
        },
        Kind.SPEAKER: {
            "workAddress.line_2": FieldDefinition(Kind.SPEAKER, "workAddress.line_2", "Line 2", FieldType.TEXT)
        },
    },
    read_at=1,
)
EXTRA = {
    "language": (FieldType.LANGUAGE.value, ("German",)),
    "format": (FieldType.CHOICE.value, ("talk",)),
    "stage": (FieldType.TEXT.value, ("Blue",)),
}


def an_input(*maps: FieldMap, kind: str = "sessions", **changed: Any) -> PlanInput:
    session = replace(a_session(people=["c1"], room=a_room("r1", "Hall 1", 50)), extra=EXTRA)
    person = a_contact("c1", photo_url="https://example.org/c1.png", company="Works")
    person = replace(person, profile=replace(person.profile, extra={"street": (FieldType.TEXT.value, ("Flat 2",))}))
    sponsor = Sponsor("p1", name="Acme", tier="Gold", website="https://acme.example")
    mapping = a_mapping(field_maps=FieldMaps(**{kind: maps}), **changed)
    return replace(a_plan_input(session, person, sponsor, mapping=mapping), definitions=DEFINITIONS)


def created(plan: Plan, kind: Kind) -> dict[str, str]:
    [fields] = [each.fields for each in plan.operations if isinstance(each, Create) and each.kind is kind]
    return dict(fields)


def after(plan: Plan, ledger: dict[str, Entry] | None = None) -> dict[str, Entry]:
    """The ledger once all of a plan was done."""
    found = dict(ledger or {})
    for number, each in enumerate(plan.operations, len(found) + 1):
        if isinstance(each, Create | Update):
            pushed = {name: digest(value) for name, value in each.fields.items()}
            held = found.get(each.key, Entry(State.APPLIED, swoogo_id=number, natural=each.natural))
            found[each.key] = replace(held, pushed={**held.pushed, **pushed})
    return found


@pytest.mark.rule("F1")
def test_empty_map_is_the_standard_fields() -> None:
    """One path: what an earlier mapping pushed is what a mapping without a map means."""
    plan = make_plan(an_input())
    session = created(plan, Kind.SESSION)
    assert session.keys() == {"name", "date", "start_time", "end_time", "location", "track", "description"}
    assert created(plan, Kind.SPEAKER).keys() == {"first_name", "last_name", "email", "company"}
    assert created(plan, Kind.SPONSOR) == {"name": "Acme", "website": "https://acme.example", "level": "gold"}
    assert any(isinstance(each, SetImage) for each in plan.operations)


@pytest.mark.rule("F1", "F2", "S9")
@pytest.mark.parametrize(
    ("kind", "pair", "sent"),
    [
        pytest.param("sessions", FieldMap("stage", "c_1"), {"c_1": "Blue"}, id="a custom field to a custom field"),
        pytest.param("sessions", FieldMap("stage", " language "), {"c_1": "Blue"}, id="by its label"),
        pytest.param("sessions", FieldMap("format", "c_2"), {"c_2": "7"}, id="a choice by its id"),
        pytest.param("sessions", FieldMap("title", "badge_name"), {"badge_name": "Title of s1"}, id="a further target"),
        pytest.param("sessions", FieldMap("starts_at", "c_1"), {"c_1": "2026-07-01 09:00:00"}, id="a moment"),
        pytest.param("sessions", FieldMap("room", "c_1"), {"c_1": "Hall 1"}, id="a room by its name"),
        pytest.param("sessions", FieldMap("status", "c_1"), {"c_1": "accepted"}, id="the status"),
        pytest.param("sessions", FieldMap("stage", "description"), {"description": "Blue"}, id="in a standard place"),
        pytest.param("sessions", FieldMap("stage", "location_id"), {"location": "blue"}, id="a room from a name"),
        pytest.param("sessions", FieldMap("capacity", "capacity"), {"capacity": "50"}, id="capacity by a pair"),
        pytest.param("sessions", FieldMap("description", None), {"description": None}, id="a standard pair off"),
        pytest.param("sessions", FieldMap("room", None), {"location": None}, id="the room off"),
        pytest.param("speakers", FieldMap("company_name", None), {"company": None}, id="company off"),
        pytest.param(
            "speakers", FieldMap("street", "workAddress.line_2"), {"workAddress.line_2": "Flat 2"}, id="a nested one"
        ),
        pytest.param("sponsors", FieldMap("tier", None), {"level": None}, id="the level off"),
        pytest.param(
            "sponsors", FieldMap("website_url", "level"), {"level": "https://acme.example"}, id="another level"
        ),
    ],
)
def test_pair_adds_to_replaces_or_switches_off_a_standard_one(
    kind: str, pair: FieldMap, sent: dict[str, str | None]
) -> None:
    plan = make_plan(an_input(pair, kind=kind))
    fields = created(plan, Kind(kind.removesuffix("s")))
    assert {name: fields.get(name) for name in sent} == sent
    assert {issue.code for issue in plan.issues} <= {Code.TIMEZONE_MISMATCH}
    places = {each.kind for each in plan.operations if each.kind in {Kind.LOCATION, Kind.LEVEL}}
    assert places == {kind for kind in (Kind.LOCATION, Kind.LEVEL) if sent.get(kind.value, "") is not None}


@pytest.mark.rule("F1", "P3")
def test_headshot_that_is_off_or_comes_from_another_field() -> None:
    def images(*maps: FieldMap) -> list[str]:
        return [
            each.url for each in make_plan(an_input(*maps, kind="speakers")).operations if isinstance(each, SetImage)
        ]

    assert images() == ["https://example.org/c1.png"]
    assert images(FieldMap("photo_url", None)) == []
    assert images(FieldMap("street", "profile_picture")) == []


@pytest.mark.rule("F1", "F5")
@pytest.mark.parametrize(
    ("maps", "why"),
    [
        pytest.param([FieldMap("stage", "name")], "Name always comes from title.", id="title is locked"),
        pytest.param([FieldMap("title", None)], "Swoogo requires name", id="a required one cannot be off"),
        pytest.param([FieldMap("starts_at", None)], "Swoogo requires date", id="nor the date"),
        pytest.param([FieldMap("stage", None)], "goes nowhere by default", id="nothing to switch off"),
        pytest.param([FieldMap("stage", "c_9")], "has no field c_9", id="unknown"),
        pytest.param([FieldMap("stage", "Twin")], "2 fields of Swoogo are called Twin", id="of a label that two have"),
        pytest.param([FieldMap("stage", "id")], "cannot be written", id="read-only"),
        pytest.param([FieldMap("stage", "c_5")], "cannot be sent", id="files"),
        pytest.param([FieldMap("description", "c_2")], "Formatted text cannot become choice", id="types known before"),
        pytest.param([FieldMap("format", "c_1"), FieldMap("stage", "c_1")], "another source", id="two sources"),
    ],
)
def test_pair_that_does_not_fit_is_off_and_everything_else_syncs(maps: Sequence[FieldMap], why: str) -> None:
    """An issue of the event; the standard fields are those of no map."""
    plan = make_plan(an_input(*maps))
    [issue] = plan.issues
    assert (issue.key, issue.code) == ("event/ev", Code.FIELD_MAP_INVALID)
    assert why.lower() in issue.detail.lower()
    fields = created(plan, Kind.SESSION)
    assert {name: fields[name] for name in created(make_plan(an_input()), Kind.SESSION)} == created(
        make_plan(an_input()), Kind.SESSION
    )


@pytest.mark.rule("F5")
def test_type_that_only_records_tell_is_one_issue_of_the_event() -> None:
    """Before anything is sent, as the plan is made of all records; none has an issue of its own."""
    given = an_input(FieldMap("stage", "c_2"))
    session = replace(given.snapshot.sessions["s1"], extra={"stage": (FieldType.HTML.value, ("<p>x</p>",))})
    plan = make_plan(replace(given, snapshot=replace(given.snapshot, sessions={"s1": session})))
    assert [(issue.key, issue.code) for issue in plan.issues] == [("event/ev", Code.FIELD_MAP_INVALID)]
    assert "c_2" not in created(plan, Kind.SESSION)


@pytest.mark.rule("F5")
def test_without_definitions_only_pairs_of_standard_fields_are_in_force() -> None:
    given = an_input(FieldMap("stage", "c_1"), FieldMap("stage", "description"))
    plan = make_plan(replace(given, definitions=FieldDefinitions()))
    assert [issue.code for issue in plan.issues] == [Code.FIELD_MAP_INVALID]
    assert created(plan, Kind.SESSION)["description"] == "Blue"


@pytest.mark.rule("F6", "R3")
def test_changed_map_sends_only_what_differs_in_one_update() -> None:
    first = an_input(FieldMap("stage", "c_1"), FieldMap("format", "c_2"))
    ledger = after(make_plan(first))
    assert not any(isinstance(each, Create | Update) for each in make_plan(replace(first, ledger=ledger)).operations)
    other = replace(an_input(FieldMap("language", "c_1"), FieldMap("format", "c_2")), ledger=ledger)
    [update] = [each for each in make_plan(other).operations if isinstance(each, Create | Update)]
    assert isinstance(update, Update)
    assert (dict(update.fields), update.credits) == ({"c_1": "German"}, 1)
    dropped = replace(an_input(), ledger=ledger)
    assert not any(isinstance(each, Create | Update) for each in make_plan(dropped).operations)
    assert not any(isinstance(each, Create | Update) for each in make_plan(replace(first, ledger=ledger)).operations)


@pytest.mark.rule("F3", "F6")
def test_missing_choices_are_planned_once_and_refused_ones_left_out() -> None:
    given = an_input(FieldMap("stage", "c_2", add_choices=True))
    more = replace(given.snapshot.sessions["s1"], id="s2", title="Other")
    given = replace(given, snapshot=replace(given.snapshot, sessions={**given.snapshot.sessions, "s2": more}))
    plan = make_plan(given)
    assert dict(plan.choices) == {(Kind.SESSION, "c_2"): ("Blue",)}
    plan = make_plan(replace(given, closed=frozenset(plan.choices)))
    assert plan.choices == {}
    assert {issue.code for issue in plan.issues} == {Code.UNKNOWN_CHOICE}
    assert all("c_2" not in each.fields for each in plan.operations if isinstance(each, Create))


PAIRS = st.lists(
    st.builds(
        FieldMap,
        st.sampled_from(["stage", "format", "language", "title", "room", "description", "starts_at", "nowhere"]),
        st.sampled_from(
            [None, "c_1", "c_2", "c_5", "Twin", "badge_name", "description", "location_id", "date", "name"]
        ),
        st.sampled_from(Policy),
        add_choices=st.booleans(),
    ),
    max_size=6,
)


@pytest.mark.rule("F1", "F6", "R3")
@hypothesis_settings(max_examples=60, deadline=None)
@using(first=PAIRS, second=PAIRS)
def test_same_inputs_give_the_same_plan_and_what_was_sent_is_not_sent_again(
    first: list[FieldMap], second: list[FieldMap]
) -> None:
    """Whatever a map says: required fields are there, and a map that comes back sends nothing that is equal."""
    given = an_input(*first)
    plan = make_plan(given)
    assert plan == make_plan(an_input(*first))
    assert {"name", "date", "start_time", "end_time"} <= created(plan, Kind.SESSION).keys() | {"date"}
    ledger = after(plan)
    again = [each for each in make_plan(replace(given, ledger=ledger)).operations if isinstance(each, Create | Update)]
    assert again == []
    changed = make_plan(replace(an_input(*second), ledger=ledger))
    updates = [each for each in changed.operations if isinstance(each, Update)]
    assert len({each.key for each in updates}) == len(updates)
    ledger = after(changed, ledger)
    assert not [
        each
        for each in make_plan(replace(an_input(*second), ledger=ledger)).operations
        if isinstance(each, Create | Update | Adopt)
    ]


def test_session_of_an_earlier_row_has_no_extra_fields() -> None:
    assert Session("s1").extra == {}
