"""A conference's schedule in no vendor's words: immutable, and compared by value.

Times are aware datetimes in the conference's zone, or None where the schedule has none. Descriptions
are HTML. Every id is stable over the revisions of one conference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Status = Literal["accepted", "accept_queue", "pending", "decline_queue", "declined"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A place; `capacity` in seats."""

    id: str
    name: str
    capacity: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A thematic strand; `color` as `#rrggbb`."""

    id: str
    name: str
    color: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may speak. An empty string is a field that was left empty."""

    id: str
    first_name: str
    last_name: str
    email: str
    job_title: str = ""
    company: str = ""
    biography: str = ""
    photo_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sponsor:
    """A sponsoring organization; `tier` as the organizers call it, e.g. `Gold`."""

    id: str
    name: str
    description: str = ""
    website_url: str = ""
    logo_url: str = ""
    tier: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """An entry of the programme. Rooms, tracks and people are named by their ids."""

    id: str
    title: str
    description: str = ""
    status: Status = "accepted"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    room_id: str | None = None
    track_id: str | None = None
    capacity: int | None = None
    speaker_ids: tuple[str, ...] = ()
    moderator_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conference:
    """One revision of a conference; every mapping goes from id to entry."""

    name: str
    timezone: str
    rooms: Mapping[str, Room] = field(default_factory=dict)
    tracks: Mapping[str, Track] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    talks: Mapping[str, Talk] = field(default_factory=dict)
    sponsors: Mapping[str, Sponsor] = field(default_factory=dict)
