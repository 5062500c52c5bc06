"""An invented conference of four days, with some of everything that is refused, and its later revisions.

Deterministic: the same `now` gives the same conference, and ids do not depend on `now`. About 150
sessions, 110 people, 8 rooms, 7 tracks, in America/Chicago, a month and a half ahead.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sandbox.conference.model import Conference, Person, Room, Sponsor, Talk, Track
from sandbox.conference.sample_cases import (
    EXPECTED_AFTER_RENAMES,
    EXPECTED_LEFT_OUT,
    RENAMED_ROOM,
    RENAMED_TRACK,
    Expectation,
    case_people,
    case_sponsor,
    case_talks,
    sample_id,
)
from sandbox.conference.sample_words import (
    ANGLES,
    COMPANIES,
    FIRST_NAMES,
    JOB_TITLES,
    LAST_NAMES,
    ROOMS,
    SPONSORS,
    SUBJECTS,
    TRACKS,
)

__all__ = [
    "EXPECTED_AFTER_RENAMES",
    "EXPECTED_LEFT_OUT",
    "RENAMED_ROOM",
    "RENAMED_TRACK",
    "Expectation",
    "burst",
    "deletions",
    "renames",
    "sample",
]

NAME: Final = "Tallgrass Systems Summit"
TIMEZONE: Final = "America/Chicago"

_SEED: Final = 20_250
_LEAD_DAYS: Final = 45
_REGULAR_TALKS: Final = 134
_REGULAR_PEOPLE: Final = 104
_SLOTS: Final = (time(9), time(10), time(11), time(13, 30), time(14, 30))
_BURST_TALKS: Final = 20
_BURST_EDITS: Final = 60


def sample(now: datetime, *, media_base: str = "") -> Conference:
    """The first revision.

    `media_base`: URL below which headshots and logos are served, e.g. `http://127.0.0.1:8000/media`;
    without it no one has a picture.
    """
    dice = random.Random(_SEED)
    zone = ZoneInfo(TIMEZONE)
    first_day = datetime.combine((now + timedelta(days=_LEAD_DAYS)).astimezone(zone).date(), time(), zone)
    people = [*_people(dice, media_base), *case_people()]
    regular = [person.id for person in people[:_REGULAR_PEOPLE]]
    talks = [*_talks(dice, first_day, regular), *case_talks(first_day, now, regular)]
    sponsors = [*_sponsors(media_base), case_sponsor()]
    rooms = [Room(id=sample_id("room", name), name=name, capacity=seats) for name, seats in ROOMS]
    tracks = [Track(id=sample_id("track", name), name=name, color=color) for name, color in TRACKS]
    return Conference(
        name=NAME,
        timezone=TIMEZONE,
        rooms={room.id: room for room in rooms},
        tracks={track.id: track for track in tracks},
        people={person.id: person for person in people},
        talks={talk.id: talk for talk in talks},
        sponsors={sponsor.id: sponsor for sponsor in sponsors},
    )


def burst(conference: Conference) -> list[Conference]:
    """An afternoon of editing: about 60 single edits over 20 sessions, as one revision each, in order."""
    dice = random.Random(_SEED + 1)
    chosen = dice.sample(_regular_ids(conference), _BURST_TALKS)
    revisions: list[Conference] = []
    current = conference
    for turn in range(_BURST_EDITS):
        edit = _EDITS[(turn + turn // _BURST_TALKS) % len(_EDITS)]
        talk = current.talks[chosen[turn % _BURST_TALKS]]
        current = _with_talk(current, edit(talk, turn, current))
        revisions.append(current)
    return revisions


def deletions(conference: Conference) -> Conference:
    """Six sessions deleted, two declined after all, and one person who is left without a session deleted."""
    dice = random.Random(_SEED + 2)
    regular = _regular_ids(conference)
    appearances = Counter(person for talk in conference.talks.values() for person in talk.speaker_ids)
    # One of the deleted is the only session of somebody, who is deleted with it.
    alone = next(each for each in dice.sample(regular, len(regular)) if _only_speakers(conference, each, appearances))
    gone_with_it = _only_speakers(conference, alone, appearances)[0]
    others = dice.sample([each for each in regular if each != alone], 7)
    gone, declined = {alone, *others[:5]}, set(others[5:])
    talks = {
        talk.id: replace(talk, status="declined") if talk.id in declined else talk
        for talk in conference.talks.values()
        if talk.id not in gone
    }
    people = {each.id: each for each in conference.people.values() if each.id != gone_with_it}
    return replace(conference, talks=talks, people=people)


def renames(conference: Conference) -> Conference:
    """A room and a track renamed in place, and one session moved to a new room, as the help page advises."""
    room, track = conference.rooms[RENAMED_ROOM], conference.tracks[RENAMED_TRACK]
    new = Room(id=sample_id("room", "Skyline Loft"), name="Skyline Loft", capacity=80)
    mover = next(each for each in _regular_ids(conference) if conference.talks[each].room_id == RENAMED_ROOM)
    renamed = replace(
        conference,
        rooms={
            **conference.rooms,
            room.id: replace(room, name="Lakeview Auditorium"),
            new.id: new,
        },
        tracks={**conference.tracks, track.id: replace(track, name="People & Leadership")},
    )
    return _with_talk(renamed, replace(renamed.talks[mover], room_id=new.id))


def _only_speakers(conference: Conference, talk: str, appearances: Counter[str]) -> list[str]:
    return [each for each in conference.talks[talk].speaker_ids if appearances[each] == 1]


def _retitle(talk: Talk, turn: int, _: Conference) -> Talk:
    return replace(talk, title=f"{talk.title} ({turn // _BURST_TALKS + 1}. edition)")


def _rewrite(talk: Talk, turn: int, _: Conference) -> Talk:
    return replace(talk, description=f"{talk.description}<p>Updated note {turn}.</p>")


def _reschedule(talk: Talk, _: int, __: Conference) -> Talk:
    if talk.starts_at is None or talk.ends_at is None:
        return talk
    return replace(talk, starts_at=talk.starts_at + timedelta(minutes=15), ends_at=talk.ends_at + timedelta(minutes=15))


def _move(talk: Talk, turn: int, conference: Conference) -> Talk:
    others = [room for room in conference.rooms if room != talk.room_id]
    return replace(talk, room_id=others[turn % len(others)])


def _recast(talk: Talk, turn: int, conference: Conference) -> Talk:
    candidates = [sample_id("person", number) for number in range(_REGULAR_PEOPLE)]
    others = [each for each in candidates if each not in talk.speaker_ids and each in conference.people]
    return replace(talk, speaker_ids=(*talk.speaker_ids[:1], others[turn % len(others)]))


_EDITS: Final[tuple[Callable[[Talk, int, Conference], Talk], ...]] = (_retitle, _rewrite, _reschedule, _move, _recast)


def _with_talk(conference: Conference, talk: Talk) -> Conference:
    return replace(conference, talks={**conference.talks, talk.id: talk})


def _regular_ids(conference: Conference) -> list[str]:
    regular = (sample_id("talk", number) for number in range(_REGULAR_TALKS))
    return [each for each in regular if each in conference.talks]


def _people(dice: random.Random, media_base: str) -> list[Person]:
    names = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
    people = []
    for number, (first, last) in enumerate(dice.sample(names, _REGULAR_PEOPLE)):
        own_id = sample_id("person", number)
        job, company = dice.choice(JOB_TITLES), dice.choice(COMPANIES)
        people.append(
            Person(
                id=own_id,
                first_name=first,
                last_name=last,
                email=f"speaker{number:03d}@example.com",
                job_title=job,
                company=company,
                biography=f"<p>{first} {last} has worked on hard problems since {dice.randint(1995, 2020)}.</p>",
                # Every fifth has no headshot, as in life.
                photo_url=f"{media_base}/people/{number}.jpg" if media_base and number % 5 else "",
            )
        )
    return people


def _talks(dice: random.Random, first_day: datetime, people: list[str]) -> list[Talk]:
    # Everybody speaks at least once; who is drawn again speaks twice.
    cast = [*people, *dice.choices(people, k=3 * _REGULAR_TALKS)]
    places = [(day, slot, room) for day in range(4) for slot in _SLOTS for room, _ in ROOMS]
    talks = []
    for number, (day, slot, room) in enumerate(places[:_REGULAR_TALKS]):
        track, _ = TRACKS[number % len(TRACKS)]
        subject = SUBJECTS[track][number // len(TRACKS) % len(SUBJECTS[track])]
        title = ANGLES[number // (len(TRACKS) * 5) % len(ANGLES)].format(subject=subject)
        start = datetime.combine(first_day.date() + timedelta(days=day), slot, first_day.tzinfo)
        speakers = dict.fromkeys(cast.pop(0) for _ in range(dice.choice((1, 1, 1, 2, 3))))
        talks.append(
            Talk(
                id=sample_id("talk", number),
                title=title,
                description=_description(title, subject),
                starts_at=start,
                ends_at=start + timedelta(minutes=45),
                room_id=sample_id("room", room),
                track_id=sample_id("track", track),
                capacity=40 if room.startswith("Workshop") and number % 2 else None,
                speaker_ids=tuple(speakers),
            )
        )
    return talks


def _description(title: str, subject: str) -> str:
    return (
        f"<p><strong>{title}</strong> looks at <em>{subject.lower()}</em> as it is practised &mdash; not as it is "
        "drawn on slides.</p><ul><li>What worked</li><li>What did not</li><li>What we would do again</li></ul>"
        f'<p>Read ahead: <a href="https://example.org/{subject.lower().replace(" ", "-")}">notes</a>.</p>'
    )


def _sponsors(media_base: str) -> list[Sponsor]:
    return [
        Sponsor(
            id=sample_id("sponsor", name),
            name=name,
            description=f"<p>{name} supports the summit.</p>",
            website_url=f"https://sponsor{number}.example.org/",
            logo_url=f"{media_base}/sponsors/{number}.png" if media_base else "",
            tier=tier,
        )
        for number, (name, tier) in enumerate(SPONSORS)
    ]
