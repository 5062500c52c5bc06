"""A conference in Sessionboard's words: resources and change-event envelopes (`sessionboard.md A.4-A.8, B.2`).

Pure. The encoding quirks of the real thing are kept on purpose: an unassigned single-select is `{}` in
one place and null in another, times come with `Z` and with a numeric offset (`sessionboard.md A.4`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sandbox.conference.model import Conference, Person, Sponsor, Talk

Json = dict[str, Any]
Kind = Literal["session", "contact", "sponsor"]

ENVELOPE_VERSION: Final = 1
_API: Final = "https://public-api.sessionboard.com/v1"
_APP: Final = "https://app.sessionboard.com"
_CREATED_AT: Final = "2025-01-10T14:30:00.000+00:00"
_COLLECTION: Final[dict[Kind, str]] = {"session": "sessions", "contact": "contacts", "sponsor": "sponsors"}
_ROLE_NAMES: Final = {"speaker": "Speaker", "moderator": "Moderator", "chairperson": "Chairperson"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The Sessionboard event a conference is published as: integer id, organization UUID (A.1)."""

    id: int
    org_id: str
    name: str
    timezone: str

    @classmethod
    def of(cls, conference: Conference, *, event_id: int, org_id: str) -> Event:
        """The event of a conference."""
        return cls(id=event_id, org_id=org_id, name=conference.name, timezone=conference.timezone)


def session_resource(conference: Conference, talk: Talk, event: Event, *, updated_at: datetime) -> Json:
    """The full session, with room and track as objects and the people in it (`sessionboard.md A.4`)."""
    people = conference.people
    speakers = [people[each] for each in talk.speaker_ids if each in people]
    moderators = [people[each] for each in talk.moderator_ids if each in people]
    number = _friendly_number(talk.id)
    return {
        "id": talk.id,
        "friendly_id": f"SESS-{number}",
        "friendly_id_raw": number,
        "title": talk.title,
        "description": talk.description or None,
        "status": talk.status,
        "custom_status_id": None,
        "custom_status": None,
        "starts_at": _zulu(talk.starts_at),
        "ends_at": _zulu(talk.ends_at),
        "is_public": True,
        "is_abstract": False,
        "composition_status": {
            "role": "standalone",
            "is_linked": False,
            "is_read_only": False,
            "source_count": 0,
            "target": None,
        },
        "external_url": None,
        "client_session_id": None,
        "ceu_credits": None,
        "capacity": talk.capacity,
        "room": _room(conference, talk.room_id),
        "track": _track(conference, talk.track_id, event),
        "level": {},
        "language": None,
        "format": {},
        "tags": [],
        "content": [],
        "custom_fields": [],
        "speakers": [_session_person(each, "speaker", order, event) for order, each in enumerate(speakers, 1)],
        "chairpersons": [],
        "moderators": [_session_person(each, "moderator", order, event) for order, each in enumerate(moderators, 1)],
        "participants": [
            *_participants(talk, speakers, "speaker", event),
            *_participants(talk, moderators, "moderator", event),
        ],
        "sponsors": [],
        "exhibitors": [],
        "subsessions": [],
        "created_at": _CREATED_AT,
        "updated_at": _offset(updated_at),
        "admin_url": f"{_APP}/event/{event.id}/sessions/{talk.id}",
    }


def contact_resource(person: Person, event: Event, *, updated_at: datetime) -> Json:
    """The full contact: `title` is the job title, `about` the biography (`sessionboard.md A.7`)."""
    return {
        **_profile(person),
        "phone_mobile": None,
        "website_url": None,
        "custom_fields": [],
        "created_at": _CREATED_AT,
        "updated_at": _offset(updated_at),
        "admin_url": f"{_APP}/event/{event.id}/contacts/{person.id}",
    }


