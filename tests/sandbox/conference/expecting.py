"""A small conference, and what the oracle expects of Swoogo after some of its revisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sandbox.conference.expected import NOTHING, Expected, Resources, fold
from sandbox.conference.model import Conference, Person, Room, Talk, Track
from sandbox.conference.sessionboard import Event

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
CHICAGO = ZoneInfo("America/Chicago")
START = datetime(2026, 7, 1, 9, tzinfo=CHICAGO)

ADA = Person(id="a", first_name="Ada", last_name="L", email=" Ada@Example.org", job_title="CTO", company="Co")
BOB = Person(id="b", first_name="Bob", last_name="M", email="bob@example.org")
TALK = Talk(
    id="t",
    title="One",
    description="<p>d</p>",
    starts_at=START,
    ends_at=START + timedelta(minutes=45),
    room_id="r",
    track_id="k",
    speaker_ids=("a",),
)


def conference(
    *talks: Talk, people: tuple[Person, ...] = (ADA, BOB), room: str = "Hall", track: str = "Data"
) -> Conference:
    rooms = (Room(id="r", name=room), Room(id="r2", name="Annex"), Room(id="r3", name=" hall "))
    return Conference(
        name="C",
        timezone="America/Chicago",
        rooms={each.id: each for each in rooms},
        tracks={"k": Track(id="k", name=track)},
        people={person.id: person for person in people},
        talks={talk.id: talk for talk in talks},
    )


def sync(*revisions: Conference, now: datetime = NOW) -> Expected:
    """Fold revisions in order; the last happens at `now`."""
    state = NOTHING
    for number, each in enumerate(revisions, 1):
        resources = Resources.of(each, Event.of(each, event_id=1, org_id="o"), at=NOW)
        state = fold(state, resources, now if number == len(revisions) else NOW)
    return state
