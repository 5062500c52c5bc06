"""What happens during a soak: people who edit on both sides, and things that break.

No two roles share a talk, so that the outcome is certain however many revisions one push sees: some talks are edited
in Sessionboard, some in Swoogo too, some are removed and come back, and now and then there is a new one.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from redis.asyncio import Redis

from consumer.adapters.redis.stores import open_stores
from consumer.domain.surveys.survey import Depth
from sandbox.conference.expected import Resources, fold
from sandbox.conference.model import Conference, Person, Room, Talk, Track
from sandbox.demo.play import Play
from sandbox.demo.world import World
from sandbox.embedded import EmbeddedKafka

PER_ROLE: Final = 8
"""Talks by hand and talks that come and go; three times as many are edited in Sessionboard only."""
_ROOMS, _TRACKS = 4, 3


def programme() -> Conference:
    """Talks `hand 0`, `edit 0`, `coming 0`, ...; those by hand keep every room, track and person in use."""
    rooms = [Room(id=_id("room", number), name=f"Room {number}") for number in range(_ROOMS)]
    tracks = [Track(id=_id("track", number), name=f"Track {number}") for number in range(_TRACKS)]
    people = [
        Person(
            id=_id("person", number),
            first_name=f"First{number}",
            last_name=f"Last{number}",
            email=f"soak{number}@example.org",
        )
        for number in range(PER_ROLE)
    ]
    talks = [
        *(talk("hand", number) for number in range(PER_ROLE)),
        *(talk("edit", number) for number in range(3 * PER_ROLE)),
        *(talk("coming", number) for number in range(PER_ROLE)),
    ]
    return Conference(
        name="Soak",
        timezone="Europe/Berlin",
        rooms={each.id: each for each in rooms},
        tracks={each.id: each for each in tracks},
        people={each.id: each for each in people},
        talks={each.id: each for each in talks},
    )


def talk(role: str, number: int) -> Talk:
    """The n-th talk of a role, some weeks ahead."""
    day = (datetime.now(UTC) + timedelta(days=40)).replace(hour=8, minute=0, second=0, microsecond=0)
    start = day + timedelta(hours=number % 8)
    return Talk(
        id=_id(role, number),
        title=f"{role} {number}",
        description=f"<p>About {role} {number}.</p>",
        starts_at=start,
        ends_at=start + timedelta(minutes=45),
        room_id=_id("room", number % _ROOMS),
        track_id=_id("track", number % _TRACKS),
        speaker_ids=(_id("person", number % PER_ROLE),),
    )


def _id(kind: str, number: int) -> str:
    return str(uuid5(NAMESPACE_URL, f"soak/{kind}/{number}"))


@dataclass(slots=True)
class People:
    """Edits of everybody; `done` counts them by kind."""

    playing: Play
    conference: Conference
    dice: random.Random
    rows: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    async def begin(self) -> None:
        """Learn which record of Swoogo is which, after the import."""
        names = {each["name"]: each["id"] for each in (await self.playing.state())["sessions"]}
        self.rows = {each.id: names[each.title] for each in self.conference.talks.values()}

    async def act(self) -> None:
        """One thing, at random."""
        kinds: list[tuple[Callable[[], Awaitable[None]], int]] = [
            (self._edit, 60),
            (self._come_and_go, 15),
            (self._by_hand, 8),
            (self._add, 1),
            (self._ask, 4),
            (self._compare, 12),
        ]
        [act] = self.dice.choices([each for each, _ in kinds], [weight for _, weight in kinds])
        await act()
        self.done[act.__name__.strip("_")] += 1

    def expect(self) -> None:
        """Tell the oracle what was published last; before that it knows the import."""
        playing = self.playing
        resources = Resources.of(self.conference, playing.event, at=playing.now())
        playing.expected = fold(playing.expected, resources, datetime.now(UTC))

    async def _publish(self, changed: Talk) -> None:
        self.conference = replace(self.conference, talks={**self.conference.talks, changed.id: changed})
        await self._send()

    async def _send(self) -> None:
        await self.playing.publisher.publish(self.conference, at=self.playing.now())

    async def _edit(self) -> None:
        talk = self.conference.talks[_id("edit", self.dice.randrange(3 * PER_ROLE))]
        count = self.done["edit"]
        changes = self.dice.choice(
            [
                {"title": f"{talk.title.partition(',')[0]}, edit {count}"},
                {"description": f"<p>Edit {count}.</p>"},
                {"room_id": _id("room", self.dice.randrange(_ROOMS))},
                {"track_id": _id("track", self.dice.randrange(_TRACKS))},
                {"speaker_ids": (_id("person", self.dice.randrange(PER_ROLE)),)},
            ]
        )
        await self._publish(replace(talk, **changes))  # type: ignore[arg-type] # fields of Talk, by name

    async def _come_and_go(self) -> None:
        number = self.dice.randrange(PER_ROLE)
        known = dict(self.conference.talks)
        if known.pop(_id("coming", number), None) is None:
            known[_id("coming", number)] = talk("coming", number)
        self.conference = replace(self.conference, talks=known)
        await self._send()

    async def _by_hand(self) -> None:
        """Somebody types a description in Swoogo; then the title changes in Sessionboard."""
        number, count = self.dice.randrange(PER_ROLE), self.done["by_hand"]
        changed = self.conference.talks[_id("hand", number)]
        text = f"<p>Typed in Swoogo, {count}.</p>"
        change = {"kind": "sessions", "id": self.rows[changed.id], "values": {"description": text}}
        await self.playing.world.post("edit", change)
        self.playing.typed.pop(changed.title, None)
        changed = replace(changed, title=f"hand {number}, revision {count}")
        self.playing.typed[changed.title] = text
        await self._publish(changed)

    async def _add(self) -> None:
        await self._publish(talk("new", self.done["add"]))

    async def _ask(self) -> None:
        await self.playing.publisher.send([self.playing.publisher.writer.sync_requested("all", at=self.playing.now())])

    async def _compare(self) -> None:
        held = open_stores(self.playing.world.settings)
        try:
            await held.inbox.request_survey(str(self.playing.event.id), Depth.SHALLOW)
        finally:
            await held.redis.aclose()


_SWOOGO: Final = {
    "Swoogo 500": {"match": {}, "times": 4, "do": {"status": 500}},
    "Swoogo 429": {"match": {}, "times": 3, "do": {"status": 429, "headers": {"Retry-After": "1"}}},
    "Swoogo drops before the effect": {"match": {"path": "sessions|speakers"}, "times": 2, "do": {"drop": "before"}},
    "Swoogo drops after the effect": {"match": {"path": "sessions|speakers"}, "times": 2, "do": {"drop": "after"}},
    "Swoogo answers by half": {"match": {"path": "sessions|speakers"}, "times": 2, "do": {"half_json": True}},
}


@dataclass(slots=True)
class Breaks:
    """Breaks something at random; the first replica is left alone, the second is ended now and then."""

    world: World
    kafka: EmbeddedKafka
    redis: Redis
    dice: random.Random
    done: Counter[str] = field(default_factory=Counter)

    async def act(self) -> None:
        """One fault; a server or process that was ended is back when this returns."""
        name = self.dice.choice([*_SWOOGO, *_SWOOGO, "Redis resets", "Redis resets", "SIGTERM", "SIGKILL", "Kafka"])
        if name in _SWOOGO:
            await self.world.post("faults", [_SWOOGO[name]])
        elif name == "Redis resets":
            await self.redis.client_kill_filter(_type="normal", skipme=True)
        elif name == "Kafka":
            hard = self.dice.random() < 0.5
            await self.kafka.astop(keep=True, hard=hard)
            await asyncio.sleep(self.dice.uniform(0, 8))
            await self.kafka.astart()
        else:
            await asyncio.to_thread(self.world.replicas.pop().stop, hard=name == "SIGKILL")
            self.world.start_service("second")
        self.done[name] += 1

    async def heal(self) -> None:
        """No fault waits any more."""
        (await self.world.control.delete("/_control/faults")).raise_for_status()
