"""The sessions of an event as people look at its programme: what became of each, in one word (K1)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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
        return _WORDS[self]


_WORDS: Final = {
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
class Known:
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


def became(known: Known) -> Became:
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
