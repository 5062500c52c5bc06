"""The oracle's speakers, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.conference.expected import NOTHING, Resources, fold
from sandbox.conference.model import Person
from sandbox.conference.sessionboard import Event
from tests.sandbox.conference.expecting import ADA, BOB, NOW, TALK, conference, sync

CAROL = Person(id="c", first_name="Carol", last_name="N", email="carol@example.org")


@pytest.mark.rule("E4", "S8")
def test_a_speaker_taken_off_an_eligible_session_loses_the_link_and_stays() -> None:
    """The association goes; the speaker record stays."""
    state = sync(conference(TALK), conference(replace(TALK, speaker_ids=())))
    assert state.sessions["t"].speakers == frozenset()
    assert set(state.speakers) == {"a"}


@pytest.mark.rule("E4")
def test_idle_speaker_gets_no_updates_until_a_session_is_eligible() -> None:
    renamed = (replace(ADA, last_name="Lovelace"), BOB)
    idle = conference(replace(TALK, speaker_ids=()), people=renamed)
    assert sync(conference(TALK), idle).speakers["a"].last_name == "L"
    assert sync(conference(TALK), idle, conference(TALK, people=renamed)).speakers["a"].last_name == "Lovelace"


@pytest.mark.rule("E6", "R4")
@pytest.mark.parametrize("missing", ["first_name", "last_name", "email"])
def test_a_speaker_that_loses_a_required_field_keeps_what_was_synced(missing: str) -> None:
    """Left out with an issue; a required field is never cleared, and the link stays."""
    faulty = replace(ADA, **{missing: " "}, job_title="CEO")
    fresh = sync(conference(TALK, people=(faulty,)))
    assert fresh.speakers == {}
    assert fresh.sessions["t"].speakers == frozenset()
    assert fresh.left_out["speaker", "a"] == ("missing_field", missing)
    state = sync(conference(TALK), conference(TALK, people=(faulty,)))
    assert state.speakers["a"].job_title == "CTO"
    assert state.sessions["t"].speakers == {"ada@example.org"}


@pytest.mark.rule("P2")
def test_of_two_speakers_with_one_address_the_smaller_id_wins() -> None:
    both = replace(TALK, speaker_ids=("a", "b"))
    state = sync(conference(both, people=(ADA, replace(BOB, email="ADA@example.org "))))
    assert set(state.speakers) == {"a"}
    assert state.left_out["speaker", "b"] == ("duplicate_email", "email")
    assert state.sessions["t"].speaker_ids == {"a"}


@pytest.mark.rule("P2")
def test_speaker_synced_before_wins_a_shared_address_even_when_idle() -> None:
    """The one synced before wins, else the smaller id."""
    first = conference(replace(TALK, speaker_ids=("b",)))
    twin = replace(ADA, email="bob@example.org")
    together = conference(replace(TALK, speaker_ids=("a", "b")), people=(twin, BOB))
    alone = conference(replace(TALK, speaker_ids=("a",)), people=(twin, BOB))
    for later in (together, alone):
        state = sync(first, later)
        assert set(state.speakers) == {"b"}
        assert state.left_out["speaker", "a"] == ("duplicate_email", "email")


def test_an_address_that_is_given_up_is_free_for_another() -> None:
    moved = (replace(ADA, email="new@example.org"), replace(BOB, email="ada@example.org"))
    state = sync(conference(TALK), conference(replace(TALK, speaker_ids=("a", "b")), people=moved))
    assert state.sessions["t"].speakers == {"new@example.org", "ada@example.org"}


def test_a_new_address_shows_in_untouched_sessions_too() -> None:
    other = replace(TALK, id="u", title="Other")
    moved = (replace(ADA, email="new@example.org"), BOB)
    state = sync(conference(TALK, other), conference(replace(TALK, status="declined"), other, people=moved))
    assert {each.speakers for each in state.sessions.values()} == {frozenset({"new@example.org"})}


@pytest.mark.rule("P5")
def test_the_copy_in_the_session_serves_until_there_is_a_contact() -> None:
    """No one waits for a record that may never come."""
    full = conference(TALK)
    resources = Resources.of(full, Event.of(full, event_id=1, org_id="o"), at=NOW)
    assert fold(NOTHING, replace(resources, contacts=()), NOW).speakers["a"].job_title == "CTO"
    contact = {**resources.contacts[0], "title": "CEO"}
    assert fold(NOTHING, replace(resources, contacts=(contact,)), NOW).speakers["a"].job_title == "CEO"


@pytest.mark.rule("P2", "D1")
def test_the_survivor_of_a_merge_gets_the_address_of_the_deleted_contact() -> None:
    """Both were synced, and Swoogo keeps both speakers."""
    before = conference(replace(TALK, speaker_ids=("a", "b")))
    after = conference(replace(TALK, speaker_ids=("b",)), people=(replace(BOB, email="ada@example.org"),))
    state = sync(before, after)
    assert {each: who.email for each, who in state.speakers.items()} == {"a": "ada@example.org", "b": "ada@example.org"}
    assert state.left_out == {}


@pytest.mark.rule("P2", "D1")
def test_a_newcomer_goes_on_with_the_speaker_of_a_deleted_contact() -> None:
    """Swoogo keeps the speaker, and gets no second one."""
    again = replace(CAROL, email="Ada@example.org")
    state = sync(conference(TALK), conference(replace(TALK, speaker_ids=("c",)), people=(again,)))
    assert set(state.speakers) == {"c"}


@pytest.mark.rule("P5")
def test_the_copy_of_a_deleted_contact_never_serves() -> None:
    """A session still names them, in this revision and in later ones."""
    gone = conference(TALK, people=(BOB,))
    copied = Resources.of(conference(TALK), Event.of(gone, event_id=1, org_id="o"), at=NOW)
    state = sync(conference(people=(ADA, BOB)))
    for _ in range(2):
        state = fold(state, replace(copied, contacts=copied.contacts[1:]), NOW)
        assert state.speakers == {}
        assert state.left_out["speaker", "a"] == ("deleted", None)
