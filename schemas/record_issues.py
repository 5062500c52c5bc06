"""What an event admin must know about one record, as the issues topic and the answer to a manual sync carry it (N2).

Guarantees: ids, titles, rooms, dates and sentences, never a person's name or e-mail address.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.wire import Code, Identifier, WireModel

Words = Annotated[str, StringConstraints(min_length=1)]


class RecordKind(StrEnum):
    """What a record is; `event` for what concerns the event as a whole."""

    SESSION = "session"
    SPEAKER = "speaker"
    SPONSOR = "sponsor"
    LOCATION = "location"
    TRACK = "track"
    LEVEL = "level"
    EVENT = "event"


class Effect(StrEnum):
    """What an issue means for its record in Swoogo; those that need somebody most come first."""

    LEFT_OUT = "left_out"
    PARTIAL = "partial"
    COMPLETE = "complete"


class RecordIssue(WireModel):
    """One thing to know about a record."""

    code: Code
    """What it is. Codes are an open list: show the sentence of one you do not know."""
    effect: Effect
    """`left_out`: the record, or its newest change, is not in Swoogo. `partial`: it is, but not all of it. `complete`:
    it is there as it should be, and there is something to know about it."""
    field: str = ""
    """Which field, by its name in Sessionboard; empty where it is about more than one."""
    sentence: Words
    """What is wrong and what to do, for an event admin, in English."""


class RecordIssues(WireModel):
    """Everything to know about one record now."""

    event_id: Identifier
    """The Sessionboard event."""
    kind: RecordKind
    """What the record is."""
    id: Words
    """Its Sessionboard id; of a speaker that of the contact, of a level its name, of the event the event id."""
    title: str = ""
    """What people call it, such as `"Opening keynote" (Hall A, 12 Oct)`; of a speaker by a session, never by name.
    Empty where nothing is known."""
    issues: Annotated[tuple[RecordIssue, ...], Field(min_length=1)]
    """At least one; what leaves the record out comes first."""
