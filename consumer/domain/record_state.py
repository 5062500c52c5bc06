"""What became of a record, in one word: on the agenda, in tables, and above its page."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from consumer.domain.eligibility import Reason, Skip
from consumer.domain.issue import Code, Effect, Issue
from consumer.domain.ledger import Entry, State


class RecordState(StrEnum):
    """What became of a record, in one word: the first that holds, in this order."""

    NEEDS_HAND = "needs_a_hand"
    DELETED_IN_SWOOGO = "deleted_in_swoogo"
    WAITING = "waiting"
    HELD = "held"
    EDITED = "edited"
    IN_SWOOGO = "in_swoogo"
    LEFT_OUT = "left_out"


_NO_HAND: Final = frozenset({Code.HELD_BACK, Code.GONE_IN_SWOOGO, Code.IMAGE_WAITING})
"""Codes with another state than `needs_a_hand`: a person decided so, or it comes by itself."""


def record_state(entry: Entry | None, skip: Skip | None, issues: Iterable[Issue], *, sends: bool) -> RecordState:
    """The one state of a record. `sends`: something of it is to be sent."""
    codes = {each.code: each.effect for each in issues}
    if any(effect is not Effect.COMPLETE and code not in _NO_HAND for code, effect in codes.items()):
        return RecordState.NEEDS_HAND
    if entry is not None and entry.state is State.GONE:
        return RecordState.DELETED_IN_SWOOGO
    reason = skip.reason if skip else None
    if (sends and skip is None) or reason is Reason.WAITING:
        return RecordState.WAITING
    if reason is Reason.HELD_BACK:
        return RecordState.HELD
    if entry is not None and entry.live:
        return RecordState.EDITED if Code.EDITED_IN_SWOOGO in codes else RecordState.IN_SWOOGO
    return RecordState.LEFT_OUT
