"""The awkward records of the invented conference, and what must become of each.

Every case is a record that real programmes contain; `EXPECTED_LEFT_OUT` is what the service has to say
about it, in the codes of the specification. `sample` weaves them into an otherwise healthy programme.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final, Literal

from sandbox.conference.model import Person, Sponsor, Status, Talk

_NAMESPACE: Final = uuid.UUID("7d0b6a2e-2f0c-5a5e-8c55-0f6f0d4f7a31")


def sample_id(kind: str, key: str | int) -> str:
    """The id of a record of the invented conference: the same in every run."""
    return str(uuid.uuid5(_NAMESPACE, f"{kind}/{key}"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What is said about one record: `code` and, where one is to blame, the Sessionboard `field`.

    `synced`: the record is in Swoogo all the same, and the issue leaves only a part of it out, or nothing.
    """

    kind: Literal["session", "speaker", "sponsor", "room", "track"]
    id: str
    code: str
    field: str | None = None
    synced: bool = False


_TWINS: Final = tuple(sorted((sample_id("person", "twin-1"), sample_id("person", "twin-2"))))


def _session(key: str, code: str, field: str | None = None, *, synced: bool = False) -> Expectation:
    return Expectation(kind="session", id=sample_id("talk", key), code=code, field=field, synced=synced)


def _speaker(key: str, code: str, field: str | None = None) -> Expectation:
    return Expectation(kind="speaker", id=sample_id("person", key), code=code, field=field)


EXPECTED_LEFT_OUT: Final[tuple[Expectation, ...]] = (
    _session("pending", "not_accepted"),
    _session("accept-queue", "not_accepted"),
    _session("decline-queue", "not_accepted"),
    _session("declined", "not_accepted"),
    _session("unscheduled", "missing_field", "starts_at"),
    _session("no-end", "missing_field", "ends_at"),
    _session("no-title", "missing_field", "title"),
    _session("end-before-start", "invalid_time_range"),
    _session("no-length", "invalid_time_range"),
    _session("ended", "ended"),
    _session("multi-day", "multi_day_clamped", synced=True),
    _session("over-midnight", "multi_day_clamped", synced=True),
    _speaker("no-email", "missing_field", "email"),
    _speaker("no-last-name", "missing_field", "last_name"),
    Expectation(kind="speaker", id=_TWINS[1], code="duplicate_email", field="email"),
    _speaker("only-declined", "no_eligible_session"),
    _speaker("moderator", "no_eligible_session"),
    Expectation(kind="sponsor", id=sample_id("sponsor", "no-name"), code="missing_field", field="name"),
)
"""For a first sync with the default settings. The moderator syncs when moderators are asked for (E7)."""

RENAMED_ROOM: Final = sample_id("room", "Lakeview A")
RENAMED_TRACK: Final = sample_id("track", "Leadership")
"""What `sample.renames` renames."""

EXPECTED_AFTER_RENAMES: Final[tuple[Expectation, ...]] = (
    Expectation(kind="room", id=RENAMED_ROOM, code="renamed_after_sync", field="name", synced=True),
    Expectation(kind="track", id=RENAMED_TRACK, code="renamed_after_sync", field="name", synced=True),
)
"""For a sync of `sample.renames` after one of `sample` (S6)."""

UNSAFE_HTML: Final = (
    '<p onclick="steal()">Bring a <b>laptop</b>.</p><script>alert("hello")</script>'
    '<p><a href="javascript:alert(1)">Slides</a> and <a href="https://example.org/notes">notes</a>.</p>'
    '<img src="x" onerror="alert(2)"><ul><li>One &amp; two</li><li>Three &lt; four</li></ul>'
)


def case_people() -> list[Person]:
    """People with something wrong, and two who share one address."""
    twins = [
        Person(
            id=twin,
            first_name="Robin",
            last_name=last_name,
            email=email,
            job_title="Consultant",
            company="Robin & Robin",
        )
        # The same address for Swoogo, which knows neither case nor blanks around it.
        for twin, last_name, email in zip(
            _TWINS, ("Ashgrove", "Ashgrove-Lund"), ("robin@example.com", " Robin@Example.com "), strict=True
        )
    ]
    return [
        *twins,
        _person("no-email", "Noor", "Sandoval", ""),
        _person("no-last-name", "Cher", "", "cher@example.com"),
        _person("only-declined", "Dana", "Fairweather", "dana.fairweather@example.com"),
        _person("moderator", "Mo", "Ravensworth", "mo.ravensworth@example.com"),
    ]


