"""PLAN, associations: one call per speaker, and only what is no longer so is taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.planning.plan import Link, Update
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.records.identity import fingerprint
from consumer.domain.records.ledger import Entry, State
from tests.support.builders import (
    NOW,
    SessionFields,
    a_contact,
    a_plan_input,
    a_session,
    an_entry,
    an_intent,
    session_key,
    speaker_key,
)

pytestmark = pytest.mark.rule("S7", "S8")


def session_entry(identifier: str, swoogo_id: int, state: State = State.APPLIED) -> Entry:
    pushed = {
        "name": f"Title of {identifier}",
        "description": f"<p>About {identifier}</p>",
        "date": "2026-07-01",
        "start_time": "09:00:00",
        "end_time": "10:00:00",
    }
    return an_entry(swoogo_id, pushed=pushed, state=state)


def speaker_entry(*links: str, identifier: str = "c1", state: State = State.APPLIED) -> Entry:
    pushed = {"first_name": "Ada", "last_name": identifier.capitalize(), "email": f"{identifier}@example.org"}
    return an_entry(40, pushed=pushed, natural=pushed["email"], links=links, state=state)


SESSIONS = {session_key("s1"): session_entry("s1", 11), session_key("s2"): session_entry("s2", 12)}


def links(given: PlanInput) -> list[Link]:
    plan = make_plan(given)
    assert all(isinstance(each, Link) for each in plan.phases[2])
    return [each for each in plan.operations if isinstance(each, Link)]


def test_all_new_sessions_of_a_speaker_go_in_one_call() -> None:
    """Also of a speaker and sessions that are created in the same plan."""
    given = a_plan_input(a_session("s2", people=["c1"]), a_session("s1", people=["c1"]), a_contact("c1"))
    assert links(given) == [Link(speaker_key(), add=("s1", "s2"), remove=())]
    assert links(given)[0].credits == 1


@pytest.mark.rule("R3")
def test_only_sessions_that_are_new_to_the_speaker_are_sent() -> None:
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2", people=["c1"]),
        a_contact("c1"),
        ledger={**SESSIONS, speaker_key(): speaker_entry("s1")},
    )
    assert links(given) == [Link(speaker_key(), add=("s2",), remove=())]


@pytest.mark.rule("R3")
def test_associations_that_are_right_cost_nothing() -> None:
    """Whatever order the ledger has them in."""
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2", people=["c1"]),
        a_contact("c1"),
        ledger={**SESSIONS, speaker_key(): speaker_entry("s2", "s1")},
    )
    assert make_plan(given).empty


def test_a_speaker_taken_off_a_session_loses_that_association() -> None:
    """One call for each; the other one stays."""
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2"),
        a_contact("c1"),
        ledger={**SESSIONS, speaker_key(): speaker_entry("s1", "s2")},
    )
    assert links(given) == [Link(speaker_key(), add=(), remove=("s2",))]


@pytest.mark.rule("D2")
def test_there_is_nothing_to_take_away_from_a_session_that_is_gone_in_swoogo() -> None:
    """Its associations went with it: no call, and no credit in the plan."""
    gone = {session_key("s2"): session_entry("s2", 12, State.GONE)}
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2"),
        a_contact("c1"),
        ledger={**SESSIONS, **gone, speaker_key(): speaker_entry("s1", "s2")},
    )
    assert make_plan(given).empty


@pytest.mark.rule("E4")
def test_a_speaker_taken_off_the_last_session_loses_that_association_too() -> None:
    """The speaker itself stays untouched, but the session shows no one who is not on it."""
    given = a_plan_input(
        a_session("s1"), a_contact("c1", last_name="Changed"), ledger={**SESSIONS, speaker_key(): speaker_entry("s1")}
    )
    plan = make_plan(given)
    assert plan.operations == (Link(speaker_key(), add=(), remove=("s1",)),)


def test_an_association_made_by_hand_stays() -> None:
    """It is not in the ledger, so it is not ours to take away."""
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2"),
        a_contact("c1"),
        ledger={**SESSIONS, speaker_key(): speaker_entry("s1")},
    )
    assert links(given) == []


@pytest.mark.rule("E2", "E3", "D1")
@pytest.mark.parametrize(
    "away",
    [
        SessionFields(status="declined"),
        SessionFields(deleted=True),
        SessionFields(title=""),
        SessionFields(starts_at=NOW - 2, ends_at=NOW - 1),
    ],
)
def test_a_session_that_takes_no_part_keeps_its_speakers(away: SessionFields) -> None:
    """It stays untouched, associations included, also where the speaker is no longer on it."""
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2", **away),
        a_contact("c1"),
        ledger={**SESSIONS, speaker_key(): speaker_entry("s1", "s2")},
    )
    assert links(given) == []


@pytest.mark.rule("E6")
def test_a_faulty_speaker_keeps_the_associations_that_are_still_so() -> None:
    """Still on s1, off s2; and a speaker who cannot sync gets no new ones."""
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2"),
        a_session("s3", people=["c1"]),
        a_contact("c1", email=""),
        ledger={**SESSIONS, session_key("s3"): session_entry("s3", 13), speaker_key(): speaker_entry("s1", "s2")},
    )
    assert links(given) == [Link(speaker_key(), add=(), remove=("s2",))]


@pytest.mark.rule("D2", "X2")
def test_nothing_is_sent_for_a_tombstoned_speaker() -> None:
    given = a_plan_input(
        a_session("s1"),
        a_session("s2", people=["c1"]),
        ledger={**SESSIONS, speaker_key(): speaker_entry("s1", state=State.GONE)},
    )
    assert links(given) == []


@pytest.mark.rule("D2", "X2")
def test_nobody_is_associated_with_a_tombstoned_session() -> None:
    """There is nothing left to be on."""
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_contact("c1"),
        ledger={session_key("s1"): session_entry("s1", 11, State.GONE), speaker_key(): speaker_entry()},
    )
    assert links(given) == []


@pytest.mark.rule("G2")
def test_an_association_waits_for_a_session_whose_create_is_unanswered() -> None:
    """Its id is not known yet."""
    given = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2", people=["c1"]),
        a_contact("c1"),
        ledger={
            session_key("s1"): an_intent("title of s1|2026-07-01|09:00:00"),
            session_key("s2"): session_entry("s2", 12),
            speaker_key(): speaker_entry(),
        },
    )
    assert links(given) == [Link(speaker_key(), add=("s2",), remove=())]


@pytest.mark.rule("N2")
def test_a_session_whose_update_was_refused_is_still_there_to_be_on() -> None:
    """Only the update is parked."""
    changed = replace(a_session("s1", people=["c1"]), title="New")
    given = a_plan_input(changed, a_contact("c1"), ledger={**SESSIONS, speaker_key(): speaker_entry()})
    update = make_plan(given).phases[1][0]
    assert isinstance(update, Update)
    again = replace(given, parked={session_key("s1"): fingerprint(update.fields)})
    assert make_plan(again).operations == (Link(speaker_key(), add=("s1",), remove=()),)


@pytest.mark.rule("R5", "N2")
def test_refused_associations_are_not_sent_again_until_they_change() -> None:
    """Filed beside the speaker, whose own fields may still be sent."""
    given = a_plan_input(
        a_session("s1", people=["c1"]), a_contact("c1"), ledger={**SESSIONS, speaker_key(): speaker_entry()}
    )
    (refused,) = links(given)
    parked = {refused.issue_key: refused.fingerprint}
    assert links(replace(given, parked=parked)) == []
    more = a_plan_input(
        a_session("s1", people=["c1"]),
        a_session("s2", people=["c1"]),
        a_contact("c1"),
        ledger={**SESSIONS, speaker_key(): speaker_entry()},
        parked=parked,
    )
    assert links(more) == [Link(speaker_key(), add=("s1", "s2"), remove=())]


@pytest.mark.rule("R3")
def test_order_of_associations_is_independent_of_record_order() -> None:
    """So that a refused one is recognised."""
    people = ["c2", "c1"]
    sessions = [a_session("s1", people=people), a_session("s2", people=people)]
    contacts = [a_contact("c1"), a_contact("c2")]
    assert links(a_plan_input(*sessions, *contacts)) == links(a_plan_input(*sessions[::-1], *contacts[::-1]))
