"""PLAN: what a create without an answer may have made when Swoogo stored another form of its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.issues.issue import Code
from consumer.domain.planning.plan import Adopt, Create, Link, Operation, Plan
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, Remote
from consumer.domain.records.snapshot import Resource, Sponsor
from consumer.domain.records.text import resembles
from tests.support.builders import (
    NOW,
    a_contact,
    a_directory,
    a_plan_input,
    a_room,
    a_session,
    a_track,
    an_entry,
    an_intent,
)
from tests.support.names import STORED, changing, names

pytestmark = pytest.mark.rule("G2")

SETTLE = 120_000
AT = "|2026-07-01|09:00:00"
USED: Mapping[Kind, tuple[str, list[Resource]]] = {
    Kind.SESSION: ("session/s1", [a_session("s1", title="R&D")]),
    Kind.SPEAKER: ("speaker/c1", [a_session("s1", people=["c1"]), a_contact("c1", email="r&d@b.org")]),
    Kind.LOCATION: ("location/r1", [a_session("s1", room=a_room(name="R&D"))]),
    Kind.TRACK: ("track/t1", [a_session("s1", track=a_track(name="R&D"))]),
    Kind.SPONSOR: ("sponsor/p1", [Sponsor("p1", version=1, name="R&D")]),
    Kind.LEVEL: ("level/r&d", [Sponsor("p1", version=1, name="Acme", tier="R&D")]),
}
NATURAL = {Kind.SESSION: "r&d" + AT, Kind.SPEAKER: "r&d@b.org"}
ESCAPED = {Kind.SESSION: "r&amp;d" + AT, Kind.SPEAKER: "r&amp;d@b.org"}
OTHER = {Kind.SESSION: "something else" + AT, Kind.SPEAKER: "else@c.org"}
KINDS = pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)


def intent(kind: Kind, natural: str = "", *, newest: int | None = 5) -> Entry:
    return replace(an_intent(natural or NATURAL.get(kind, "r&d")), newest_known=newest)


def the_plan(kind: Kind, *rows: Remote, entry: Entry | None = None, at: int = NOW + SETTLE, **ledger: Entry) -> Plan:
    """A plan in which the record of that kind has an open intent and Swoogo shows these rows."""
    key, resources = USED[kind]
    held = {key: entry or intent(kind), **{f"{kind.value}/{name}": each for name, each in ledger.items()}}
    given = a_plan_input(*resources, ledger=held, settle_time=SETTLE, now=at)
    return make_plan(replace(given, directories={**given.directories, kind: a_directory(*rows)}))


def of(kind: Kind, plan: Plan) -> list[Operation]:
    """What becomes of the record itself."""
    return [each for each in plan.operations if each.key == USED[kind][0] and not isinstance(each, Link)]


def asked_about(plan: Plan) -> list[tuple[str, str]]:
    return [(issue.key, issue.detail) for issue in plan.issues if issue.code is Code.AMBIGUOUS_MATCH]


@KINDS
def test_a_record_that_came_since_under_a_changed_name_is_asked_about(kind: Kind) -> None:
    plan = the_plan(kind, Remote(3, "before"), Remote(7, ESCAPED.get(kind, "r&amp;d")))
    assert of(kind, plan) == []
    assert asked_about(plan) == [(USED[kind][0], "ids 7")]


@KINDS
def test_until_the_create_has_settled_it_may_yet_come_under_its_own_name(kind: Kind) -> None:
    plan = the_plan(kind, Remote(7, ESCAPED.get(kind, "r&amp;d")), at=NOW + SETTLE - 1)
    assert of(kind, plan) == []
    assert asked_about(plan) == []
    assert plan.wait_until == NOW + SETTLE


@KINDS
@pytest.mark.parametrize(
    "row",
    [
        pytest.param((5, ESCAPED), id="there before"),
        pytest.param((8, ESCAPED), id="ours"),
        pytest.param((9, ESCAPED), id="bore its name before"),
    ],
)
def test_what_cannot_be_it_keeps_nothing_from_being_created(kind: Kind, row: tuple[int, Mapping[Kind, str]]) -> None:
    held = Remote(row[0], row[1].get(kind, "r&amp;d"))
    entry = replace(intent(kind), besides=(9,))
    [create] = of(kind, the_plan(kind, held, entry=entry, x=an_entry(8, natural="x")))
    assert isinstance(create, Create)
    assert create.newest_known == max(row[0], 8)


@pytest.mark.parametrize(
    ("kind", "asked"),
    [(each, each not in {Kind.SPONSOR, Kind.LEVEL}) for each in Kind],
    ids=lambda each: str(each),
)
def test_of_another_name_what_came_since_is_asked_about(kind: Kind, asked: bool) -> None:
    """Sponsors are not listed before; levels are the account's, and other events add some."""
    plan = the_plan(kind, Remote(7, OTHER.get(kind, "something else")))
    assert bool(asked_about(plan)) is asked
    assert bool(of(kind, plan)) is not asked


