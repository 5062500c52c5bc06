"""What is to be deleted in Swoogo, and everything that is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.issues.issue import Code
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.plan import Create, Delete, Link, Plan
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Contact, Role, Session
from tests.support.builders import (
    HOUR,
    NOW,
    a_contact,
    a_mapping,
    a_plan_input,
    a_session,
    an_attendance,
    an_entry,
    an_intent,
    session_key,
    speaker_key,
)

pytestmark = pytest.mark.rule("D4")

BOTH = a_mapping(remove_deleted_sessions=True, remove_deleted_speakers=True)
SHOWN = {"name": "Title", "date": "2026-07-01", "start_time": "09:00:00", "end_time": "10:00:00"}
S1 = an_entry(10, pushed=SHOWN)
C1 = an_entry(40, pushed={"email": "c1@example.org"}, natural="c1@example.org", op_id="ours")
DECLINED = a_session("s1", status="declined", version=7)


def the_plan(
    *resources: Session | Contact,
    ledger: Mapping[str, Entry],
    mapping: EventMapping = BOTH,
    parked: Mapping[str, str] | None = None,
) -> Plan:
    return make_plan(a_plan_input(*resources, mapping=mapping, ledger=ledger, parked=parked or {}))


def deletions(plan: Plan) -> list[tuple[str, int]]:
    return [(each.key, each.swoogo_id) for each in plan.operations if isinstance(each, Delete)]


@pytest.mark.parametrize("status", ["declined", "pending", "accept_queue", "decline_queue"])
def test_a_session_that_is_no_longer_accepted_is_deleted(status: str) -> None:
    """It is no longer counted as left out; one call, one credit."""
    plan = the_plan(a_session("s1", status=status), ledger={session_key(): S1})
    assert deletions(plan) == [("session/s1", 10)]
    assert (plan.skips, plan.credits, plan.empty) == ((), 1, False)


def test_a_session_deleted_in_sessionboard_is_deleted() -> None:
    """Also by a null value, which carries nothing else."""
    assert deletions(the_plan(Session("s1", version=9, deleted=True), ledger={session_key(): S1})) == [
        ("session/s1", 10)
    ]


@pytest.mark.parametrize(
    ("session", "entry"),
    [
        pytest.param(a_session("s1"), replace(S1, pushed={**SHOWN, "name": "Title of s1"}), id="accepted"),
        pytest.param(a_session("s1", status="accepted", title=" "), S1, id="accepted, a field is missing"),
        pytest.param(a_session("s1", status="accepted", starts_at=None), S1, id="accepted, not scheduled"),
        pytest.param(a_session("s1", status="somewhere"), S1, id="in a category no one knows"),
        pytest.param(a_session("s1", starts_at=NOW - 2 * HOUR, ends_at=NOW - HOUR), S1, id="ended"),
        pytest.param(replace(DECLINED, starts_at=NOW - 2 * HOUR, ends_at=NOW), S1, id="declined, and has ended"),
        pytest.param(
            Session("s1", deleted=True),
            an_entry(10, pushed={**SHOWN, "date": "2026-06-01", "end_time": "09:00:00"}),
            id="deleted without its times, and Swoogo shows that it has ended",
        ),
        pytest.param(DECLINED, replace(S1, state=State.GONE), id="deleted in Swoogo"),
        pytest.param(DECLINED, an_intent("title"), id="created, perhaps"),
    ],
)
def test_a_session_stays_when_nobody_said_that_it_should_go(session: Session, entry: Entry) -> None:
    """Deletion is never concluded from a fault, from the end of a session or from a mark."""
    assert deletions(the_plan(session, ledger={session_key(): entry})) == []


def test_a_record_that_sessionboard_never_sent_stays() -> None:
    """Silence is no deletion; a rebuilt snapshot may lack what was deleted long ago."""
    assert deletions(the_plan(ledger={session_key(): S1, speaker_key(): C1})) == []


@pytest.mark.rule("D1")
@pytest.mark.parametrize(
    ("sessions", "speakers", "expected"),
    [
        (False, False, []),
        (True, False, ["session/s1"]),
        (False, True, ["speaker/c1"]),
        (True, True, ["session/s1", "speaker/c1"]),
    ],
)
def test_each_kind_has_its_own_switch_and_both_are_off_by_default(
    sessions: bool, speakers: bool, expected: list[str]
) -> None:
    assert (a_mapping().settings.remove_deleted_sessions, a_mapping().settings.remove_deleted_speakers) == (
        False,
        False,
    )
    plan = the_plan(
        replace(DECLINED, people=(an_attendance("c1"),)),
        a_contact("c1"),
        ledger={session_key(): S1, speaker_key(): replace(C1, links=("s1",))},
        mapping=a_mapping(remove_deleted_sessions=sessions, remove_deleted_speakers=speakers),
    )
    assert [key for key, _ in deletions(plan)] == expected


@pytest.mark.parametrize(
    "resources",
    [
        pytest.param([a_contact("c1", deleted=True), a_session("s1", people=["c1"])], id="deleted, still on a session"),
        pytest.param([a_contact("c1", deleted=True)], id="deleted"),
        pytest.param([a_contact("c1")], id="on no session"),
        pytest.param([a_session("s1", people=["c1"], status="declined")], id="known from a declined session only"),
        pytest.param([a_contact("c1"), a_session("s1", people=["c1"], deleted=True)], id="on a deleted session"),
    ],
)
def test_speaker_without_an_accepted_session_is_deleted(resources: list[Session | Contact]) -> None:
    assert deletions(the_plan(*resources, ledger={speaker_key(): C1})) == [("speaker/c1", 40)]


@pytest.mark.parametrize(
    ("resources", "entry"),
    [
        pytest.param([a_session("s1", people=["c1"])], C1, id="on an accepted session"),
        pytest.param([a_session("s1", people=["c1"], title="")], C1, id="on an accepted session that has a fault"),
        pytest.param([a_session("s1", people=["c1"], status="odd")], C1, id="on a session no one can judge"),
        pytest.param(
            [a_session("s1", people=["c1"], starts_at=NOW - 2 * HOUR, ends_at=NOW - HOUR)],
            C1,
            id="on an accepted session that has ended",
        ),
        pytest.param(
            [a_session("s1", people=[an_attendance("c1", role=Role.MODERATOR)])], C1, id="moderates an accepted session"
        ),
        pytest.param([a_contact("c1")], replace(C1, op_id=""), id="made by people in Swoogo, and adopted"),
        pytest.param([a_contact("c1")], replace(C1, state=State.GONE), id="deleted in Swoogo"),
    ],
)
def test_a_speaker_stays_when_nobody_said_that_they_should_go(resources: list[Session | Contact], entry: Entry) -> None:
    assert deletions(the_plan(*resources, ledger={speaker_key(): entry})) == []


@pytest.mark.rule("E7")
@pytest.mark.parametrize(
    ("accepted_only", "acceptance", "gone"),
    [
        (True, "declined", True),
        (True, "accepted", False),
        (True, None, False),
        (False, "declined", False),
    ],
)
def test_declined_participant_counts_as_not_accepted(accepted_only: bool, acceptance: str | None, gone: bool) -> None:
    plan = the_plan(
        a_session("s1", people=[an_attendance("c1", acceptance=acceptance)]),
        ledger={speaker_key(): C1},
        mapping=a_mapping(remove_deleted_speakers=True, accepted_participants_only=accepted_only),
    )
    assert bool(deletions(plan)) is gone


def test_the_speaker_of_an_ended_session_that_stays_stays_too() -> None:
    """What Swoogo shows of the past is left whole."""
    ended = replace(DECLINED, starts_at=NOW - 2 * HOUR, ends_at=NOW - HOUR, people=(an_attendance("c1"),))
    assert deletions(the_plan(ended, ledger={session_key(): S1, speaker_key(): C1})) == []


@pytest.mark.rule("S8")
def test_associations_of_a_speaker_who_goes_are_not_taken_away_one_by_one() -> None:
    """They go with the speaker; sessions go before speakers, after everything else."""
    plan = the_plan(
        a_session("s2"),
        replace(DECLINED, people=(an_attendance("c1"),)),
        ledger={session_key(): S1, speaker_key(): replace(C1, links=("s1", "s2"))},
    )
    kinds = [[(type(each).__name__, each.key) for each in phase] for phase in plan.phases if phase]
    assert kinds == [[("Create", "session/s2")], [("Delete", "session/s1")], [("Delete", "speaker/c1")]]
    assert not any(isinstance(each, Link) for each in plan.operations)


def test_accepted_again_and_forgotten_it_is_created_again() -> None:
    """A deletion forgets the entry, so nothing stands in the way."""
    [operation] = the_plan(a_session("s1"), ledger={}).operations
    assert isinstance(operation, Create)


def parked_deletions(*refused: Delete) -> dict[str, str]:
    return {each.issue_key: each.fingerprint for each in refused}


def test_a_refused_deletion_is_parked_until_the_record_changes() -> None:
    refused = parked_deletions(Delete(Kind.SESSION, "session/s1", 10, 7))
    plan = the_plan(DECLINED, ledger={session_key(): S1}, parked=refused)
    assert (deletions(plan), [(skip.key, skip.reason) for skip in plan.skips]) == (
        [],
        [("session/s1", Reason.PARKED)],
    )
    newer = the_plan(replace(DECLINED, version=8), ledger={session_key(): S1}, parked=refused)
    assert deletions(newer) == [("session/s1", 10)]


@pytest.mark.parametrize(
    ("synced", "declined", "deleted"),
    [(3, 3, 3), (4, 4, 0), (20, 4, 4), (20, 5, 0), (25, 5, 5), (100, 20, 20), (100, 21, 0)],
)
def test_many_deletions_at_once_are_not_done(synced: int, declined: int, deleted: int) -> None:
    """More than three and more than a fifth of what is synced looks like a mistake: none, and an issue."""
    sessions = [a_session(f"s{n}", status="declined" if n < declined else "accepted", title="T") for n in range(synced)]
    ledger = {session_key(f"s{n}"): an_entry(n + 1, pushed=SHOWN) for n in range(synced)}
    plan = the_plan(*sessions, ledger=ledger)
    assert len(deletions(plan)) == deleted
    issues = [(issue.key, issue.field, issue.detail) for issue in plan.issues if issue.code is Code.TOO_MANY_REMOVALS]
    assert issues == ([] if deleted else [("event/ev", "sessions", f"{declined} of {synced}")])


def test_deletions_that_swoogo_refused_do_not_count_as_many() -> None:
    """Else what has registrants would stop every later deletion."""
    sessions = [a_session(f"s{n}", status="declined") for n in range(5)]
    ledger = {session_key(f"s{n}"): an_entry(n + 1, pushed=SHOWN) for n in range(5)}
    parked = parked_deletions(*(Delete(Kind.SESSION, session_key(f"s{n}"), n + 1, 1) for n in range(4)))
    assert deletions(the_plan(*sessions, ledger=ledger, parked=parked)) == [("session/s4", 5)]


def test_deletions_that_are_tried_once_more_do_not_count_as_many_either() -> None:
    """A reconcile tries again what has registrants, and goes on with what is new."""
    sessions = [a_session(f"s{n}", status="declined") for n in range(9)]
    ledger = {session_key(f"s{n}"): an_entry(n + 1, pushed=SHOWN) for n in range(9)}
    refused = parked_deletions(*(Delete(Kind.SESSION, session_key(f"s{n}"), n + 1, 1) for n in range(8)))
    given = a_plan_input(*sessions, mapping=BOTH, ledger=ledger)
    assert len(deletions(make_plan(replace(given, refused=refused)))) == 9
    some = dict(list(refused.items())[:2])
    plan = make_plan(replace(given, refused=some))
    assert [key for key, _ in deletions(plan)] == ["session/s0", "session/s1"]
    assert [issue.detail for issue in plan.issues] == ["7 of 9"]
