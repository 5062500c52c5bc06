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


NOTICES: Final = frozenset(
    {
        Code.UNREADABLE_FIELD,
        Code.UNREADABLE_ENTRY,
        Code.CONTENT_REMOVED,
        Code.MULTI_DAY_CLAMPED,
        Code.CLOCKS_SET_BACK,
        Code.RENAMED_AFTER_SYNC,
        Code.NAME_SHORTENED,
        Code.IMAGE_WAITING,
        Code.EDITED_IN_SWOOGO,
        Code.TIMEZONE_MISMATCH,
        Code.OLDER_PUBLISHED_LATER,
    }
)
"""Codes that report something done, not something left out."""

SENTENCES: Final[dict[Code, str]] = {
    Code.MISSING_FIELD: "{record} is not synced because its {field} is missing. Add it in Sessionboard.",
    Code.UNREADABLE_FIELD: "The {field} of {record} cannot be read and counts as not set. Enter it again in "
    "Sessionboard; if this notice stays, it is published outside of the contract: show this sentence to the "
    "people who run the service.",
    Code.UNREADABLE_ENTRY: "An entry of the {field} of {record} cannot be read and is left out. Enter it again in "
    "Sessionboard; if this notice stays, it is published outside of the contract: show this sentence to the "
    "people who run the service.",
    Code.INVALID_TIME_RANGE: "{record} is not synced because it does not end after it starts. Correct its times in "
    "Sessionboard.",
    Code.UNKNOWN_STATUS: "{record} is not synced because the category of its status is none of Sessionboard's five: "
    "accepted, accept queue, pending, decline queue, declined. Give it a status of one of them.",
    Code.DUPLICATE_EMAIL: "{record} is not synced because another speaker has the same e-mail address ({detail}). "
    "Merge the two in Sessionboard or correct one address.",
    Code.AMBIGUOUS_MATCH: "Swoogo did not answer when {record} was created, and it is not certain which of its records "
    "it became ({detail}). Ask an operator to say which one it is (`swoogo-sync ledger adopt EVENT {key} SWOOGO_ID`) "
    "or that it is none of them (`swoogo-sync ledger forget EVENT {key}`), or delete the extra ones in Swoogo.",
    Code.NOT_ADOPTED: "An operator asked to adopt a Swoogo record as {record}, which was not done: {detail} The "
    "operator can look it up with `swoogo-sync ledger show EVENT {key}` and ask again.",
    Code.FIELD_NOT_APPLIED: "Swoogo accepted the change of {record} but did not keep its {field}. Check in Swoogo "
    "whether the field can be edited; it is sent again when it changes in Sessionboard.",
    Code.TEXT_TOO_LONG: "The {field} of {record} is left out because it is too long for Swoogo ({detail}). "
    "Shorten it in Sessionboard.",
    Code.CONTENT_REMOVED: "{record} is synced, but of its {field} this is left out: {detail}. It could run code or "
    "show foreign pages. Put a link in its place in Sessionboard, or add it in Swoogo by hand.",
    Code.IMAGE_UNUSABLE: "{record} is synced without its {field}: {detail} If that stays so, put another one in "
    "Sessionboard.",
    Code.IMAGE_WAITING: "{record} is synced; its {field} has not arrived from its server yet. It is uploaded when it "
    "arrives; there is nothing to do.",
    Code.REFUSED: "Swoogo refused {record}: {detail} Correct it in Sessionboard, or in Swoogo what is in its way; it "
    "is tried again when it changes, and at the next comparison with Swoogo (without continuous sync: at the next "
    "manual sync).",
    Code.NO_PERMISSION: "Swoogo does not let the user of our API key write {record}. Ask the owner of the Swoogo "
    "account to give that user access to the event.",
    Code.GONE_IN_SWOOGO: "{record} was deleted in Swoogo and is not synced any more. If that was a mistake, ask an "
    "operator to have it made again (`swoogo-sync ledger lift EVENT {key}`).",
    Code.MULTI_DAY_CLAMPED: "{record} runs over several dates; Swoogo shows it on its first date only. To show the "
    "others, make a session for each in Sessionboard.",
    Code.CLOCKS_SET_BACK: "Clocks are set back while {record} runs, so they show no later time at its end than at its "
    "start. Swoogo shows it with its real length, until {detail} of the clock it started by. Nothing is to be done, "
    "unless it can be moved out of that hour.",
    Code.RENAMED_AFTER_SYNC: "{record} was renamed in Sessionboard after it was synced; Swoogo keeps the name "
    "{detail}. Rename it in Swoogo too (this notice stays), or make a new one in Sessionboard and assign it to the "
    "sessions.",
    Code.NAME_SHORTENED: "The {field} of {record} is longer than Swoogo takes and was cut to {detail}. Shorten it in "
    "Sessionboard if the cut is in the wrong place.",
    Code.HAS_REGISTRANTS: "{record} is deleted or no longer accepted in Sessionboard and was to be deleted in Swoogo, "
    "but Swoogo keeps it: {detail} Move its registrants in Swoogo and it is deleted at the next comparison, or delete "
    "it there by hand.",
    Code.EDITED_IN_SWOOGO: "The {field} of {record} was edited in Swoogo. It stays as it is there until it changes in "
    "Sessionboard; edit it back in Swoogo to undo that.",
    Code.MANY_MISSING: "{record}: {detail} {field} are missing in Swoogo at once, which looks like a mistake, so "
    "none is taken for deleted. Restore them in Swoogo; if they were deleted on purpose, ask an operator to confirm it "
    "(`swoogo-sync reconcile EVENT --confirm-deletions`).",
    Code.TOO_MANY_REMOVALS: "{record} would lose {detail} {field} in Swoogo at once, which looks like a mistake, "
    "so none of them was deleted. Check them in Sessionboard; if they are really to go, ask an operator to confirm it "
    "(`swoogo-sync ledger remove EVENT`).",
    Code.TIMEZONE_MISMATCH: "The time zones of {record} differ: {detail}. The schedule is right all the same, because "
    "every session is written with its own time zone; set the same zone on both sides to end this notice.",
    Code.OLDER_THAN_PUSHED: "{record} is left as it is in Swoogo: what Kafka now holds of it is older than what was "
    "pushed. Save it again in Sessionboard, so that its newest state is published.",
    Code.OLDER_PUBLISHED_LATER: "{record} was published again with another content and an earlier version; the newer "
    "version counts. If what Swoogo shows is not what Sessionboard shows, save it again in Sessionboard.",
}

_LABELS: Final = {
    "starts_at": "start time",
    "ends_at": "end time",
    "email": "e-mail address",
    "photo_url": "headshot",
    "logo_image_url": "logo",
}
"""What people call a field, where it is more than its name without underscores."""


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
        label = _LABELS.get(self.field, self.field.replace("_", " ").replace(".", " "))
        return SENTENCES[self.code].format(record=record, field=label, detail=self.detail, key=self.key)


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
