"""The newest known Sessionboard state of one event, as far as a sync needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from consumer.domain.records.field_values import FieldValue


class Role(StrEnum):
    """Core category of a participant; custom roles count as theirs (E7)."""

    SPEAKER = "speaker"
    CHAIRPERSON = "chairperson"
    MODERATOR = "moderator"


ACCEPTED: Final = "accepted"
CATEGORIES: Final = frozenset({ACCEPTED, "accept_queue", "pending", "decline_queue", "declined"})
"""The five status categories (`sessionboard.md A.5`)."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A person's fields. `None`: not carried by this record; `""`: carried and empty.

    `unreadable`: names of the fields that are not carried because what came could not be read (E6). `extra`: what only
    a field map names, as in the other records (F2).
    """

    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    job_title: str | None = None
    company: str | None = None
    bio: str | None = None
    photo_url: str | None = None
    unreadable: tuple[str, ...] = ()
    extra: Mapping[str, FieldValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attendance:
    """A contact on a session, with the copy of the contact that the session carries (P5)."""

    contact_id: str
    role: Role = Role.SPEAKER
    profile: Profile = field(default_factory=Profile)
    acceptance: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A room or a track of the event: its own Sessionboard id and its name."""

    id: str
    name: str
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A session resource. `status` is the status category as sent; times are ms, `None` when unscheduled.

    `unreadable`: what counts as not set because it could not be read (E6), as `room.capacity`; `speakers[]` says that
    an entry of that list is left out.
    """

    id: str
    version: int = 0
    deleted: bool = False
    title: str = ""
    description: str | None = None
    status: str = ""
    starts_at: int | None = None
    ends_at: int | None = None
    room: Place | None = None
    track: Place | None = None
    capacity: int | None = None
    people: tuple[Attendance, ...] = ()
    unreadable: tuple[str, ...] = ()
    org_id: str = ""
    extra: Mapping[str, FieldValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact resource of the event."""

    id: str
    version: int = 0
    deleted: bool = False
    profile: Profile = field(default_factory=Profile)
    org_id: str = ""


@dataclass(frozen=True, slots=True)
class Sponsor:
    """A sponsor resource; `tier` becomes the sponsorship level (O1, O5). `unreadable` as that of a session."""

    id: str
    version: int = 0
    deleted: bool = False
    name: str = ""
    description: str | None = None
    website: str | None = None
    tier: str | None = None
    logo_url: str | None = None
    unreadable: tuple[str, ...] = ()
    org_id: str = ""
    extra: Mapping[str, FieldValue] = field(default_factory=dict)


Resource = Session | Contact | Sponsor


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All resources of one event by their Sessionboard id."""

    sessions: Mapping[str, Session] = field(default_factory=dict)
    contacts: Mapping[str, Contact] = field(default_factory=dict)
    sponsors: Mapping[str, Sponsor] = field(default_factory=dict)

    @property
    def organizations(self) -> frozenset[str]:
        """Whose event this is, as its records say that are not deleted; one that names none says nothing (M8)."""
        records: Iterable[Resource] = (*self.sessions.values(), *self.contacts.values(), *self.sponsors.values())
        return frozenset(each.org_id for each in records if each.org_id and not each.deleted)

    def deleted_contacts(self) -> dict[str, int]:
        """Contact id -> version of its deletion, ms."""
        return {contact.id: contact.version for contact in self.contacts.values() if contact.deleted}
