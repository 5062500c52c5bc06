"""What operators ask to be done to the ledger: adopt, forget, lift; judged when it is carried out."""

from __future__ import annotations

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import (
    Action,
    CommandOutcome,
    LedgerCommand,
    apply_commands,
    confirmed_removals,
    kinds_to_look_at,
    not_adoptable,
    read_command,
)
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Entry, Remote, State
from tests.support.builders import NOW, a_directory, an_entry, an_intent

pytestmark = pytest.mark.rule("D3", "G2")

SETTLE = 120_000
ADOPT = LedgerCommand(Action.ADOPT, "session/s1", 7)
FORGET = LedgerCommand(Action.FORGET, "session/s1")


def outcome(
    *orders: LedgerCommand,
    ledger: dict[str, Entry],
    rows: list[Remote] | None = None,
    kind: Kind = Kind.SESSION,
    now: int = NOW,
) -> CommandOutcome:
    directories: dict[Kind, Directory] = {kind: a_directory(*(rows or []))}
    return apply_commands(frozenset(orders), ledger, directories, now=now, settle_time=SETTLE, era=3)


CONFIRMED = LedgerCommand(Action.RETRY, "speaker/c 1#removal", 40, "The track was cancelled.")


@pytest.mark.rule("D4")
def test_a_confirmed_removal_names_the_swoogo_record() -> None:
    """A version without confirmations reads a retry in it."""
    assert confirmed_removals([CONFIRMED, ADOPT, LedgerCommand(Action.RETRY, "speaker/c2#removal")]) == {
        "speaker/c 1#removal": 40
    }


@pytest.mark.parametrize("order", [ADOPT, FORGET, LedgerCommand(Action.LIFT, "level/Gold and more"), CONFIRMED])
def test_an_order_survives_being_written(order: LedgerCommand) -> None:
    assert read_command(str(order)) == order


def test_only_an_adoption_needs_a_look_at_swoogo() -> None:
    assert kinds_to_look_at([ADOPT, FORGET, LedgerCommand(Action.LIFT, "speaker/c1")]) == {Kind.SESSION}


@pytest.mark.rule("D4")
@pytest.mark.parametrize("before", [an_intent("talk"), an_entry(5, state=State.GONE)])
def test_an_adopted_record_is_ours_and_nothing_is_known_of_its_fields(before: Entry) -> None:
    """So the next plan sends every field; what our create asked for stays ours to delete."""
    result = outcome(ADOPT, ledger={"session/s1": before}, rows=[Remote(7, "talk", {"name": "Talk"}, 70)])
    entry = result.changes["session/s1"]
    assert entry is not None
    assert (entry.state, entry.swoogo_id, entry.natural, entry.contact_id) == (State.APPLIED, 7, "talk", 70)
    assert (dict(entry.pushed), dict(entry.seen), entry.era, entry.at) == ({}, {}, 3, NOW)
    assert entry.op_id == (before.op_id if before.state is State.INTENT else "")
    assert result.done == {ADOPT}
    assert result.issues == ()


@pytest.mark.rule("S6")
@pytest.mark.parametrize("kind", [Kind.LOCATION, Kind.TRACK, Kind.LEVEL])
def test_an_adopted_place_keeps_the_name_that_swoogo_has(kind: Kind) -> None:
    """It is nothing but a name."""
    order, key = LedgerCommand(Action.ADOPT, f"{kind.value}/r1", 7), f"{kind.value}/r1"
    result = outcome(
        order, ledger={key: an_intent("hall 1")}, rows=[Remote(7, "hall 1", {"name": "HALL 1"})], kind=kind
    )
    entry = result.changes[key]
    assert entry is not None
    assert (entry.natural, dict(entry.pushed)) == ("hall 1", {"name": "HALL 1"})


@pytest.mark.parametrize(
    ("ledger", "rows", "detail"),
    [
        pytest.param({}, [], "the event in Swoogo has no session 7.", id="not in the event"),
        pytest.param(
            {"session/s2": an_entry(7)}, [Remote(7, "talk")], "7 in Swoogo is session s2.", id="of another session"
        ),
        pytest.param(
            {"session/s1": an_entry(9)}, [Remote(7, "talk")], "it is 9 in Swoogo already.", id="another meanwhile"
        ),
    ],
)
def test_what_cannot_be_adopted_is_told_and_changes_nothing(
    ledger: dict[str, Entry], rows: list[Remote], detail: str
) -> None:
    """Each Swoogo record belongs to one record of ours."""
    result = outcome(ADOPT, ledger={"session/s1": an_intent("talk"), **ledger}, rows=rows)
    assert result.changes == {}
    assert result.issues == (Issue("session/s1", Code.NOT_ADOPTED, detail=detail),)
    assert result.done == {ADOPT}


def test_an_adoption_that_happened_meanwhile_is_over() -> None:
    """And so is one that is carried out a second time after a crash."""
    assert outcome(ADOPT, ledger={"session/s1": an_entry(7)}, rows=[Remote(7, "")]) == CommandOutcome(
        {}, frozenset({ADOPT})
    )


@pytest.mark.rule("S5")
def test_rooms_may_share_a_location() -> None:
    """So one that another room has may be adopted."""
    order = LedgerCommand(Action.ADOPT, "location/r2", 7)
    assert not_adoptable(order, {"location/r1": an_entry(7), "location/r2": an_intent("hall")}) == ""


def test_a_create_is_forgotten_only_when_it_can_no_longer_take_effect() -> None:
    """Forgotten sooner it could be made twice; the order stays until then."""
    ledger = {"session/s1": an_intent("talk")}
    assert outcome(FORGET, ledger=ledger, now=NOW + SETTLE - 1) == CommandOutcome({}, frozenset(), (), NOW + SETTLE)
    assert outcome(FORGET, ledger=ledger, now=NOW + SETTLE) == CommandOutcome({"session/s1": None}, frozenset({FORGET}))


@pytest.mark.parametrize("entry", [an_entry(7), an_entry(7, state=State.GONE), None])
def test_nothing_but_an_unanswered_create_is_forgotten(entry: Entry | None) -> None:
    """What is in Swoogo would be made a second time."""
    ledger = {"session/s1": entry} if entry else {}
    assert outcome(FORGET, ledger=ledger, now=NOW + SETTLE) == CommandOutcome({}, frozenset({FORGET}))


def test_asked_for_both_the_record_is_adopted() -> None:
    result = outcome(ADOPT, FORGET, ledger={"session/s1": an_intent("talk")}, rows=[Remote(7, "t")], now=NOW + SETTLE)
    entry = result.changes["session/s1"]
    assert entry is not None
    assert entry.swoogo_id == 7
    assert result.done == {ADOPT, FORGET}


@pytest.mark.rule("S7", "D2")
def test_a_session_adopted_after_it_was_deleted_gets_its_speakers_anew() -> None:
    """The associations went with the deleted one."""
    ledger = {"session/s1": an_entry(5, state=State.GONE), "speaker/c1": an_entry(8, links=("s1", "s2"))}
    changes = outcome(ADOPT, ledger=ledger, rows=[Remote(7, "talk")]).changes
    speaker = changes["speaker/c1"]
    assert speaker is not None
    assert speaker.links == ("s2",)
