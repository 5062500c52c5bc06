"""What an event admin must know about one record: a stable code and a sentence to act on (N2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as field_of
from enum import StrEnum
from typing import Final

from consumer.domain.ledger import Remote


class Code(StrEnum):
    """Issue codes are part of the contract with people and dashboards: they never change meaning."""

    MISSING_FIELD = "missing_field"
    INVALID_TIME_RANGE = "invalid_time_range"
    UNKNOWN_STATUS = "unknown_status"
    DUPLICATE_EMAIL = "duplicate_email"
    AMBIGUOUS_MATCH = "ambiguous_match"
    NOT_ADOPTED = "not_adopted"
    FIELD_NOT_APPLIED = "field_not_applied"
    TEXT_TOO_LONG = "text_too_long"
    IMAGE_UNUSABLE = "image_unusable"
    REFUSED = "refused"
    NO_PERMISSION = "no_permission"
    GONE_IN_SWOOGO = "gone_in_swoogo"
    MULTI_DAY_CLAMPED = "multi_day_clamped"
    RENAMED_AFTER_SYNC = "renamed_after_sync"
    NAME_SHORTENED = "name_shortened"
    HAS_REGISTRANTS = "has_registrants"
    TOO_MANY_REMOVALS = "too_many_removals"
    EDITED_IN_SWOOGO = "edited_in_swoogo"
    MANY_MISSING = "many_missing"
    TIMEZONE_MISMATCH = "timezone_mismatch"


NOTICES: Final = frozenset(
    {
        Code.MULTI_DAY_CLAMPED,
        Code.RENAMED_AFTER_SYNC,
        Code.NAME_SHORTENED,
        Code.EDITED_IN_SWOOGO,
        Code.TIMEZONE_MISMATCH,
    }
)
"""Codes that report something done, not something left out."""

SENTENCES: Final[dict[Code, str]] = {
    Code.MISSING_FIELD: "{record} is not synced because its {field} is missing. Fill it in in Sessionboard.",
    Code.INVALID_TIME_RANGE: "{record} is not synced because it ends before it starts. Correct its times.",
    Code.UNKNOWN_STATUS: "{record} is not synced because its status category is none that we know. Give it one of the "
    "five built-in categories in Sessionboard.",
    Code.DUPLICATE_EMAIL: "{record} is not synced because another speaker has the same e-mail address ({detail}). "
    "Merge the two in Sessionboard or correct one address.",
    Code.AMBIGUOUS_MATCH: "Swoogo did not answer when {record} was created, and more than one record there may be it "
    "({detail}). Delete the extra ones in Swoogo, or have an operator say which one it is (`swoogo-sync ledger adopt "
    "EVENT {key} SWOOGO_ID`) or that it is none of them (`swoogo-sync ledger forget EVENT {key}`).",
    Code.NOT_ADOPTED: "{record} was not adopted as an operator asked: {detail} Look it up with `swoogo-sync ledger "
    "show EVENT {key}` and ask again.",
    Code.FIELD_NOT_APPLIED: "Swoogo accepted the change of {record} but did not keep its {field}. Check in Swoogo "
    "whether the field can be edited; it is sent again when it changes in Sessionboard.",
    Code.TEXT_TOO_LONG: "The {field} of {record} is left out because it is too long for Swoogo ({detail}). "
    "Shorten it in Sessionboard.",
    Code.IMAGE_UNUSABLE: "{record} is synced without its image ({field}): {detail} Put another one in Sessionboard.",
    Code.REFUSED: "Swoogo refused {record}: {detail} Correct it in Sessionboard; it is tried again when it changes.",
    Code.NO_PERMISSION: "Swoogo does not let this credential write {record}. Ask the owner of the Swoogo account to "
    "give its user access to the event.",
    Code.GONE_IN_SWOOGO: "{record} was deleted in Swoogo and is never synced again. If that was a mistake, an "
    "operator can lift the mark.",
    Code.MULTI_DAY_CLAMPED: "{record} runs over several dates; Swoogo shows it on its first date only.",
    Code.RENAMED_AFTER_SYNC: "{record} was renamed in Sessionboard after it was synced; Swoogo keeps the name "
    "{detail}. To change it, make a new one in Sessionboard and assign it to the sessions.",
    Code.NAME_SHORTENED: "The {field} of {record} is longer than Swoogo takes and was cut to {detail}.",
    Code.HAS_REGISTRANTS: "{record} is no longer accepted in Sessionboard and was to be deleted in Swoogo, but "
    "Swoogo keeps it: {detail} Move its registrants in Swoogo, or delete it there by hand.",
    Code.EDITED_IN_SWOOGO: "The {field} of {record} was edited in Swoogo. It stays as it is there until it changes in "
    "Sessionboard; edit it back in Swoogo to undo that.",
    Code.MANY_MISSING: "{record}: {detail} {field} are missing in Swoogo at once, which looks like a mistake, so "
    "none is taken for deleted. Restore them in Swoogo; if they were deleted on purpose, an operator can confirm it.",
    Code.TOO_MANY_REMOVALS: "{record} would lose {detail} {field} in Swoogo at once, which looks like a mistake, "
    "so none of them was deleted. Check them in Sessionboard; what is really to go can be deleted in Swoogo by hand.",
    Code.TIMEZONE_MISMATCH: "The time zones of {record} differ: {detail}. The schedule is right all the same, because "
    "every session is written with its own time zone; set the same zone on both sides to be rid of that.",
}


@dataclass(frozen=True, slots=True)
class Issue:
    """One thing to know about one record.

    `parked` is the fingerprint of an operation that Swoogo refused: it is not sent again while it is the same; `at` is
    since when (ms).
    """

    key: str
    code: Code
    field: str = ""
    detail: str = ""
    parked: str = ""
    at: int = field_of(default=0, compare=False)

    @property
    def notice(self) -> bool:
        """True when the record was synced all the same."""
        return self.code in NOTICES

    def sentence(self) -> str:
        """What an admin reads. Names the record by its Sessionboard id, never by personal data."""
        # What is about a speaker's associations is filed under `speaker/c1#sessions`.
        kind, _, identifier = self.key.partition("#")[0].partition("/")
        record = f"{kind.capitalize()} {identifier}"
        return SENTENCES[self.code].format(record=record, field=self.field, detail=self.detail, key=self.key)


def ambiguous_match(key: str, matches: Iterable[Remote]) -> Issue:
    """G2: each of these may be what an unanswered create made; a person decides which."""
    return Issue(key, Code.AMBIGUOUS_MATCH, detail=f"ids {', '.join(str(match.id) for match in matches)}")
