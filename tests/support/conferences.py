"""A conference small enough to reason about: six talks, four people, two rooms, two tracks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_URL, uuid5

from sandbox.conference.model import Conference, Person, Room, Sponsor, Talk, Track

TIMEZONE = "Europe/Berlin"
SPONSORS = ("Acme", "Bolt & Sons", "Café Zürich")


def identifier(kind: str, number: int) -> str:
    """The id of the n-th talk, person, room or track."""
    return str(uuid5(NAMESPACE_URL, f"{kind}/{number}"))


def small(*, talks: int = 6, people: int = 4) -> Conference:
    """Accepted, scheduled talks some weeks ahead, each with one speaker, in alternating rooms and tracks."""
    start = (datetime.now(UTC) + timedelta(days=30)).replace(hour=8, minute=0, second=0, microsecond=0)
    rooms = [Room(id=identifier("room", number), name=f"Room {number}") for number in (1, 2)]
    tracks = [Track(id=identifier("track", number), name=f"Track {number}") for number in (1, 2)]
    persons = [
        Person(
            id=identifier("person", number),
            first_name=f"First{number}",
            last_name=f"Last{number}",
            email=f"person{number}@example.org",
        )
        for number in range(people)
    ]
    programme = [
        Talk(
            id=identifier("talk", number),
            title=f"Talk {number}",
            description=f"<p>About {number}.</p>",
            starts_at=start + timedelta(hours=number),
            ends_at=start + timedelta(hours=number, minutes=45),
            room_id=rooms[number % 2].id,
            track_id=tracks[number % 2].id,
            speaker_ids=(persons[number % people].id,),
        )
        for number in range(talks)
    ]
    return Conference(
        name="Small",
        timezone=TIMEZONE,
        rooms={each.id: each for each in rooms},
        tracks={each.id: each for each in tracks},
        people={each.id: each for each in persons},
        talks={each.id: each for each in programme},
    )


def edited(conference: Conference, number: int, **changes: object) -> Conference:
    """With fields of the n-th talk changed."""
    key = identifier("talk", number)
    talk = replace(conference.talks[key], **changes)  # type: ignore[arg-type] # fields of Talk, by name
    return replace(conference, talks={**conference.talks, key: talk})


def grown(conference: Conference, number: int) -> Conference:
    """One more talk, which Swoogo has to be told once."""
    like = conference.talks[identifier("talk", 0)]
    talk = replace(like, id=identifier("talk", number), title=f"Talk {number}", speaker_ids=())
    return replace(conference, talks={**conference.talks, talk.id: talk})


def sponsored(*tiers: str, conference: Conference | None = None, **changes: str) -> Conference:
    """The small conference with one sponsor for each tier; `changes` are of all of them."""
    sponsors = [
        Sponsor(
            id=identifier("sponsor", number),
            name=SPONSORS[number],
            description=f"<p>Sponsor {number}.</p>",
            website_url=f"https://sponsor{number}.example.org/",
            tier=tier,
        )
        for number, tier in enumerate(tiers)
    ]
    changed = [replace(each, **changes) for each in sponsors]
    return replace(conference or small(), sponsors={each.id: each for each in changed})
