"""The conference of a run, its organization and event, and how they come into Swoogo."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from sandbox.conference.model import Conference, Person, Room, Sponsor, Talk, Track
from sandbox.swoogo.server import SandboxSwoogo
from tests.chaos.machine import EPOCH

ORG_ID: Final = "757e8d5b-ce66-45f5-ab36-273414f8ab2f"
EVENT_ID: Final = 4001
KEY, SECRET = "chaos-key", "chaos-secret"
TIMEZONE: Final = "Europe/Berlin"
_START: Final = datetime.fromtimestamp(EPOCH, UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=30)


def identifier(kind: str, number: int) -> str:
    """The Sessionboard id of the n-th of a kind."""
    return str(uuid5(NAMESPACE_URL, f"chaos/{kind}/{number}"))


def conference(first: int = 0, talks: int = 5) -> Conference:
    """Five talks, four people (one of them with a headshot), two rooms, two tracks, two sponsors of two tiers.

    `first`: the number that everything is counted from, a multiple of 4; `talks`: another number of them.
    """
    rooms = [Room(id=identifier("room", number), name=f"Room {number}") for number in range(first, first + 2)]
    tracks = [Track(id=identifier("track", number), name=f"Track {number}") for number in range(first, first + 2)]
    people = [
        Person(
            id=identifier("person", number),
            first_name=f"First{number}",
            last_name=f"Last{number}",
            email=f"person{number}@example.org",
            photo_url="" if number % 4 else f"https://images.example.org/{number}.png",
        )
        for number in range(first, first + 4)
    ]
    sponsors = [
        Sponsor(id=identifier("sponsor", number), name=f"Sponsor {number}", tier=("Gold", "Silver")[number % 2])
        for number in range(first, first + 2)
    ]
    held = [
        talk(number, (first + number % 4, first + (number + 1) % 4)[: 1 + number % 2])
        for number in range(first, first + talks)
    ]
    return Conference(
        name="Chaos",
        timezone=TIMEZONE,
        rooms={each.id: each for each in rooms},
        tracks={each.id: each for each in tracks},
        people={each.id: each for each in people},
        sponsors={each.id: each for each in sponsors},
        talks={each.id: each for each in held},
    )


def talk(number: int, speakers: Iterable[int]) -> Talk:
    """The n-th talk."""
    start = _START + timedelta(hours=number % 1000)
    return Talk(
        id=identifier("talk", number),
        title=f"Talk {number}",
        description=f"<p>About {number}.</p>",
        starts_at=start,
        ends_at=start + timedelta(minutes=45),
        room_id=identifier("room", number - number % 1000 + number % 2),
        track_id=identifier("track", number - number % 1000 + number % 2),
        speaker_ids=tuple(identifier("person", each) for each in speakers),
    )


def seed(
    sandbox: SandboxSwoogo, keys: Iterable[str], events: Iterable[str], more: Mapping[str, Any] | None = None
) -> list[int]:
    """Credentials, events, and `more`, in Swoogo; returns the events' ids."""
    content = {
        "credentials": [{"key": key, "secret": SECRET} for key in keys],
        "events": [{"name": name, "timezone": TIMEZONE} for name in events],
        **(more or {}),
    }
    return sandbox.seed(content)["events"]