def sponsor_resource(sponsor: Sponsor, event: Event, *, updated_at: datetime) -> Json:
    """The full sponsor (`sessionboard.md A.8`).

    Nowhere public says where the tier is, so half of the sponsors carry it as a field and half as a custom one.
    """
    number = _friendly_number(sponsor.id)
    resource: Json = {
        "id": sponsor.id,
        "friendly_id": f"ACCT-{number}",
        "friendly_id_raw": number,
        "name": sponsor.name,
        "description": sponsor.description or None,
        "logo_image_url": sponsor.logo_url or None,
        "banner_image_url": None,
        "website_url": sponsor.website_url or None,
        "address_coutnry": "US",
        "custom_fields": [],
        "contacts": [],
        "created_at": _CREATED_AT,
        "updated_at": _offset(updated_at),
        "admin_url": f"{_APP}/event/{event.id}/sponsors/{sponsor.id}",
    }
    if number % 2:
        resource["tier"] = sponsor.tier or None
    else:
        resource["custom_fields"] = [
            {
                "id": f"tier-{event.id}",
                "name": "Tier",
                "internal_name": "tier",
                "type": "dropdown",
                "value": sponsor.tier or None,
            }
        ]
    return resource


def envelope(action: str, data: Json, *, org_id: str, event_id: int | None, url: str | None, at: datetime) -> Json:
    """`{"data": ..., "metadata": ...}`, version 1 (`sessionboard.md B.2`); `event_id` null above events."""
    return {
        "data": data,
        "metadata": {
            "action": action,
            "actor_id": 7,
            "event_id": event_id,
            "org_id": org_id,
            "resource_url": url,
            "version": ENVELOPE_VERSION,
            "datetime": _zulu(at),
        },
    }


def change(kind: Kind, verb: Literal["created", "updated", "deleted"], data: Json, event: Event, at: datetime) -> Json:
    """The envelope of one changed resource, e.g. `session.updated`."""
    url = f"{_API}/event/{event.id}/{_COLLECTION[kind]}/{data['id']}"
    return envelope(f"{kind}.{verb}", data, org_id=event.org_id, event_id=event.id, url=url, at=at)


def _profile(person: Person) -> Json:
    number = _friendly_number(person.id)
    return {
        "id": person.id,
        "friendly_id": f"CONT-{number}",
        "friendly_id_raw": number,
        "full_name": f"{person.first_name} {person.last_name}".strip(),
        "first_name": person.first_name or None,
        "last_name": person.last_name or None,
        "email": person.email or None,
        "photo_url": person.photo_url or None,
        "company_name": person.company or None,
        "title": person.job_title or None,
        "about": person.biography or None,
    }


def _session_person(person: Person, role: str, order: int, event: Event) -> Json:
    return {**_profile(person), "order": order, "is_public": True, "participant_role": _role(role, event)}


def _participants(talk: Talk, people: Iterable[Person], role: str, event: Event) -> list[Json]:
    return [
        {
            "session_participant_id": f"{talk.id}/{person.id}/{role}",
            "id": person.id,
            "participant_role": _role(role, event),
        }
        for person in people
    ]


def _role(role: str, event: Event) -> Json:
    name = _ROLE_NAMES[role]
    return {"id": f"{role}-{event.id}", "slug": role, "name": name, "name_plural": f"{name}s", "core_role": role}


def _room(conference: Conference, room_id: str | None) -> Json:
    room = conference.rooms.get(room_id) if room_id else None
    return {"id": room.id, "name": room.name, "order": 1, "capacity": room.capacity} if room else {}


def _track(conference: Conference, track_id: str | None, event: Event) -> Json | None:
    track = conference.tracks.get(track_id) if track_id else None
    if track is None:
        return None
    return {"id": track.id, "event_id": event.id, "name": track.name, "color": track.color, "order": 1}


def _friendly_number(own_id: str) -> int:
    # Display only; a clash of two numbers means nothing, as it does in Sessionboard after a change of prefix.
    return zlib.crc32(own_id.encode()) % 90_000 + 1


def _zulu(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _offset(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
