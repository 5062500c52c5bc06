"""PLAN, what is in Swoogo already: which of it becomes ours, and what that costs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.planning.plan import Adopt, Create, Update
from consumer.domain.planning.planner import make_plan
from consumer.domain.records.identity import Kind, digest
from consumer.domain.records.ledger import Remote
from tests.support.builders import a_contact, a_directory, a_plan_input, a_session, an_entry, session_key, speaker_key

pytestmark = pytest.mark.rule("P2")

SPEAKER = {"first_name": "Ada", "last_name": "C1", "email": "c1@example.org"}
SPEAKER_ENTRY = an_entry(40, pushed=SPEAKER, natural="c1@example.org")
PUSHED = {
    "name": "Title of s1",
    "description": "<p>About s1</p>",
    "date": "2026-07-01",
    "start_time": "09:00:00",
    "end_time": "10:00:00",
}


def test_a_speaker_in_swoogo_is_adopted_by_email() -> None:
    """No second one; an empty field clears nothing; only what differs is sent, and never the address."""
    existing = Remote(
        77, "c1@example.org", {"email": "c1@EXAMPLE.org", "first_name": "Ada", "last_name": "X", "company": "Kept"}, 900
    )
    contact = a_contact("c1", email="C1@example.org", company="", job_title="CTO")
    plan = make_plan(a_plan_input(a_session(people=["c1"]), contact, directories={Kind.SPEAKER: a_directory(existing)}))
    adopt = plan.phases[1][1]
    assert isinstance(adopt, Adopt)
    assert adopt.remote == existing
    assert adopt.differing == {"last_name": "C1", "job_title": "CTO"}
    assert adopt.credits == 1
    assert adopt.fields["company"] == ""


@pytest.mark.rule("R3")
def test_adopting_a_speaker_that_is_right_already_costs_nothing() -> None:
    existing = Remote(77, "c1@example.org", SPEAKER)
    plan = make_plan(
        a_plan_input(a_session(people=["c1"]), a_contact("c1"), directories={Kind.SPEAKER: a_directory(existing)})
    )
    assert [each.credits for each in plan.phases[1]] == [1, 0]
    assert not plan.empty


def test_a_swoogo_speaker_is_adopted_by_one_person_only() -> None:
    """One that another contact owns is not free, whatever its address is now."""
    existing = Remote(40, "c2@example.org", {})
    plan = make_plan(
        a_plan_input(
            a_session(people=["c1", "c2"]),
            a_contact("c1"),
            a_contact("c2"),
            ledger={speaker_key("c1"): replace(SPEAKER_ENTRY, links=())},
            directories={Kind.SPEAKER: a_directory(existing)},
        )
    )
    created = [each for each in plan.phases[1] if each.key == speaker_key("c2")]
    assert [type(each) for each in created] == [Create]


def test_a_session_made_by_hand_in_swoogo_is_never_adopted() -> None:
    """Only speakers are recognised; a session of the same name and time is somebody else's."""
    by_hand = Remote(99, "title of s1|2026-07-01|09:00:00", {})
    plan = make_plan(a_plan_input(a_session(), directories={Kind.SESSION: a_directory(by_hand)}))
    assert [type(each) for each in plan.operations] == [Create]


@pytest.mark.rule("R4")
def test_a_field_never_pushed_and_empty_is_nothing_to_clear() -> None:
    """An adopted speaker keeps what only Swoogo has; what was pushed once is cleared."""
    session, contact = a_session(people=["c1"]), a_contact("c1", company="", bio="")
    ledger = {
        session_key(): an_entry(10, pushed={**PUSHED, "location": "", "track": ""}),
        speaker_key(): replace(SPEAKER_ENTRY, pushed={**SPEAKER, "bio": digest("b" * 99)}),
    }
    (update,) = make_plan(a_plan_input(session, contact, ledger=ledger)).phases[1]
    assert isinstance(update, Update)
    assert update.fields == {"bio": ""}
