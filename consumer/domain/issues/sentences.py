"""Issues in words, for two readers: an event admin, who works in Sessionboard and Swoogo, and an operator (N2).

Guarantees: a sentence for admins names records by title, never by id, and holds no command and no status code; one
for operators has the key that commands take. Neither holds personal data: a speaker is "a speaker of" a session.
"""

from __future__ import annotations

from typing import Final

from consumer.domain.errors import NO_REASON
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.sentence_templates import ADDRESS_TAKEN, REFUSED_WITHOUT_REASON, SENTENCES

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
