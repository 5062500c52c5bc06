"""When a kind is read with the event, for one credit, and when that cannot be believed."""

from __future__ import annotations

import pytest

from consumer.domain.planning.looks import absent, compared, not_cut_off, with_event
from consumer.domain.planning.plan import Adopt, Create, Plan
from consumer.domain.planning.planner import make_plan
from consumer.domain.push.cause import read_since
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Remote
from tests.support.builders import (
    NOW,
    a_contact,
    a_plan_input,
    a_room,
    a_session,
    an_entry,
    an_intent,
    session_key,
    speaker_key,
)

pytestmark = pytest.mark.rule("P2", "R3", "G2")

EMAIL = "c1@example.org"
SPEAKING = (a_session("s1", people=["c1"]), a_contact("c1"))


@pytest.mark.parametrize(
    ("count", "longest", "believed"),
    [
        (17, 0, True),
        (1193, 1180, True),
        (20, 12, False),
        (48, 12, False),
        (1000, 999, False),
        (20, 21, True),
        (20, 20, False),
        (0, 0, False),
        (0, 3, True),
    ],
)
def test_a_count_at_which_a_server_might_cut_off_is_not_believed(count: int, longest: int, believed: bool) -> None:
    assert not_cut_off(count, longest) is believed


@pytest.mark.parametrize("limit", [10, 15, 20, 25, 50, 64, 100, 200, 250, 256, 500, 1000, 1024])
def test_no_count_that_was_cut_off_is_ever_believed(limit: int) -> None:
    """Whatever the event grew to before, and whatever came with it then."""
    longest = 0
    for total in range(1, 3 * limit):
        came = min(total, limit)
        if total <= limit:
            longest = max(longest, came)
        else:
            assert not not_cut_off(came, longest)


def test_a_kind_is_compared_once_it_has_records_of_ours() -> None:
    ledger = {session_key("s1"): an_entry(1), speaker_key("c1"): an_intent("x")}
    unknown: dict[Kind, Directory] = {}
    assert compared(unknown, ledger) == {Kind.SESSION}
    for verdict, cheap in ((7, {Kind.SESSION}), (0, set())):
        known = {Kind.SESSION: Directory(with_event=verdict), Kind.TRACK: Directory(with_event=verdict)}
        assert compared(known, ledger) == set()
        assert with_event(known) == cheap


def test_only_live_records_can_be_absent() -> None:
    assert absent([an_entry(1), an_entry(2), an_intent("x")], {1}) == [2]


@pytest.mark.parametrize(
    ("attempt", "trigger", "since"),
    [
        (0, Trigger.CHANGES, None),
        (1, Trigger.CHANGES, NOW - 300_000),
        (3, Trigger.RECONCILE, NOW - 300_000),
        (1, Trigger.MANUAL, None),
    ],
)
def test_only_a_retry_goes_on_with_what_was_read(attempt: int, trigger: Trigger, since: int | None) -> None:
    """Who asks for a sync may just have made a record in Swoogo."""
    assert read_since(attempt, trigger, NOW) == since


@pytest.mark.parametrize(("at", "looks"), [(NOW, set()), (NOW - 1, {Kind.SPEAKER})])
def test_a_retry_believes_a_directory_that_is_recent(at: int, looks: set[Kind]) -> None:
    given = a_plan_input(*SPEAKING, directories={Kind.SPEAKER: Directory(at=at)}, read_since=NOW)
    plan = make_plan(given)
    assert plan.looks == looks
    assert any(isinstance(each, Create) and each.kind is Kind.SPEAKER for each in plan.operations)


def test_what_is_to_be_adopted_is_read_again() -> None:
    """A directory that was kept knows neither the fields of a record nor whether it is still there."""
    kept = Directory({9: Remote(9, EMAIL)}, at=NOW)
    plan = make_plan(a_plan_input(*SPEAKING, directories={Kind.SPEAKER: kept}, read_since=NOW))
    assert plan.looks == {Kind.SPEAKER}
    assert any(isinstance(each, Adopt) for each in plan.operations)


@pytest.mark.rule("G6")
def test_a_kind_that_may_hold_lost_records_is_read_again() -> None:
    kept = {Kind.SPEAKER: Directory(at=NOW), Kind.SESSION: Directory(at=NOW)}
    careful = frozenset(kept)
    plan = make_plan(a_plan_input(*SPEAKING, directories=kept, read_since=NOW, verify_before_create=careful))
    assert plan.looks == careful


@pytest.mark.rule("S5")
def test_a_retry_makes_a_room_without_another_list() -> None:
    given = a_plan_input(a_session(room=a_room()), directories={Kind.LOCATION: Directory(at=NOW)}, read_since=NOW)
    plan = make_plan(given)
    assert plan.looks == set()
    assert isinstance(plan.phases[0][0], Create)


@pytest.mark.parametrize("at", [NOW - 500_000, NOW])
def test_an_unanswered_create_is_looked_for_whatever_was_read_before(at: int) -> None:
    """For each kind: the look of this push decides, made after the create has settled."""
    intents = {
        "location/r1": an_intent("hall 1", started=NOW - 400_000),
        session_key(): an_intent("x", started=NOW - 400_000),
    }
    kept = {Kind.LOCATION: Directory(at=at), Kind.SESSION: Directory(at=at)}
    plan = make_plan(a_plan_input(a_session(room=a_room()), ledger=intents, directories=kept, read_since=NOW - 1))
    assert plan.looks == {Kind.LOCATION, Kind.SESSION}


@pytest.mark.rule("N3")
def test_looks_with_the_event_cost_one_credit_together() -> None:
    both = frozenset({Kind.SESSION, Kind.SPEAKER})
    plan = Plan(looks=both | {Kind.TRACK}, with_event=both)
    assert (plan.credits, plan.calls) == (11, 2)
    assert Plan(looks=both, compared=both).credits == 21
    assert Plan(looks=both, compared=frozenset({Kind.SESSION}), with_event=frozenset({Kind.SPEAKER})).credits == 11
    assert Plan(with_event=both, compared=frozenset({Kind.SPONSOR})).credits == 0
