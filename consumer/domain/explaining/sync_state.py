"""The state of an event, and of each of its sessions, in one word: pages and commands say the same (K1, K2)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class SyncState(StrEnum):
    """In the order of how much they ask for."""

    NEEDS_HAND = "needs_hand"
    NOT_CONNECTED = "not_connected"
    PUSHING = "pushing"
    WAITING = "waiting"
    HELD = "held"
    IN_SYNC = "in_sync"

    @property
    def words(self) -> str:
        """`Needs a hand`."""
        return _WORDS[self]


_WORDS: Final = {
    SyncState.NEEDS_HAND: "Needs a hand",
    SyncState.NOT_CONNECTED: "Not connected",
    SyncState.PUSHING: "Pushing",
    SyncState.WAITING: "Waiting",
    SyncState.HELD: "Held",
    SyncState.IN_SYNC: "In sync",
}


class Turn(StrEnum):
    SOMEBODY = "somebody"
    ITSELF = "itself"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class EventConditions:
    """What the state of an event follows from.

    Attributes:
        refused: Swoogo refuses the credential of its organization.
        changes: recorded and not pushed.
        hands: open issues that need somebody.
        failures: pushes in a row that failed.
        paused: calls with its credential are paused, because Swoogo is away.
        delayed: it waits for something after a loss of Redis.
        frozen: records of which something waits for the end of a freeze (U1).
        unapproved: records that wait until somebody approves the plan (U2).
        manual: what waits is sent only when somebody starts a sync (C4).
    """

    mapped: bool = True
    refused: bool = False
    working: bool = False
    calls: bool = False
    changes: int = 0
    hands: int = 0
    failures: int = 0
    paused: bool = False
    delayed: bool = False
    frozen: int = 0
    unapproved: int = 0
    manual: bool = False


def state_of(conditions: EventConditions) -> SyncState:
    """The first that holds: without a connection nothing moves, what moves is shown moving, and trouble before waiting.

    A worker that only compares an event with Swoogo changes nothing of its state.
    """
    if not conditions.mapped or conditions.refused:
        return SyncState.NOT_CONNECTED
    if conditions.working and (conditions.calls or conditions.changes):
        return SyncState.PUSHING
    if conditions.hands:
        return SyncState.NEEDS_HAND
    if conditions.failures or conditions.delayed or conditions.frozen or (conditions.changes and conditions.paused):
        return SyncState.HELD
    return SyncState.WAITING if conditions.changes or conditions.unapproved else SyncState.IN_SYNC


def turn_of(conditions: EventConditions) -> Turn:
    """Whose turn it is in that state; what waits for an approval or for a manual sync waits for somebody."""
    state = state_of(conditions)
    if state in {SyncState.NEEDS_HAND, SyncState.NOT_CONNECTED}:
        return Turn.SOMEBODY
    if state is SyncState.WAITING and (conditions.unapproved or conditions.manual):
        return Turn.SOMEBODY
    return Turn.DONE if state is SyncState.IN_SYNC else Turn.ITSELF


class Became(StrEnum):
    """What became of an accepted session; the first that holds. Everything else about it is on its record's page."""

    NEEDS_HAND = "needs_hand"
    GONE = "gone"
    WAITING = "waiting"
    HELD = "held"
    EDITED = "edited"
    OVER = "over"
    LEFT_OUT = "left_out"
    IN_SWOOGO = "in_swoogo"

    @property
    def words(self) -> str:
        """`Deleted in Swoogo`."""
        return _SESSION_WORDS[self]


_SESSION_WORDS: Final = {
    Became.NEEDS_HAND: "Needs a hand",
    Became.GONE: "Deleted in Swoogo",
    Became.WAITING: "Waiting",
    Became.HELD: "Held on purpose",
    Became.EDITED: "Edited in Swoogo",
    Became.OVER: "Over before it was synced",
    Became.LEFT_OUT: "Left out",
    Became.IN_SWOOGO: "In Swoogo",
}


@dataclass(frozen=True, slots=True)
class SessionConditions:
    """What is known of one accepted session.

    Attributes:
        live: in Swoogo and ours.
        changed: its newest change was not pushed.
        hands: open issues about it that need somebody, but for that it was deleted in Swoogo.
        held: frozen, or held back by a rule or by the embargo of its event.
        ended: before now.
    """

    live: bool = False
    gone: bool = False
    changed: bool = False
    hands: int = 0
    held: bool = False
    edited: bool = False
    ended: bool = False


def became(known: SessionConditions) -> Became:
    for state, holds in (
        (Became.NEEDS_HAND, known.hands > 0),
        (Became.GONE, known.gone),
        (Became.HELD, known.held),
        (Became.WAITING, known.changed),
        (Became.EDITED, known.edited),
        (Became.IN_SWOOGO, known.live),
        (Became.OVER, known.ended),
    ):
        if holds:
            return state
    return Became.LEFT_OUT
