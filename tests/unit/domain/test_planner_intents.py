"""PLAN, creates that were never answered: look, adopt, wait, create again, or ask a person."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.issues.issue import Code
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.plan import Adopt, Create, Plan
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Entry, Remote
from consumer.domain.records.snapshot import Contact, Session
from tests.support.builders import (
    NOW,
    a_contact,
    a_directory,
    a_plan_input,
    a_remote,
    a_room,
    a_session,
    an_entry,
    an_intent,
    session_key,
    speaker_key,
)

pytestmark = pytest.mark.rule("G2")

SETTLE = 120_000
SESSION_NATURAL = "title of s1|2026-07-01|09:00:00"


def given_session(*rows: Remote, fresh: bool = True, session: Session | None = None, at: int = NOW) -> PlanInput:
    """A session whose create was sent at `NOW`, and what Swoogo's list shows."""
    return a_plan_input(
        session or a_session(),
        ledger={session_key(): an_intent(SESSION_NATURAL)},
        directories={Kind.SESSION: a_directory(*rows, fresh=fresh)},
        settle_time=SETTLE,
        now=at,
    )


def given_speaker(*rows: Remote, entry: Entry | None, contact: Contact | None = None, at: int = NOW) -> PlanInput:
    pushed = {"name": "Title of s1", "description": "<p>About s1</p>", "date": "2026-07-01"}
    pushed |= {"start_time": "09:00:00", "end_time": "10:00:00"}
    return a_plan_input(
        a_session(people=["c1"]),
        contact or a_contact("c1"),
        ledger={session_key(): an_entry(10, pushed=pushed), **({speaker_key(): entry} if entry else {})},
        directories={Kind.SPEAKER: a_directory(*rows)},
        settle_time=SETTLE,
        now=at,
    )


def labels(plan: Plan) -> list[str]:
    return [skip.label for skip in plan.skips]


def test_an_unanswered_create_asks_for_a_new_list_of_its_kind() -> None:
    """An old list cannot show it; the look costs one list call."""
    plan = make_plan(given_session(fresh=False))
    assert plan.looks == {Kind.SESSION}
    assert plan.operations == ()
    assert (plan.credits, plan.calls) == (10, 1)
    assert not plan.empty


def test_one_match_is_adopted() -> None:
    """The create had taken effect."""
    made = Remote(7, SESSION_NATURAL, {"name": "Title of s1"})
    (adopt,) = make_plan(given_session(made)).operations
    assert isinstance(adopt, Adopt)
    assert (adopt.key, adopt.remote) == (session_key(), made)
    assert "name" not in adopt.differing


@pytest.mark.parametrize(("waited", "created"), [(0, False), (SETTLE - 1, False), (SETTLE, True)])
def test_no_match_is_created_again_only_after_the_settle_time(waited: int, created: bool) -> None:
    """A slow create may still take effect; the plan says when it can be decided."""
    plan = make_plan(given_session(at=NOW + waited))
    assert [type(each) for each in plan.operations] == ([Create] if created else [])
    assert labels(plan) == ([] if created else ["waiting_for_swoogo"])
    assert plan.wait_until == (None if created else NOW + SETTLE)
    assert all(skip.issue is None for skip in plan.skips)


def test_several_matches_are_for_a_person_to_decide() -> None:
    """Never guess; the issue names the ids."""
    rows = (Remote(9, SESSION_NATURAL), Remote(7, SESSION_NATURAL))
    plan = make_plan(given_session(*rows, at=NOW + SETTLE))
    assert plan.operations == ()
    (skip,) = plan.skips
    assert skip.reason is Reason.ISSUE
    assert skip.issue is not None
    assert (skip.issue.code, skip.issue.detail) == (Code.AMBIGUOUS_MATCH, "ids 7, 9")


def test_a_match_that_is_somebody_elses_is_no_match() -> None:
    """Two sessions may have one name, date and start; each Swoogo record belongs to one."""
    given = given_session(Remote(7, SESSION_NATURAL), Remote(8, SESSION_NATURAL))
    other = {session_key("s2"): an_entry(7, natural=SESSION_NATURAL)}
    plan = make_plan(replace(given, ledger={**given.ledger, **other}))
    (adopt,) = plan.operations
    assert isinstance(adopt, Adopt)
    assert adopt.remote.id == 8


def test_a_record_known_from_before_the_create_is_no_match() -> None:
    """What the create made is none of those that were there; certain, not guessed."""
    given = given_session(Remote(7, SESSION_NATURAL), Remote(8, SESSION_NATURAL))
    intent = replace(an_intent(SESSION_NATURAL), besides=(7,))
    (adopt,) = make_plan(replace(given, ledger={session_key(): intent})).operations
    assert isinstance(adopt, Adopt)
    assert adopt.remote.id == 8