def case_sponsor() -> Sponsor:
    """A sponsor that lacks its only required field."""
    return Sponsor(id=sample_id("sponsor", "no-name"), name="", description="Logo to follow.", tier="Bronze")


def case_talks(first_day: datetime, now: datetime, speakers: list[str]) -> list[Talk]:
    """Talks with something special.

    `first_day`: midnight at its start, in the conference's zone; `speakers`: healthy people of other talks.
    """

    def at(day: int, hour: int, minute: int = 0) -> datetime:
        return first_day + timedelta(days=day, hours=hour, minutes=minute)

    healthy = iter(speakers)
    last_week = datetime.combine((now - timedelta(days=7)).astimezone(first_day.tzinfo), time(11), first_day.tzinfo)
    room, track = sample_id("room", "Prairie Hall"), sample_id("track", "Applied AI")

    def talk(key: str, title: str, start: datetime | None, end: datetime | None, *who: str) -> Talk:
        return Talk(
            id=sample_id("talk", key),
            title=title,
            description=f"<p>{title}.</p>",
            starts_at=start,
            ends_at=end,
            room_id=room,
            track_id=track,
            speaker_ids=who or (next(healthy),),
        )

    undecided: dict[Status, str] = {
        "pending": "The Proposal Still under Review",
        "accept_queue": "Accepted, but the Letter Is Not Out",
        "decline_queue": "Declined, but the Letter Is Not Out",
    }
    return [
        *(
            replace(talk(status.replace("_", "-"), title, at(1, 10), at(1, 10, 45)), status=status)
            for status, title in undecided.items()
        ),
        replace(
            talk("declined", "A Declined Talk", at(1, 11), at(1, 11, 45), sample_id("person", "only-declined")),
            status="declined",
        ),
        talk("unscheduled", "Accepted and Not Yet Scheduled", None, None),
        talk("no-end", "Open Space, Open End", at(2, 15), None),
        talk("no-title", "   ", at(2, 16), at(2, 16, 45)),
        talk("end-before-start", "The Talk That Ends before It Begins", at(2, 14), at(2, 13)),
        talk("no-length", "A Moment of Silence", at(2, 12), at(2, 12)),
        talk("ended", "Warm-Up Webinar", last_week, last_week + timedelta(hours=1)),
        talk("multi-day", "Hack Week", at(0, 9), at(3, 17)),
        talk("over-midnight", "Game Night", at(1, 21), at(2, 1)),
        talk("faulty-speakers", "A Panel with Gaps", at(0, 15), at(0, 15, 45), *_panel(next(healthy))),
        talk("twins", "Two Consultants, One Mailbox", at(0, 16), at(0, 16, 45), *_TWINS),
        replace(
            talk("moderated", "The Moderated Debate", at(3, 10), at(3, 10, 45)),
            moderator_ids=(sample_id("person", "moderator"),),
        ),
        replace(talk("unsafe-html", "Formatting, the Hard Way", at(3, 11), at(3, 11, 45)), description=UNSAFE_HTML),
        talk("long-title", _long_title(300), at(3, 13), at(3, 13, 45)),
        replace(talk("homeless", "Hallway Track", at(3, 14), at(3, 14, 45)), room_id=None, track_id=None),
        replace(talk("bare", "Lightning Talks", at(3, 15), at(3, 15, 45)), description="", speaker_ids=()),
    ]


def _panel(healthy: str) -> tuple[str, ...]:
    return (healthy, sample_id("person", "no-email"), sample_id("person", "no-last-name"))


def _person(key: str, first_name: str, last_name: str, email: str) -> Person:
    return Person(
        id=sample_id("person", key),
        first_name=first_name,
        last_name=last_name,
        email=email,
        job_title="Speaker",
        company="Independent",
        biography=f"<p>{first_name} speaks.</p>",
    )


def _long_title(length: int) -> str:
    phrase = "On the Art of Naming Things and Why Committees Should Not Do It, "
    return (phrase * (length // len(phrase) + 1))[: length - 1] + "!"
