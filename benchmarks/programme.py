"""A conference of a given size, for the push benchmarks: every session has a room, a track and a speaker."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.conference.model import Conference, Person, Room, Talk, Track

ZONE: Final = "Europe/London"
_NAMESPACE: Final = uuid.UUID("5f1f9f64-93cc-4f5d-a4b2-3f1d0c1b7e52")
_SLOTS: Final = 40
_TEXT: Final = "<p>What an engine can do, and what it cannot.</p>"


def programme(*, sessions: int, speakers: int, rooms: int, tracks: int, name: str = "Engines") -> Conference:
    """Sessions in the future, spread over rooms, tracks and speakers.

    Raises ValueError for more speakers than sessions.
    """
    if speakers > sessions:
        raise ValueError("Every speaker needs a session.")
    start = (datetime.now(UTC) + timedelta(days=60)).replace(hour=9, minute=0, second=0, microsecond=0)
    people = {
        own_id: Person(
            id=own_id,
            first_name="Ada",
            last_name=f"Lovelace-{number}",
            email=f"ada.{number}@example.org",
            job_title="Engineer",
            company="Analytical Engines",
        )
        for number in range(speakers)
        for own_id in [_id(name, "person", number)]
    }
    own_ids = list(people)
    talks = {
        own_id: Talk(
            id=own_id,
            title=f"Talk {number} about engines",
            description=_TEXT,
            starts_at=start + timedelta(minutes=15 * (number % _SLOTS)),
            ends_at=start + timedelta(minutes=15 * (number % _SLOTS) + 15),
            room_id=f"room-{number % rooms}" if rooms else None,
            track_id=f"track-{number % tracks}" if tracks else None,
            speaker_ids=(own_ids[number % speakers],) if speakers else (),
        )
        for number in range(sessions)
        for own_id in [_id(name, "talk", number)]
    }
    return Conference(
        name=name,
        timezone=ZONE,
        rooms={f"room-{number}": Room(id=f"room-{number}", name=f"Hall {number}") for number in range(rooms)},
        tracks={f"track-{number}": Track(id=f"track-{number}", name=f"Track {number}") for number in range(tracks)},
        people=people,
        talks=talks,
    )


def _id(name: str, kind: str, number: int) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{name}/{kind}/{number}"))
