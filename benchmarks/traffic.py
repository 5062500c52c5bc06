"""Change events for the ingest benchmark: sessions and contacts in Sessionboard's own shape, 1.5 KB in the mean."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from sandbox.conference.model import Conference, Person, Room, Talk, Track
from sandbox.conference.records import Record, TopicNames
from sandbox.conference.sessionboard import Event, change, contact_resource, session_resource

_ORG: Final = "0d8c0a3e-51f5-4d6e-9c0f-6a5f1f0b7e11"
_NAMESPACE: Final = uuid.UUID("a4d2f3d1-6b8e-4f0e-8f8b-5f6d0f0a7c21")
_START: Final = datetime(2031, 3, 3, 9, tzinfo=UTC)
_PUBLISHED: Final = datetime(2031, 1, 6, 8, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Records of `events` conferences with `pairs` sessions and as many contacts each, in `versions` versions.

    They come conference by conference, and of one conference version by version, as a replay reads them.
    """

    events: int
    pairs: int
    versions: int = 1
    topics: TopicNames = field(default_factory=TopicNames)

    @property
    def count(self) -> int:
        """How many records."""
        return self.events * self.pairs * 2 * self.versions

    def records(self) -> Iterator[Record]:
        """All of them, in order."""
        for number in range(self.events):
            event = Event(id=9000 + number, org_id=_ORG, name=f"Conference {number}", timezone="Europe/London")
            for version in range(self.versions):
                conference = _conference(number, self.pairs, version)
                at = _PUBLISHED + timedelta(minutes=version)
                for person in conference.people.values():
                    data = contact_resource(person, event, updated_at=at)
                    yield _record(
                        self.topics.speakers, event, data["id"], change("contact", "updated", data, event, at)
                    )
                for talk in conference.talks.values():
                    data = session_resource(conference, talk, event, updated_at=at)
                    yield _record(
                        self.topics.sessions, event, data["id"], change("session", "updated", data, event, at)
                    )


def _conference(number: int, pairs: int, version: int) -> Conference:
    rooms = {f"room-{each}": Room(id=f"room-{each}", name=f"Hall {each}", capacity=200) for each in range(20)}
    tracks = {f"track-{each}": Track(id=f"track-{each}", name=f"Track {each}", color="#336699") for each in range(10)}
    people: dict[str, Person] = {}
    talks: dict[str, Talk] = {}
    for each in range(pairs):
        person_id = str(uuid.uuid5(_NAMESPACE, f"person/{number}/{each}"))
        people[person_id] = Person(
            id=person_id,
            first_name="Ada",
            last_name=f"Lovelace-{each}",
            email=f"ada.{number}.{each}@example.org",
            job_title=f"Engineer, level {version}",
            company="Analytical Engines",
            biography="<p>Writes programs for engines that are yet to be built.</p>",
        )
        talk_id = str(uuid.uuid5(_NAMESPACE, f"talk/{number}/{each}"))
        talks[talk_id] = Talk(
            id=talk_id,
            title=f"Talk {each} about engines, revision {version}",
            description="<p>What an engine can do, and what it cannot.</p>",
            starts_at=_START + timedelta(minutes=each % 2000),
            ends_at=_START + timedelta(minutes=each % 2000 + 45),
            room_id=f"room-{each % 20}",
            track_id=f"track-{each % 10}",
            speaker_ids=(person_id,),
        )
    return Conference(
        name=f"Conference {number}", timezone="Europe/London", rooms=rooms, tracks=tracks, people=people, talks=talks
    )


def _record(topic: str, event: Event, identifier: str, value: object) -> Record:
    return Record(topic, f"{event.id}/{identifier}".encode(), json.dumps(value, separators=(",", ":")).encode())
