"""Issues in words, for two readers: an event admin, who works in Sessionboard and Swoogo, and an operator (N2).

Guarantees: a sentence for admins names records by title, never by id, and holds no command and no status code; one
for operators has the key that commands take. Neither holds personal data: a speaker is "a speaker of" a session. The
issues of a record are published together, where that is news.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from consumer.domain.errors import NO_REASON
from consumer.domain.issues.issue import OPERATORS_ONLY, Code, Effect, Issue
from consumer.domain.issues.sentence_templates import ADDRESS_TAKEN, REFUSED_WITHOUT_REASON, SENTENCES
from consumer.domain.records.text import masked

_LABELS: Final = {
    "starts_at": "start time",
    "ends_at": "end time",
    "start_time": "start time",
    "end_time": "end time",
    "email": "e-mail address",
    "bio": "biography",
    "photo_url": "headshot",
    "logo_image_url": "logo",
}
"""What people call a field, where it is more than its name without underscores."""

_KINDS: Final = {
    "session": "a session",
    "speaker": "a speaker",
    "sponsor": "a sponsor",
    "location": "a room",
    "track": "a track",
    "level": "a sponsorship level",
    "event": "this event",
}
"""What a record is called of which no more is known."""

_REASONS: Final = {
    "no_eligible_session": "without an eligible session",
    "gone_in_swoogo": "deleted in Swoogo",
    "sealed": "synced before a disconnect",
    "parked": "refused before and unchanged",
    "held_back": "held back",
    "frozen": "frozen",
    "waiting_for_approval": "waiting for approval",
    "waiting_for_swoogo": "waiting for Swoogo",
}


def for_admin(issue: Issue) -> str:
    """What an event admin reads. Names records by what people call them, see `domain.issues.labels`."""
    template = SENTENCES[issue.code].admin
    if issue.code is Code.REFUSED and issue.detail == NO_REASON:
        template = REFUSED_WITHOUT_REASON
    return _filled(template, issue, _called(issue.record, issue.label), _called(issue.other, issue.other_label))


def for_operator(issue: Issue, event_id: str) -> str:
    """What an operator reads: with the key of the record, and with commands about this event."""
    template = SENTENCES[issue.code].operator
    if issue.code is Code.REFUSED and issue.detail == NO_REASON:
        template = template.replace(": {detail}", " without a reason.")
    label = f"{_called(issue.record, issue.label)} [{issue.record}]"
    other = f"{_called(issue.other, issue.other_label)} [{issue.other}]"
    return _filled(template, issue, label, other, event_id)


def field_label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").replace(".", " "))


def reason_words(label: str) -> str:
    """A reason for leaving records out, or an issue's code, so that a count can stand before it: `not accepted`."""
    return _REASONS.get(label, label.replace("_", " "))


def _filled(template: str, issue: Issue, label: str, other: str, event_id: str = "") -> str:
    if issue.code is Code.REFUSED and issue.other:
        template = template.replace("{detail}", "{detail}" + ADDRESS_TAKEN, 1)
    kind = issue.record.partition("/")[0]
    if issue.code is Code.DUPLICATE_EMAIL:
        other = f"another {other.removeprefix('a ')}"
    part = {
        "sessions": "the sessions of ",
        "image": f"the {field_label(issue.field) if issue.field else 'image'} of ",
        "removal": "the deletion of ",
    }.get(issue.part, "")
    return template.format(
        record=label,
        Record=_capitalized(label),
        what=part + label,
        sent=(part.removesuffix(" of ") or "it"),
        out="is in Swoogo, but its changes are not synced" if issue.live else "is not in Swoogo",
        it="the person" if kind == "speaker" else "it",
        other=other,
        Other=_capitalized(other),
        field=field_label(issue.field),
        name=issue.field,
        detail=issue.detail,
        hint=f" {issue.hint}" if issue.hint else "",
        key=issue.key,
        event=event_id,
    )


def _called(key: str, label: str) -> str:
    return label or _KINDS.get(key.partition("/")[0], "a record")


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class PublishedIssue:
    code: Code
    effect: Effect
    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class RecordIssues:
    """What stands for one record.

    Attributes:
        key: of the record, as in the ledger: `session/s1`, or `event/ev` for the event as a whole.
        title: what people call it, see `domain.issues.labels`.
        issues: at least one; what leaves the record out comes first.
    """

    key: str
    title: str
    issues: tuple[PublishedIssue, ...]

    @property
    def digest(self) -> str:
        """Tells whether it is what was published before."""
        parts = [self.title]
        for each in self.issues:
            parts += (each.code.value, each.effect.value, each.field, each.sentence)
        return blake2b("\x1f".join(parts).encode(errors="replace"), digest_size=12).hexdigest()


def by_record(issues: Iterable[Issue]) -> dict[str, RecordIssues]:
    """Record key -> what an event admin must know about it; what only operators asked for is left out."""
    found: dict[str, list[Issue]] = defaultdict(list)
    for issue in issues:
        if issue.code not in OPERATORS_ONLY:
            found[issue.record].append(issue)
    return {key: _of_record(key, found[key]) for key in sorted(found)}


def news(wanted: Mapping[str, RecordIssues], published: Mapping[str, str]) -> dict[str, RecordIssues | None]:
    """What differs from what was published: record key -> its issues, or None where nothing stands any more.

    `published`: record key -> digest of the value on the topic; anything else where that is not known.
    """
    gone = dict.fromkeys(sorted(published.keys() - wanted.keys()))
    return {**gone, **{key: each for key, each in wanted.items() if published.get(key) != each.digest}}


def _of_record(key: str, issues: list[Issue]) -> RecordIssues:
    ordered = sorted(issues, key=lambda each: (each.effect.rank, each.code, each.key, each.field))
    title = next((each.label for each in ordered if each.label), "")
    published = (PublishedIssue(each.code, each.effect, each.field, masked(for_admin(each))) for each in ordered)
    # Of several parts of one record (its sessions, its headshot) the sentences may be the same.
    return RecordIssues(key, title, tuple(dict.fromkeys(published)))
