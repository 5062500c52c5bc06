"""What of a plan a sync may do, and which changes it settles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, Plan, Update
from consumer.domain.planning.planner import make_plan
from consumer.domain.planning.request import SyncRequest, together
from consumer.domain.planning.scope import Scope, restrict, scope_of_changes, scope_of_request
from consumer.domain.records.identity import Kind, fingerprint
from consumer.domain.records.ledger import Entry, Remote
from consumer.domain.records.snapshot import Contact, Session, Sponsor
from tests.support.builders import (
    a_contact,
    a_mapping,
    a_plan_input,
    a_room,
    a_session,
    a_track,
    an_entry,
    session_key,
    speaker_key,
)

pytestmark = pytest.mark.rule("O3", "O4", "R6")

EVERYTHING = (
    a_session("s1", people=["c1", "c3"], room=a_room("r1", "Hall 1"), track=a_track("t1", "Databases")),
    a_session("s2", people=["c2", "c3"], room=a_room("r2", "Hall 2"), track=a_track("t1", "Databases")),
    a_contact("c1"),
    a_contact("c2"),
    a_contact("c3"),
    Sponsor("p1", name="Acme", tier="Gold"),
)


def asked_for(scope: str, session_ids: tuple[str, ...], speaker_ids: tuple[str, ...]) -> Scope:
    return scope_of_request(SyncRequest("r", scope, session_ids, speaker_ids))


def planned(
    scope: Scope, *resources: Session | Contact | Sponsor, ledger: Mapping[str, Entry] | None = None
) -> list[str]:
    """Keys of the operations; those of associations with a mark."""
    plan = the_plan(scope, *resources, ledger=ledger)
    return [f"{each.key}{'*' if isinstance(each, Link) else ''}" for each in plan.operations]


def the_plan(scope: Scope, *resources: Session | Contact | Sponsor, ledger: Mapping[str, Entry] | None = None) -> Plan:
    mapping = a_mapping(remove_deleted_sessions=True, remove_deleted_speakers=True)
    given = a_plan_input(*(resources or EVERYTHING), mapping=mapping, ledger=ledger or {})
    return make_plan(replace(given, scope=scope))


AGENDA = {
    "location/r1",
    "location/r2",
    "track/t1",
    "session/s1",
    "session/s2",
    "speaker/c1",
    "speaker/c2",
    "speaker/c3",
    "speaker/c1*",
    "speaker/c2*",
    "speaker/c3*",
}
SPONSORS = {"level/gold", "sponsor/p1"}


@pytest.mark.parametrize(
    ("asked", "expected"), [("all", AGENDA | SPONSORS), ("agenda", AGENDA), ("sponsors", SPONSORS)]
)
def test_agenda_and_sponsors_are_apart(asked: str, expected: set[str]) -> None:
    """Each with the rooms, tracks and levels it needs, and no others."""
    assert set(planned(asked_for(asked, (), ()))) == expected
    plan = the_plan(asked_for(asked, (), ()))
    assert {each.key for each in plan.outside} == {key.rstrip("*") for key in (AGENDA | SPONSORS) - expected}


def test_a_selected_session_takes_its_room_track_and_speakers_along() -> None:
    """Whatever the scope says, as sponsors are never selected."""
    expected = {"location/r1", "track/t1", "session/s1", "speaker/c1", "speaker/c3", "speaker/c1*", "speaker/c3*"}
    for asked in ("all", "agenda", "sponsors"):
        assert set(planned(asked_for(asked, ("s1",), ()))) == expected


@pytest.mark.parametrize(
    ("there", "expected"), [((), ["speaker/c2"]), (("s1",), ["speaker/c2"]), (("s2",), ["speaker/c2", "speaker/c2*"])]
)
def test_a_selected_speaker_comes_alone_with_the_associations(there: tuple[str, ...], expected: list[str]) -> None:
    """The sessions are not touched; those that are in Swoogo are associated."""
    ledger = {session_key(each): an_entry(number) for number, each in enumerate(there, start=1)}
    assert planned(asked_for("agenda", (), ("c2",)), *EVERYTHING, ledger=ledger) == expected


def a_new(identifier: str) -> Create:
    return Create(Kind.SESSION, session_key(identifier), {}, identifier)


def an_old(identifier: str) -> Update:
    return Update(Kind.SESSION, session_key(identifier), 7, {"name": "New"}, {}, identifier)


def a_link(*add: str, remove: tuple[str, ...] = ()) -> Link:
    return Link(speaker_key("c1"), add, remove)


ADOPTED = Adopt(Kind.SESSION, session_key("s2"), Remote(7, "s2", {}), {}, "s2")
BOTH = a_link("s1", "s2")


@pytest.mark.rule("S7", "N3")
@pytest.mark.parametrize(
    ("sessions", "link", "session_ids", "speaker_ids", "sent", "left"),
    [
        ([a_new("s1"), a_new("s2")], BOTH, (), (), [BOTH], []),
        ([a_new("s1"), a_new("s2")], BOTH, ("s1", "s2"), (), [BOTH], []),
        ([a_new("s1"), a_new("s2")], BOTH, ("s1",), (), [a_link("s1")], [a_link("s2")]),
        ([a_new("s1"), ADOPTED], BOTH, ("s1",), (), [a_link("s1")], [a_link("s2")]),
        ([a_new("s1"), an_old("s2")], BOTH, ("s1",), (), [BOTH], []),
        ([a_new("s1")], BOTH, ("s1",), (), [BOTH], []),
        ([a_new("s1"), a_new("s2")], BOTH, (), ("c1",), [], [BOTH]),
        ([an_old("s1"), a_new("s2")], BOTH, (), ("c1",), [a_link("s1")], [a_link("s2")]),
        ([a_new("s2")], a_link("s2", remove=("s1",)), ("s1",), (), [a_link(remove=("s1",))], [a_link("s2")]),
        ([a_new("s1"), a_new("s2")], BOTH, ("s9",), (), [], [BOTH]),
        ([a_new("s1"), a_new("s2")], BOTH, (), ("c9",), [], [BOTH]),
    ],
    ids=[
        "everything",
        "both selected",
        "one selected",
        "the other is to be adopted",
        "the other is there and differs",
        "the other is there",
        "the speaker selected",
        "the speaker selected, one is there",
        "taken off the selected one",
        "another session",
        "another speaker",
    ],
)
def test_an_association_waits_for_a_session_that_is_left_out(
    sessions: list[Operation],
    link: Link,
    session_ids: tuple[str, ...],
    speaker_ids: tuple[str, ...],
    sent: list[Link],
    left: list[Link],
) -> None:
    """Swoogo does not have it yet, so no credit is counted; what the scope leaves out is whole as `outside`."""
    scope = asked_for("all", session_ids, speaker_ids)
    whole = Plan(phases=(tuple(sessions), (link,)))
    part = restrict(whole, scope, {"c1": ("s1", "s2")}, {})
    assert [each for each in part.operations if isinstance(each, Link)] == sent
    assert [each for each in part.outside if isinstance(each, Link)] == left
    records = [each.key for each in (*part.operations, *part.outside) if not isinstance(each, Link)]
    assert sorted(records) == sorted(each.key for each in sessions)


@pytest.mark.rule("E5")
@pytest.mark.parametrize(("refused", "sent"), [(a_link("s1"), []), (BOTH, [a_link("s1")])], ids=["part", "whole"])
def test_a_refused_part_of_an_association_is_not_sent_again(refused: Link, sent: list[Link]) -> None:
    """What Swoogo refused is the part that the scope allows, and that is what stays unchanged."""
    whole = Plan(phases=((a_new("s1"), a_new("s2")), (BOTH,)))
    parked = {refused.issue_key: refused.fingerprint}
    part = restrict(whole, asked_for("all", ("s1",), ()), {"c1": ("s1", "s2")}, parked)
    assert [each for each in part.operations if isinstance(each, Link)] == sent
    assert [each for each in part.outside if isinstance(each, Link)] == [a_link("s2")]


@pytest.mark.rule("S8")
def test_who_was_taken_off_a_selected_session_loses_the_association() -> None:
    """Although the session no longer says who that was."""
    ledger = {
        session_key("s1"): an_entry(10),
        speaker_key("c1"): an_entry(
            40, pushed={"first_name": "Ada", "last_name": "C1", "email": "c1@example.org"}, links=("s1", "s2")
        ),
    }
    resources = (a_session("s1"), a_session("s2", people=["c1"]), a_contact("c1"))
    scope = asked_for("agenda", ("s1",), ())
    assert "speaker/c1*" in planned(scope, *resources, ledger=ledger)
    assert "speaker/c1*" not in planned(asked_for("agenda", ("s9",), ()), *resources, ledger=ledger)


@pytest.mark.rule("D4")
def test_only_selected_records_are_deleted() -> None:
    ledger = {session_key(each): an_entry(number) for number, each in enumerate(("s1", "s2", "s3"), start=1)}
    resources = tuple(a_session(each, status="declined") for each in ("s1", "s2", "s3"))

    def deleted(scope: Scope) -> list[str]:
        return [each.key for each in the_plan(scope, *resources, ledger=ledger).operations if isinstance(each, Delete)]

    assert deleted(asked_for("agenda", ("s2",), ())) == ["session/s2"]
    assert deleted(asked_for("sponsors", (), ())) == []
    assert deleted(Scope()) == ["session/s1", "session/s2", "session/s3"]


@pytest.mark.rule("R3")
def test_a_kind_nobody_writes_to_is_not_listed() -> None:
    """A look costs ten credits."""
    given = replace(a_plan_input(*EVERYTHING), directories={})
    looks = {
        asked: {kind.value for kind in make_plan(replace(given, scope=asked_for(asked, (), ()))).looks}
        for asked in ("all", "agenda", "sponsors")
    }
    assert looks == {
        "all": {"location", "track", "level", "speaker"},
        "agenda": {"location", "track", "speaker"},
        "sponsors": {"level"},
    }


@pytest.mark.rule("N2")
def test_what_is_left_out_is_still_hinted() -> None:
    """A sync of the sponsors does not make the issues of the agenda go away."""
    plan = the_plan(asked_for("sponsors", (), ()), a_session("s1", title=""), Sponsor("p1", name=""))
    assert sorted(issue.key for issue in plan.issues) == ["session/s1", "sponsor/p1"]


@pytest.mark.parametrize(("wanted", "sponsors"), [(True, True), (False, False)])
def test_continuous_sync_has_sponsors_when_the_mapping_says_so(wanted: bool, sponsors: bool) -> None:
    """On by default."""
    assert scope_of_changes(MappingSettings(sync_sponsors=wanted)).sponsors is sponsors
    assert scope_of_changes(MappingSettings()) == Scope()


@pytest.mark.parametrize(
    ("scope", "name", "settled"),
    [
        (Scope(), "all", {"session/s1", "contact/c1", "sponsor/p1"}),
        (asked_for("agenda", (), ()), "agenda", {"session/s1", "contact/c1"}),
        (asked_for("sponsors", (), ()), "sponsors", {"sponsor/p1"}),
        (asked_for("all", ("s1",), ()), "agenda", set()),
        (asked_for("agenda", (), ("c1",)), "agenda", set()),
    ],
)
def test_a_sync_settles_the_changes_it_covers(scope: Scope, name: str, settled: set[str]) -> None:
    """A sync of selected records settles nothing, as it may not have pushed all of a change."""
    assert scope.name == name
    assert {key for key in ("session/s1", "contact/c1", "sponsor/p1") if scope.covers_mark(key)} == settled


@pytest.mark.rule("S5")
@pytest.mark.parametrize("scope", [asked_for("all", ("s2",), ()), Scope(sponsors=False)])
def test_a_room_that_another_session_s_room_stands_for_goes_along(scope: Scope) -> None:
    """Rooms of one name are one location; the session that names it first is not part of this sync."""
    parked_first = a_session("s1", room=a_room("r1", "Hall"))
    second = a_session("s2", room=a_room("r2", " hall"))
    given = a_plan_input(parked_first, second, ledger={})
    [refused] = [each for each in make_plan(given).operations if each.key == session_key("s1")]
    assert isinstance(refused, Create)
    plan = make_plan(replace(given, scope=scope, parked={refused.key: fingerprint(refused.fields)}))
    assert [each.key for each in plan.operations] == ["location/r1", session_key("s2")]


REQUESTS = [
    SyncRequest("r1", scope, sessions, speakers, stamp=str(at))
    for at, (scope, sessions, speakers) in enumerate(
        [("agenda", (), ()), ("sponsors", (), ()), ("all", (), ()), ("agenda", ("s1",), ()), ("all", ("s2",), ("c1",))]
    )
]


@pytest.mark.rule("C5")
@pytest.mark.parametrize("first", REQUESTS, ids=str)
@pytest.mark.parametrize("second", REQUESTS, ids=str)
def test_requests_together_cover_what_each_covers_and_no_more(first: SyncRequest, second: SyncRequest) -> None:
    """The plan of both is what their own plans hold."""
    both = together([first, second])
    assert both is not None
    separate = set(planned(scope_of_request(first))) | set(planned(scope_of_request(second)))
    assert set(planned(scope_of_request(both))) == separate
    assert together([second, first]) == both
