"""Thousands of other events beside the one of a soak: connected, mapped, and edited one at a time."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from benchmarks.programme import ZONE, programme
from consumer.adapters.redis.client import connect
from consumer.adapters.redis.keys import Keys
from consumer.adapters.sealing import seal
from sandbox.conference.model import Conference
from sandbox.conference.publisher import Publisher
from sandbox.conference.records import Writer
from sandbox.conference.sessionboard import Event
from sandbox.demo.world import World

_FIRST_EVENT: Final = 20_001
_EVENTS_EACH: Final = 100
_SESSIONS: Final = 2
_BATCH: Final = 200
_POLL_SECONDS: Final = 1.0
_SOON_MS: Final = 20_000


@dataclass(slots=True)
class Neighbour:
    """One event: how its records are spelled, its Swoogo event, and what was published last."""

    writer: Writer
    swoogo_event_id: int
    conference: Conference

    @property
    def names(self) -> list[str]:
        """What its sessions are called in Swoogo in the end."""
        return sorted(each.title for each in self.conference.talks.values())


class Neighbours:
    """All of them; `edits` counts changed titles."""

    def __init__(self, world: World, publisher: Publisher, events: Sequence[Neighbour], dice: random.Random) -> None:
        self.edits = 0
        self._world, self._publisher, self._events, self._dice = world, publisher, events, dice
        self._at = datetime.now(UTC)

    async def connect(self) -> None:
        """Connect their organizations, map them and publish their sessions."""
        organizations = {each.writer.event.org_id: each.writer for each in self._events}
        await self._publisher.send(
            writer.integration_connected(
                sealed=seal(self._world.keys.public, f"key-{org_id}", f"secret-{org_id}", org_id=org_id),
                continuous_sync=True,
                at=self._now(),
            )
            for org_id, writer in organizations.items()
        )
        for some in self._batches():
            at = self._now()
            await self._publisher.send(each.writer.mapping_added(each.swoogo_event_id, at=at) for each in some)
            for each in some:
                await self._publisher.send(each.writer.revision(None, each.conference, at=at))

    async def act(self) -> None:
        """Change a title in one of them. Raises KafkaError."""
        event = self._dice.choice(self._events)
        [talk] = self._dice.sample(list(event.conference.talks.values()), 1)
        changed = replace(talk, title=f"{talk.title.partition(',')[0]}, edit {self.edits}")
        revised = replace(event.conference, talks={**event.conference.talks, talk.id: changed})
        before, event.conference = event.conference, revised
        await self._publisher.send(event.writer.revision(before, revised, at=self._now()))
        self.edits += 1

    async def repeat(self) -> None:
        """Publish every event's last revision in full; what was in flight when the broker went away comes with it."""
        for each in self._events:
            await self._publisher.send(each.writer.revision(None, each.conference, at=self._now()))

    async def until_idle(self, seconds: float) -> None:
        """Wait until none has anything to push. Raises TimeoutError."""
        settings = self._world.settings.redis
        redis, keys = connect(settings), Keys(settings.prefix)
        try:
            async with asyncio.timeout(seconds):
                while await self._busy(redis, keys):  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(_POLL_SECONDS)
        finally:
            await redis.aclose()

    async def _busy(self, redis: Redis, keys: Keys) -> bool:
        for some in self._batches():
            async with redis.pipeline(transaction=False) as pipe:
                for each in some:
                    pipe.hmget(keys.event(str(each.writer.event.id), "state"), ["done", "due", "attempt"])
                try:
                    states = await pipe.execute()
                except RedisError:
                    return True
            soon = time.time() * 1000 + _SOON_MS
            if any(
                done is None or (due is not None and (failures not in {None, b"0"} or int(due) < soon))
                for done, due, failures in states
            ):
                return True
        return False

    async def differences(self) -> list[str]:
        """Events whose sessions in Swoogo are not what was published last, a sentence each."""
        found = []
        for each in self._events:
            state = await self._world.get(f"state?event_id={each.swoogo_event_id}")
            if (names := sorted(row["name"] for row in state["sessions"])) != each.names:
                found.append(f"{each.writer.event.name}: {names} instead of {each.names}")
        return found

    def _batches(self) -> Iterator[Sequence[Neighbour]]:
        return (self._events[at : at + _BATCH] for at in range(0, len(self._events), _BATCH))

    def _now(self) -> datetime:
        """A moment later than every one before."""
        self._at = max(datetime.now(UTC), self._at + timedelta(milliseconds=1))
        return self._at


@asynccontextmanager
async def neighbours(world: World, count: int, dice: random.Random) -> AsyncIterator[Neighbours]:
    """Seed the sandbox with `count` empty events, a hundred of each organization, and be ready to publish."""
    organizations = [f"neighbour-{number}" for number in range(-(-count // _EVENTS_EACH))]
    seeded = await world.post(
        "seed",
        {
            "credentials": [{"key": f"key-{org}", "secret": f"secret-{org}"} for org in organizations],
            "events": [{"name": "Neighbour", "timezone": ZONE}] * count,
        },
    )
    events = []
    for number, swoogo_event_id in enumerate(seeded["events"]):
        name = f"Neighbour {number}"
        event = Event(id=_FIRST_EVENT + number, org_id=organizations[number // _EVENTS_EACH], name=name, timezone=ZONE)
        conference = programme(sessions=_SESSIONS, speakers=0, rooms=0, tracks=0, name=name)
        events.append(Neighbour(Writer(event=event, topics=world.topics), swoogo_event_id, conference))
    if not events:
        raise ValueError("A soak with neighbours needs at least one.")
    async with Publisher(world.bootstrap, events[0].writer) as publisher:
        yield Neighbours(world, publisher, events, dice)
