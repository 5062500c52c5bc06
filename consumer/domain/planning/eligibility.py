"""Who takes part in a sync, and why the others do not (E1-E6): also what an embargo or a rule holds back (F8)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from consumer.domain.connections.mapping import HoldRule, MappingSettings
from consumer.domain.fields.sources import source_value
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.records.identity import Kind, key_of
from consumer.domain.records.snapshot import ACCEPTED, CATEGORIES, Profile, Session
from consumer.domain.records.text import clean_email, clean_name, natural_name


class Reason(StrEnum):
    """Why a record is left out of a plan. Where an issue goes with it, the reason is the issue's code."""

    DELETED = "deleted"
    NOT_ACCEPTED = "not_accepted"
    ENDED = "ended"
    NO_ELIGIBLE_SESSION = "no_eligible_session"
    GONE = "gone_in_swoogo"
    SEALED = "sealed"
    PARKED = "parked"
    HELD_BACK = "held_back"
    FROZEN = "frozen"
    UNAPPROVED = "waiting_for_approval"
    WAITING = "waiting_for_swoogo"
    ISSUE = "issue"


@dataclass(frozen=True, slots=True)
class Skip:
    """A planned no-op. `issue` is set when somebody can do something about it."""

    key: str
    reason: Reason
    issue: Issue | None = None

    @property
    def label(self) -> str:
        """The reason as people see it: the issue's code where there is one."""
        return self.issue.code.value if self.issue else self.reason.value


ENDS: Final[Mapping[Reason, tuple[str, str]]] = {
    Reason.SEALED: (
        "It was synced before the organization disconnected; such sessions are not synced again.",
        "Make a new session in Sessionboard; change this one in Swoogo yourself.",
    ),
    Reason.PARKED: (
        "Swoogo refused this change before, and it is the same still.",
        "Change it in Sessionboard, remove in Swoogo what is in its way, or retry it.",
    ),
    Reason.FROZEN: ("What is new about it is frozen.", "It goes over when the freeze ends."),
    Reason.UNAPPROVED: ("Changes of this event wait until somebody approves them.", "Approve the plan."),
    Reason.WAITING: (
        "Swoogo did not answer when it was created; it may appear there still, and is looked for first.",
        "There is nothing to do: it is decided within minutes.",
    ),
    Reason.GONE: ("It was deleted in Swoogo.", "An operator lifts that, and it is created again."),
    Reason.ISSUE: ("Something about it has to be set right first.", "Look at its issues."),
}
"""Why, and what ends it, where that is the same for each record."""


def session_skip(session: Session, now: int) -> Skip | None:
    """Why this session is not synced, or None when it is eligible.

    Args:
        session: as Sessionboard last sent it.
        now: ms since the epoch.
    """
    key = key_of(Kind.SESSION, session.id)
    if session.deleted:
        return Skip(key, Reason.DELETED)
    if session.status != ACCEPTED:
        if session.status in CATEGORIES:
            return Skip(key, Reason.NOT_ACCEPTED)
        return Skip(key, Reason.ISSUE, Issue(key, Code.UNKNOWN_STATUS, field="status"))
    if not clean_name(session.title):
        return _missing(key, "title")
    if session.starts_at is None:
        return _missing(key, "starts_at")
    if session.ends_at is None:
        return _missing(key, "ends_at")
    if session.ends_at <= session.starts_at:
        return Skip(key, Reason.ISSUE, Issue(key, Code.INVALID_TIME_RANGE, field="ends_at"))
    if session.ends_at <= now:
        return Skip(key, Reason.ENDED)
    return None


def _missing(key: str, name: str) -> Skip:
    return Skip(key, Reason.ISSUE, Issue(key, Code.MISSING_FIELD, field=name))


def missing_person_field(profile: Profile) -> str:
    """The first required field a speaker lacks (E4), or an empty string."""
    for name, clean in (("first_name", clean_name), ("last_name", clean_name), ("email", clean_email)):
        if not clean(getattr(profile, name) or ""):
            return name
    return ""


def embargoed(settings: MappingSettings, now: int) -> bool:
    """Whether nothing of the event is sent yet; `now` in ms."""
    return settings.embargo_until is not None and now < settings.embargo_until


def held_back(key: str, record: Session | Profile, rules: Iterable[HoldRule]) -> Skip | None:
    """The skip of a record that a rule holds back; the first rule that applies says why."""
    for rule in rules:
        value = source_value(record, rule.source)
        names = {natural_name(text) for text in value[1]} if value else set()
        matching = not names.isdisjoint(map(natural_name, rule.values))
        if matching is not rule.others:
            why = "has none of the names" if rule.others else "has one of the names"
            issue = Issue(key, Code.HELD_BACK, field=rule.source, detail=f"its {rule.source} {why} that the rule lists")
            return Skip(key, Reason.HELD_BACK, issue)
    return None
