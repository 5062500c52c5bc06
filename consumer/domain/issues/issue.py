"""What an event admin must know about one record: a stable code, what it means, and whose hand it needs (N2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from enum import StrEnum
from typing import Final

from consumer.domain.records.ledger import Remote


class Code(StrEnum):
    """Issue codes are part of the contract with people and dashboards: they never change meaning."""

    MISSING_FIELD = "missing_field"
    UNREADABLE_FIELD = "unreadable_field"
    UNREADABLE_ENTRY = "unreadable_entry"
    INVALID_TIME_RANGE = "invalid_time_range"
    UNKNOWN_STATUS = "unknown_status"
    DUPLICATE_EMAIL = "duplicate_email"
    AMBIGUOUS_MATCH = "ambiguous_match"
    NOT_ADOPTED = "not_adopted"
    FIELD_NOT_APPLIED = "field_not_applied"
    TEXT_TOO_LONG = "text_too_long"
    CONTENT_REMOVED = "content_removed"
    IMAGE_UNUSABLE = "image_unusable"
    IMAGE_WAITING = "image_waiting"
    REFUSED = "refused"
    NO_PERMISSION = "no_permission"
    GONE_IN_SWOOGO = "gone_in_swoogo"
    MULTI_DAY_CLAMPED = "multi_day_clamped"
    CLOCKS_SET_BACK = "clocks_set_back"
    RENAMED_AFTER_SYNC = "renamed_after_sync"
    NAME_SHORTENED = "name_shortened"
    HAS_REGISTRANTS = "has_registrants"
    TOO_MANY_REMOVALS = "too_many_removals"
    EDITED_IN_SWOOGO = "edited_in_swoogo"
    MANY_MISSING = "many_missing"
    TIMEZONE_MISMATCH = "timezone_mismatch"
    OLDER_THAN_PUSHED = "older_than_pushed"
    OLDER_PUBLISHED_LATER = "older_published_later"
    FIELD_MAP_INVALID = "field_map_invalid"
    FIELD_CHANGED = "field_changed"
    UNKNOWN_CHOICE = "unknown_choice"
    VALUE_NOT_FITTING = "value_not_fitting"
    OVERWRITTEN_IN_SWOOGO = "overwritten_in_swoogo"
    HELD_BACK = "held_back"
    PLAN_CHANGED = "plan_changed"


class Effect(StrEnum):
    """What an issue means for the record in Swoogo; those that need somebody most come first."""

    LEFT_OUT = "left_out"
    PARTIAL = "partial"
    COMPLETE = "complete"

    @property
    def rank(self) -> int:
        """0 comes first."""
        return list(Effect).index(self)


_PARTIAL: Final = frozenset(
    {
        Code.UNREADABLE_FIELD,
        Code.UNREADABLE_ENTRY,
        Code.FIELD_NOT_APPLIED,
        Code.TEXT_TOO_LONG,
        Code.CONTENT_REMOVED,
        Code.IMAGE_UNUSABLE,
        Code.IMAGE_WAITING,
        Code.MULTI_DAY_CLAMPED,
        Code.NAME_SHORTENED,
        Code.FIELD_MAP_INVALID,
        Code.FIELD_CHANGED,
        Code.UNKNOWN_CHOICE,
        Code.VALUE_NOT_FITTING,
    }
)
_COMPLETE: Final = frozenset(
    {
        Code.CLOCKS_SET_BACK,
        Code.RENAMED_AFTER_SYNC,
        Code.EDITED_IN_SWOOGO,
        Code.TIMEZONE_MISMATCH,
        Code.OLDER_PUBLISHED_LATER,
        Code.OVERWRITTEN_IN_SWOOGO,
    }
)

OPERATORS_ONLY: Final = frozenset({Code.NOT_ADOPTED})
"""Codes about what an operator asked for: no event admin has to know, so they are not published."""


def effect_of(code: Code) -> Effect:
    """`left_out`: the record, or its newest change, is not in Swoogo. `partial`: it is, but not all of it. `complete`:
    it is there as it should be, and there is something to know about it.
    """
    if code in _PARTIAL:
        return Effect.PARTIAL
    return Effect.COMPLETE if code in _COMPLETE else Effect.LEFT_OUT


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to know about one record. `domain.issues.sentences` puts it into words.

    Attributes:
        key: of the record; `#sessions`, `#image` or `#removal` after it where it is about that part of it alone.
        detail: what else there is to say; no personal data.
        parked: fingerprint of an operation that Swoogo refused: it is not sent again while it is the same.
        other: key of another record that it is about.
        hint: what only operators read: a status code, a setting.
        label, other_label: what people call the two records, see `domain.issues.labels`.
        live: the record is in Swoogo.
        at: since when the operation is parked, ms.
        rounds: how often it was refused again when a person had it retried (U5).
    """

    key: str
    code: Code
    field: str = ""
    detail: str = ""
    parked: str = ""
    other: str = ""
    hint: str = field_of(default="", compare=False)
    label: str = field_of(default="", compare=False)
    other_label: str = field_of(default="", compare=False)
    live: bool = field_of(default=False, compare=False)
    at: int = field_of(default=0, compare=False)
    rounds: int = field_of(default=0, compare=False)

    @property
    def id(self) -> str:
        """One issue for each record, code and field."""
        return f"{self.key}|{self.code.value}|{self.field}"

    @property
    def record(self) -> str:
        return self.key.partition("#")[0]

    @property
    def part(self) -> str:
        """`sessions`, `image`, `removal`, or "" for the record as a whole."""
        return self.key.partition("#")[2]

    @property
    def effect(self) -> Effect:
        return effect_of(self.code)


def unreadable_fields(key: str, names: Iterable[str]) -> list[Issue]:
    """E6: what of a record counts as not set, because it cannot be read; `names` as in the snapshot."""
    return [
        Issue(key, Code.UNREADABLE_ENTRY, field=name.removesuffix("[]"))
        if name.endswith("[]")
        else Issue(key, Code.UNREADABLE_FIELD, field=name)
        for name in names
    ]


def ambiguous_match(key: str, matches: Iterable[Remote]) -> Issue:
    """G2: each of these may be what an unanswered create made; a person decides which."""
    return Issue(key, Code.AMBIGUOUS_MATCH, detail=f"ids {', '.join(str(match.id) for match in matches)}")


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