@pytest.mark.parametrize("moment", ["|2026-07-01|09:30:00", "|2026-07-02|09:00:00", ""])
def test_a_session_of_another_moment_is_not_it(moment: str) -> None:
    plan = the_plan(Kind.SESSION, Remote(7, "r&amp;d" + moment))
    assert [type(each) for each in of(Kind.SESSION, plan)] == [Create]


@KINDS
def test_what_another_create_is_found_to_have_made_is_not_it(kind: Kind) -> None:
    """Two creates without an answer, of which one had no effect."""
    another: Mapping[Kind, list[Resource]] = {
        Kind.SESSION: [a_session("s0", title="Other")],
        Kind.SPEAKER: [a_session("s2", people=["c2"]), a_contact("c2")],
        Kind.LOCATION: [a_session("s0", room=a_room("r0", "Other"))],
        Kind.TRACK: [a_session("s0", track=a_track("t0", "Other"))],
        Kind.SPONSOR: [Sponsor("p2", version=1, name="R&D 2")],
        Kind.LEVEL: [Sponsor("p2", version=1, name="Acme 2", tier="R&D 2")],
    }
    key, resources = USED[kind]
    natural = {Kind.SESSION: "other" + AT, Kind.SPEAKER: "c2@example.org"}.get(kind, "other")
    other = {Kind.SESSION: "session/s0", Kind.SPEAKER: "speaker/c2", Kind.LOCATION: "location/r0"}.get(kind, "track/t0")
    if kind in {Kind.SPONSOR, Kind.LEVEL}:
        natural, other = "r&d 2", "sponsor/p2" if kind is Kind.SPONSOR else "level/r&d 2"
    given = a_plan_input(
        *resources,
        *another[kind],
        ledger={key: intent(kind), other: intent(kind, natural)},
        settle_time=SETTLE,
        now=NOW + SETTLE,
    )
    rows = a_directory(Remote(7, natural))
    plan = make_plan(replace(given, directories={**given.directories, kind: rows}))
    assert asked_about(plan) == []
    made = [each for each in plan.operations if not isinstance(each, Link)]
    operations = {each.key: type(each) for each in made if each.key in {key, other}}
    assert operations == {key: Create, other: Adopt}


@KINDS
def test_of_an_earlier_build_the_case_folded_name_is_found(kind: Kind) -> None:
    """Its intents say neither how names are spelt nor what was known."""
    natural = {Kind.SESSION: "masse" + AT, Kind.SPEAKER: "masse@b.org"}.get(kind, "masse")
    held = {Kind.SESSION: "maße" + AT, Kind.SPEAKER: "maße@b.org"}.get(kind, "maße")
    row = Remote(7, held, {"name": "Maße"})
    [adopt] = of(kind, the_plan(kind, row, entry=intent(kind, natural, newest=None)))
    assert isinstance(adopt, Adopt)
    assert adopt.remote == row


def test_another_room_of_that_name_is_not_made_while_a_person_is_asked() -> None:
    """The room that was asked for stands in no session any more."""
    given = a_plan_input(
        a_session("s2", room=a_room("r2", "R&D")),
        ledger={"location/r1": intent(Kind.LOCATION)},
        settle_time=SETTLE,
        now=NOW + SETTLE,
    )
    plan = make_plan(replace(given, directories={Kind.LOCATION: a_directory(Remote(7, "r&amp;d"))}))
    assert [each for each in plan.operations if each.kind is Kind.LOCATION] == []
    assert asked_about(plan) == [("location/r1", "ids 7")]


@pytest.mark.parametrize("switches", STORED.values(), ids=STORED)
@given(name=names)
def test_every_stored_form_resembles_what_was_sent(switches: object, name: str) -> None:
    assert resembles(name, changing(switches)(name))  # type: ignore[arg-type]


@pytest.mark.rule("O1")
@given(st.text("abcdefgh", min_size=3), st.text("ijklmnop", min_size=3))
def test_names_of_other_letters_do_not_resemble_each_other(one: str, other: str) -> None:
    """A level of another event is not taken for ours."""
    assert not resembles(one, other)
