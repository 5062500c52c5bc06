"""K1: the state of an event is decided once, and whose hand an issue needs."""

from __future__ import annotations

import pytest

from consumer.domain.explaining.sync_state import EventConditions, SyncState, Turn, state_of, turn_of
from consumer.domain.issues.issue import Code, Hand, hand_of, hands_needed

pytestmark = pytest.mark.rule("K1")


@pytest.mark.parametrize(
    ("conditions", "state", "turn"),
    [
        (EventConditions(), "In sync", Turn.DONE),
        (EventConditions(changes=1), "Waiting", Turn.ITSELF),
        (EventConditions(changes=1, manual=True), "Waiting", Turn.SOMEBODY),
        (EventConditions(changes=1, unapproved=2), "Waiting", Turn.SOMEBODY),
        (EventConditions(unapproved=1), "Waiting", Turn.SOMEBODY),
        (EventConditions(manual=True), "In sync", Turn.DONE),
        (EventConditions(working=True), "In sync", Turn.DONE),
        (EventConditions(working=True, changes=2), "Pushing", Turn.ITSELF),
        (EventConditions(working=True, calls=True), "Pushing", Turn.ITSELF),
        (EventConditions(calls=True), "In sync", Turn.DONE),
        (EventConditions(hands=1), "Needs a hand", Turn.SOMEBODY),
        (EventConditions(hands=1, changes=3), "Needs a hand", Turn.SOMEBODY),
        (EventConditions(hands=1, changes=3, failures=1, paused=True), "Needs a hand", Turn.SOMEBODY),
        (EventConditions(hands=1, changes=3, working=True), "Pushing", Turn.ITSELF),
        (EventConditions(changes=1, failures=2), "Held", Turn.ITSELF),
        (EventConditions(failures=2), "Held", Turn.ITSELF),
        (EventConditions(changes=1, paused=True), "Held", Turn.ITSELF),
        (EventConditions(paused=True), "In sync", Turn.DONE),
        (EventConditions(changes=1, frozen=1), "Held", Turn.ITSELF),
        (EventConditions(frozen=1), "Held", Turn.ITSELF),
        (EventConditions(delayed=True), "Held", Turn.ITSELF),
        (EventConditions(mapped=False), "Not connected", Turn.SOMEBODY),
        (EventConditions(refused=True, changes=31, working=True, hands=2), "Not connected", Turn.SOMEBODY),
    ],
)
def test_the_first_state_that_holds_is_the_state(conditions: EventConditions, state: str, turn: Turn) -> None:
    assert (state_of(conditions).words, turn_of(conditions)) == (state, turn)


def test_every_state_and_every_hand_has_its_words() -> None:
    assert len({state.words for state in SyncState}) == len(SyncState)
    assert len({hand.words for hand in Hand}) == len(Hand)


@pytest.mark.parametrize("code", Code)
def test_an_issue_that_nothing_can_be_done_about_needs_no_hand(code: Code) -> None:
    nobody = {
        Code.IMAGE_WAITING,
        Code.CLOCKS_SET_BACK,
        Code.RENAMED_AFTER_SYNC,
        Code.NAME_SHORTENED,
        Code.TIMEZONE_MISMATCH,
        Code.OLDER_PUBLISHED_LATER,
        Code.EDITED_IN_SWOOGO,
        Code.OVERWRITTEN_IN_SWOOGO,
        Code.HELD_BACK,
    }
    assert hand_of(code).needed is (code not in nobody)


def test_issues_are_counted_by_the_hand_they_need() -> None:
    assert hands_needed({"missing_field": 2, "edited_in_swoogo": 5, "of_a_later_version": 1}) == 3
