"""How something looks: colour and icon of a state, and a field's value as one bounded text without markup."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consumer.domain.explaining.sync_state import Became, SyncState
from consumer.domain.issues.issue import Hand
from consumer.domain.records.text import without_markup


@dataclass(frozen=True, slots=True)
class Look:
    """`css`: of `is-ok`, ...; `icon`: of the sprite; `words`: never colour alone."""

    css: str
    icon: str
    words: str


_STATES: Final = {
    SyncState.NEEDS_HAND: ("hand", "hand"),
    SyncState.NOT_CONNECTED: ("hand", "off"),
    SyncState.PUSHING: ("move", "push"),
    SyncState.WAITING: ("move", "wait"),
    SyncState.HELD: ("held", "held"),
    SyncState.IN_SYNC: ("ok", "ok"),
}
_SESSIONS: Final = {
    Became.IN_SWOOGO: ("ok", "ok"),
    Became.WAITING: ("move", "wait"),
    Became.HELD: ("held", "held"),
    Became.NEEDS_HAND: ("hand", "hand"),
    Became.EDITED: ("edit", "edit"),
    Became.GONE: ("gone", "gone"),
    Became.OVER: ("gone", "off"),
    Became.LEFT_OUT: ("gone", "off"),
}
_HANDS: Final = {Hand.HELD: ("held", "held"), Hand.EDITED: ("edit", "edit"), Hand.KNOW: ("gone", "wait")}
_OUTCOMES: Final = {
    "running": ("move", "push"),
    "completed": ("ok", "ok"),
    "completed_with_issues": ("hand", "hand"),
    "failed": ("hand", "hand"),
    "broken_off": ("hand", "off"),
}

LEGEND: Final = tuple(_SESSIONS)
"""In which order the legend of an agenda has its states."""


def of_state(state: SyncState) -> Look:
    return Look(*_STATES[state], state.words)


def of_session(became: Became) -> Look:
    return Look(*_SESSIONS[became], became.words)


def of_hand(hand: Hand) -> Look:
    """Of an issue, by the hand it needs."""
    return Look(*_HANDS.get(hand, ("hand", "hand")), hand.words)


def of_outcome(outcome: str) -> Look:
    return Look(*_OUTCOMES.get(outcome, ("gone", "off")), outcome.replace("_", " "))


HIDDEN: Final = "•••"
"""Stands for what people are called where the viewer is not to know (K4)."""
_TIMES: Final = frozenset({"start_time", "end_time"})


def shown_value(field: str, value: str, limit: int) -> str:
    """Cut to `limit` characters; of a whole minute without its seconds."""
    # A tag parts words: of two paragraphs the last and the first do not run into each other.
    text = " ".join(without_markup(value.replace("<", " <")).split()) if value.startswith("<") else value
    if field in _TIMES and text.endswith(":00"):
        text = text[:-3]
    return text if len(text) <= limit else text[: limit - 1] + "…"