def test_a_create_notes_what_is_known_to_bear_its_name_already() -> None:
    """From an old list as well; ours are told apart by their ids anyway."""
    rows = (Remote(7, SESSION_NATURAL), Remote(8, SESSION_NATURAL), Remote(9, "another"))
    given = a_plan_input(a_session(), directories={Kind.SESSION: a_directory(*rows, fresh=False)})
    ours = {session_key("s2"): an_entry(8, natural=SESSION_NATURAL)}
    (create,) = make_plan(replace(given, ledger=ours)).operations
    assert isinstance(create, Create)
    assert create.besides == (7,)


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    ("listed", "waited", "looks"),
    [
        pytest.param(NOW, 1, True, id="listed before it was given up"),
        pytest.param(NOW + 1, SETTLE // 4, False, id="listed a moment ago"),
        pytest.param(NOW + 1, SETTLE // 4 + 1, True, id="listed too long ago"),
        pytest.param(NOW + SETTLE - 1, SETTLE, True, id="settled: now it is decided"),
    ],
)
def test_a_create_that_settles_is_not_looked_for_at_every_push(listed: int, waited: int, looks: bool) -> None:
    """An event that goes on changing is pushed often."""
    given = given_session(fresh=False, at=NOW + waited)
    plan = make_plan(replace(given, directories={Kind.SESSION: Directory(at=listed)}))
    assert plan.looks == ({Kind.SESSION} if looks else set())
    assert plan.wait_until == (NOW + SETTLE if waited < SETTLE else None)


def test_two_unanswered_creates_do_not_adopt_the_same_record() -> None:
    """The first one takes it, the other one goes on waiting."""
    twins = [a_session("s1", title="Lunch"), a_session("s2", title="Lunch")]
    natural = "lunch|2026-07-01|09:00:00"
    given = a_plan_input(
        *twins,
        ledger={session_key("s1"): an_intent(natural), session_key("s2"): an_intent(natural)},
        directories={Kind.SESSION: a_directory(Remote(7, natural))},
    )
    plan = make_plan(given)
    assert [(type(each), each.key) for each in plan.operations] == [(Adopt, session_key("s1"))]
    assert [(skip.key, skip.label) for skip in plan.skips] == [(session_key("s2"), "waiting_for_swoogo")]


def test_a_session_changed_meanwhile_is_looked_for_as_it_was_sent() -> None:
    """And brought up to date when it is adopted."""
    (adopt,) = make_plan(
        given_session(
            Remote(7, SESSION_NATURAL, {"name": "Title of s1", "date": "2026-07-01"}), session=a_session(title="New")
        )
    ).operations
    assert isinstance(adopt, Adopt)
    assert adopt.differing["name"] == "New"
    assert "date" not in adopt.differing
    assert adopt.natural == "new|2026-07-01|09:00:00"


@pytest.mark.rule("E3")
def test_session_that_leaves_is_not_created_again() -> None:
    """What may be there stays; nothing is asked."""
    plan = make_plan(given_session(session=a_session(status="declined"), fresh=False))
    assert plan.empty


@pytest.mark.rule("P2")
def test_an_unanswered_speaker_is_found_by_the_email_that_was_sent() -> None:
    made = Remote(40, "old@example.org", {"email": "old@example.org"})
    plan = make_plan(given_speaker(made, entry=an_intent("old@example.org")))
    adopt = plan.phases[1][0]
    assert isinstance(adopt, Adopt)
    assert adopt.remote.id == 40
    assert adopt.differing["email"] == "c1@example.org"


def test_several_unanswered_speakers_of_one_email_are_for_a_person_to_decide() -> None:
    rows = (Remote(40, "c1@example.org"), Remote(41, "c1@example.org"))
    plan = make_plan(given_speaker(*rows, entry=an_intent("c1@example.org")))
    assert labels(plan) == ["ambiguous_match"]
    assert plan.operations == ()


@pytest.mark.rule("P2")
def test_a_new_speaker_takes_the_oldest_of_several_in_swoogo() -> None:
    """Adopted, never duplicated; the choice is the same every time."""
    rows = (Remote(41, "c1@example.org"), Remote(40, "c1@example.org"))
    adopt = make_plan(given_speaker(*rows, entry=None)).phases[1][0]
    assert isinstance(adopt, Adopt)
    assert adopt.remote.id == 40


@pytest.mark.rule("P2", "R3")
def test_a_new_speaker_asks_for_a_list_and_a_new_session_does_not() -> None:
    """Only speakers are ever adopted without an intent."""
    plan = make_plan(a_plan_input(a_session(people=["c1"]), directories={}))
    assert plan.looks == {Kind.SPEAKER}


@pytest.mark.rule("S5")
def test_rooms_and_tracks_are_looked_for_before_they_are_made() -> None:
    plan = make_plan(a_plan_input(a_session(room=a_room()), directories={}))
    assert plan.looks == {Kind.LOCATION}
    again = make_plan(
        a_plan_input(a_session(room=a_room()), directories={Kind.LOCATION: a_directory(a_remote(7, "hall 1"))})
    )
    assert again.looks == frozenset()
    assert isinstance(again.phases[0][0], Adopt)


def test_the_earliest_moment_of_all_that_wait_is_the_plans() -> None:
    given = a_plan_input(
        a_session("s1", room=a_room()),
        a_session("s2"),
        ledger={
            session_key("s1"): an_intent("x", started=NOW - 10),
            session_key("s2"): an_intent("y", started=NOW - 30),
            "location/r1": an_intent("hall 1", started=NOW - 20),
        },
        settle_time=SETTLE,
    )
    assert make_plan(given).wait_until == NOW - 30 + SETTLE
