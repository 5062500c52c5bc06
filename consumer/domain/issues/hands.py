"""Whose hand an issue needs, and what that hand does: how the issues of an event are grouped for people (K1)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from consumer.domain.issues.issue import Code


class Hand(StrEnum):
    """What to do about an issue. The first three need somebody, in the order in which people look."""

    SESSIONBOARD = "sessionboard"
    SWOOGO = "swoogo"
    DECIDE = "decide"
    HELD = "held"
    EDITED = "edited"
    KNOW = "know"

    @property
    def needed(self) -> bool:
        """Whether the issue stays until somebody does something."""
        return self in _NEEDED

    @property
    def words(self) -> str:
        """As the heading of its issues."""
        return _WORDS[self]


_NEEDED: Final = frozenset({Hand.SESSIONBOARD, Hand.SWOOGO, Hand.DECIDE})
_WORDS: Final = {
    Hand.SESSIONBOARD: "Correct in Sessionboard",
    Hand.SWOOGO: "Look at it in Swoogo",
    Hand.DECIDE: "Decide",
    Hand.HELD: "Held on purpose",
    Hand.EDITED: "Edited in Swoogo",
    Hand.KNOW: "Good to know",
}
_HANDS: Final[Mapping[Code, Hand]] = {
    Code.FIELD_NOT_APPLIED: Hand.SWOOGO,
    Code.REFUSED: Hand.SWOOGO,
    Code.NO_PERMISSION: Hand.SWOOGO,
    Code.HAS_REGISTRANTS: Hand.SWOOGO,
    Code.UNKNOWN_CHOICE: Hand.SWOOGO,
    Code.FIELD_CHANGED: Hand.SWOOGO,
    Code.AMBIGUOUS_MATCH: Hand.DECIDE,
    Code.NOT_ADOPTED: Hand.DECIDE,
    Code.GONE_IN_SWOOGO: Hand.DECIDE,
    Code.TOO_MANY_REMOVALS: Hand.DECIDE,
    Code.PLAN_CHANGED: Hand.DECIDE,
    Code.MANY_MISSING: Hand.DECIDE,
    Code.HELD_BACK: Hand.HELD,
    Code.EDITED_IN_SWOOGO: Hand.EDITED,
    Code.OVERWRITTEN_IN_SWOOGO: Hand.EDITED,
    # Nothing can or has to be done about these, or what can be done leaves the line as it is.
    Code.IMAGE_WAITING: Hand.KNOW,
    Code.CLOCKS_SET_BACK: Hand.KNOW,
    Code.RENAMED_AFTER_SYNC: Hand.KNOW,
    Code.NAME_SHORTENED: Hand.KNOW,
    Code.TIMEZONE_MISMATCH: Hand.KNOW,
    Code.OLDER_PUBLISHED_LATER: Hand.KNOW,
}


def hand_of(code: Code) -> Hand:
    """Whose hand an issue of this code needs; what is about Sessionboard's data is corrected there."""
    return _HANDS.get(code, Hand.SESSIONBOARD)


def hands_needed(counts: Mapping[str, int]) -> int:
    """Of issues by code, those that need somebody; a code of a later version counts as one that does."""
    known = {code.value: code for code in Code}
    return sum(number for code, number in counts.items() if code not in known or hand_of(known[code]).needed)
