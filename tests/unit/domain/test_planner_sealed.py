"""What was synced before a disconnect is left alone for ever; everything else goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.plan import Adopt, Create, Link, Plan, Update
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind, key_of
from consumer.domain.records.ledger import Directory, Entry, State
from consumer.domain.records.snapshot import Contact, Session
from tests.support.builders import (
    NOW,
    ORG,
    a_contact,
    a_directory,
    a_mapping,
    a_plan_input,
    a_remote,
    a_room,
    a_session,
    an_entry,
    an_intent,
    session_key,
    speaker_key,
)

pytestmark = pytest.mark.rule("X2")

ERA = NOW - 1000
MAPPING = replace(a_mapping(remove_deleted_sessions=True), era=ERA)


def planned(*resources: Session | Contact, ledger: dict[str, Entry], **directories: Directory) -> Plan:
    given = a_plan_input(*resources, mapping=MAPPING, ledger=ledger)
    found = {Kind(kind): rows for kind, rows in directories.items()}
    return make_plan(replace(given, directories={**given.directories, **found}))


def skipped(plan: Plan) -> list[tuple[str, Reason]]:
    return [(skip.key, skip.reason) for skip in plan.skips]


@pytest.mark.rule("D4")
@pytest.mark.parametrize("era", [0, ERA - 1])
@pytest.mark.parametrize("status", ["accepted", "declined"])
def test_a_session_synced_before_the_disconnect_is_never_touched_again(era: int, status: str) -> None:
    """Neither updated nor, where the mapping asks for that, deleted."""
    session = a_session("s1", title="Edited since", status=status)
    plan = planned(session, ledger={session_key(): an_entry(1, pushed={"name": "Old"}, era=era)})
    assert plan.operations == ()
    assert plan.issues == ()
    if status == "accepted":
        assert skipped(plan) == [(session_key(), Reason.SEALED)]


@pytest.mark.parametrize("era", [ERA, ERA + 1])
def test_a_session_synced_since_goes_on(era: int) -> None:
    """New sessions are synced like any other."""
    plan = planned(
        a_session("s1"), a_session("s2"), ledger={session_key(): an_entry(1, pushed={"name": "Old"}, era=era)}
    )
    assert [type(each) for each in plan.operations] == [Update, Create]


@pytest.mark.rule("S7", "S8")
def test_associations_with_a_sealed_session_are_neither_added_nor_removed() -> None:
    """The session shows the speakers it had; a new session gets its own."""
    ledger = {
        session_key("old"): an_entry(1),
        session_key("left"): an_entry(2),
        speaker_key("c1"): an_entry(3, natural="c1@example.org", links=("left",)),
    }
    plan = planned(
        a_contact("c1"),
        a_session("old", people=["c1"]),
        a_session("left"),
        a_session("new", people=["c1"]),
        ledger=ledger,
    )
    [link] = [each for each in plan.operations if isinstance(each, Link)]
    assert (link.add, link.remove) == (("new",), ())


def test_speakers_and_rooms_go_on_where_they_were() -> None:
    """It seals sessions; a speaker synced before is updated, a room synced before is used again."""
    ledger = {
        session_key("old"): an_entry(1),
        speaker_key("c1"): an_entry(3, natural="c1@example.org", pushed={"first_name": "Before"}),
        key_of(Kind.LOCATION, "r1"): an_entry(4, natural="hall 1", pushed={"name": "Hall 1"}),
    }
    plan = planned(
        a_contact("c1"),
        a_session("old", people=["c1"], room=a_room()),
        a_session("new", room=a_room()),
        ledger=ledger,
    )
    assert [(type(each), each.key) for each in plan.operations] == [
        (Create, session_key("new")),
        (Update, speaker_key("c1")),
    ]


@pytest.mark.rule("G2")
def test_unanswered_create_found_after_a_disconnect_is_sealed() -> None:
    """It was synced after all: entered in the ledger, with nothing sent and no association."""
    session = a_session("s1", people=["c1"])
    [operation] = planned(session, ledger={}, session=a_directory()).phases[1][:1]
    assert isinstance(operation, Create)
    plan = planned(
        session,
        a_contact("c1"),
        ledger={
            session_key(): an_intent(operation.natural),
            speaker_key("c1"): an_entry(
                3,
                natural="c1@example.org",
                pushed={"first_name": "Ada", "last_name": "C1", "email": "c1@example.org"},
                era=ERA,
            ),
        },
        session=a_directory(replace(a_remote(7, "x", name="Edited there"), natural=operation.natural)),
    )
    [adopted] = plan.operations
    assert isinstance(adopted, Adopt)
    assert (adopted.key, adopted.remote.id, adopted.differing, adopted.credits) == (session_key(), 7, {}, 0)


@pytest.mark.rule("G1")
def test_unanswered_create_not_found_after_a_disconnect_is_new() -> None:
    """It was not synced, so it is not lost."""
    session = a_session("s1")
    [first] = planned(session, ledger={}).operations
    assert isinstance(first, Create)
    plan = planned(session, ledger={session_key(): an_intent(first.natural, started=NOW - 10_000_000)})
    assert [type(each) for each in plan.operations] == [Create]


@pytest.mark.rule("D2")
def test_a_tombstone_from_before_the_disconnect_stays_one() -> None:
    """It is told as what it is."""
    plan = planned(a_session("s1"), ledger={session_key(): an_entry(1, state=State.GONE)})
    assert skipped(plan) == [(session_key(), Reason.GONE)]


@pytest.mark.rule("M3")
def test_ending_a_pair_twice_keeps_how_it_ended_and_the_latest_era() -> None:
    """The history says when the mapping ended, and a later disconnect seals it all the same."""
    pair = Pair("ev", 7, ORG, mapped_at=NOW)
    removed = pair.ended(PairEnd.REMOVED, NOW + 1, 1)
    cut = removed.ended(PairEnd.DISCONNECTED, NOW + 2, 2, era=NOW + 2)
    assert (cut.ended_at, cut.ended_by, cut.era) == (NOW + 1, PairEnd.REMOVED, NOW + 2)
    again = cut.again(ORG, 3)
    assert (again.ended_at, again.ended_by, again.era, again.mapped_at) == (None, None, NOW + 2, NOW)
