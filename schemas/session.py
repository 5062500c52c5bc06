"""Sessions topic: a session with its room, track and people (`sessionboard.md A.4, A.6, A.7`).

Guarantees: a session is readable whatever an admin typed. An unknown status, an end before its start, a
missing title or a speaker without e-mail validate here and become issues later (E1, E6, S4).
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from schemas.contact import Profile
from schemas.envelope import Metadata, Resource, ResourceChange
from schemas.fields import CustomFields, Named, NamedOrUnset
from schemas.wire import LARGEST_COUNT, Identifier, Text, Timestamp, UnsetIsEmpty, Unsettable, WireModel

Capacity = Annotated[int, Field(ge=0, le=LARGEST_COUNT)]


class Room(WireModel):
    """A room of the event; becomes a Swoogo location (S5)."""

    id: Identifier
    """The room's id."""
    name: Text = None
    """The room's name."""
    capacity: Annotated[Capacity | None, Unsettable] = None
    """Seats; used when capacity is mapped and the session has none of its own (S9)."""


class Track(WireModel):
    """A track of the event (S5)."""

    id: Identifier
    """The track's id."""
    name: Text = None
    """The track's name."""


class ParticipantRole(WireModel):
    """A role; custom roles count as their core category (E7)."""

    slug: Text = None
    """Stable within the event."""
    name: Text = None
    """What people see."""
    core_role: Text = None
    """`speaker`, `chairperson` or `moderator`."""


class SessionSpeaker(Profile):
    """A person on a session, with the copy of their contact that the session carries (P5)."""

    participant_role: Annotated[ParticipantRole | None, Unsettable] = None
    """The role on this session; without one the array says it."""
    acceptance_status: Text = None
    """Participant acceptance (`accepted`, `pending`, `declined`); left out where the event does not use it (E7)."""


class Participant(SessionSpeaker):
    """An entry of the flat list that also has the custom roles; it may carry no more than the contact's id."""

    session_participant_id: Text = None
    """Id of this participation, not of the person."""


class SessionResource(Resource):
    """A whole session. A field other than text that is left out counts as unset."""

    title: Text = None
    """Title; required to sync."""
    description: Text = None
    """Description, HTML."""
    status: Text = None
    """Status category; only `accepted` sessions are synced. Any text is readable."""
    starts_at: Annotated[Timestamp | None, Unsettable] = None
    """Start; null while unscheduled."""
    ends_at: Annotated[Timestamp | None, Unsettable] = None
    """End; null while unscheduled."""
    capacity: Annotated[Capacity | None, Unsettable] = None
    """The session's own capacity."""
    room: Annotated[Room | None, Unsettable] = None
    """Where it takes place."""
    track: Annotated[Track | None, Unsettable] = None
    """Its track."""
    custom_status: NamedOrUnset = None
    """The status by its own name, where it is a custom one; a field map and `publish` may name it."""
    format: NamedOrUnset = None
    """Its format: talk, panel, workshop, ..."""
    level: NamedOrUnset = None
    """Its level."""
    language: NamedOrUnset = None
    """The language it is held in."""
    tags: Annotated[tuple[Named, ...], UnsetIsEmpty] = ()
    """Its tags."""
    external_url: Text = None
    """Where it takes place when that is no room."""
    client_session_id: Text = None
    """The customer's own id."""
    custom_fields: CustomFields = ()
    """Custom fields of the session."""
    parent_session_id: Annotated[Identifier | None, Unsettable] = None
    """Set on a sub-session, which is ignored (E8)."""
    speakers: Annotated[tuple[SessionSpeaker, ...], UnsetIsEmpty] = ()
    """People of the speaker category."""
    chairpersons: Annotated[tuple[SessionSpeaker, ...], UnsetIsEmpty] = ()
    """People of the chairperson category."""
    moderators: Annotated[tuple[SessionSpeaker, ...], UnsetIsEmpty] = ()
    """People of the moderator category."""
    participants: Annotated[tuple[Participant, ...], UnsetIsEmpty] = ()
    """Everybody, custom roles included."""


class SessionMetadata(Metadata):
    """A session always belongs to an event."""

    event_id: Identifier
    """The Sessionboard event."""


class SessionChange(ResourceChange[SessionResource, SessionMetadata]):
    """A value of the sessions topic. It carries the session, whatever its action says."""
