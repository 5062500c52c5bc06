"""FIRST CALL: from the moment an event is due to the arrival of its first call at Swoogo.

The due moment is the end of the quiet period: the `due` field of the event's state, which the script that records
changes sets on the Redis clock to the last batch's arrival plus the quiet period. It is read while no worker has
claimed the event. The sandbox notes when calls arrive by the clock of the same machine, and has no latency here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from redis.asyncio import Redis

from benchmarks.figure import Figure, percentile
from benchmarks.programme import ZONE, programme
from benchmarks.servers import Ground
from consumer.adapters.redis.keys import Keys
from consumer.adapters.sealing import seal
from sandbox.conference.publisher import Publisher
from sandbox.conference.records import Record, Writer
from sandbox.conference.sessionboard import Event
from sandbox.demo.world import CONSUMER_KEY, CONSUMER_SECRET, World, world

NAME: Final = "first-call"
_GOAL_MS: Final = 50.0
_ORG: Final = "5b0f3c0e-9c2d-4c39-8a0e-6a4f0f9f2f01"
_FIRST_EVENT: Final = 6001
_SESSIONS: Final = 5
_WINDOW: Final = 600.0
_QUIET_SECONDS: Final = 1.0
_APART_SECONDS: Final = 0.15
_POLL_SECONDS: Final = 0.05
_LONGEST: Final = 90.0


@dataclass(slots=True)
class Measured:
    """One event: its writer, its partner in Swoogo, and when it was due (ms of the Redis clock)."""

    writer: Writer
    swoogo_event_id: int
    due: int = 0


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 100 events of five sessions, one after the other so that they do not wait for each other."""
    count = max(3, round(100 * scale))
    settings = {"DEBOUNCE__QUIET_PERIOD": f"{_QUIET_SECONDS:g}", "LOG__LEVEL": "WARNING"}
    async with world(window=_WINDOW, latency_ms=0, settings=settings, servers=ground.named(NAME)) as running:
        seeded = await running.post("seed", {"events": [{"name": "Bench", "timezone": ZONE}] * count})
        events = [
            Measured(
                Writer(
                    event=Event(id=_FIRST_EVENT + number, org_id=_ORG, name=f"Event {number}", timezone=ZONE),
                    topics=running.topics,
                ),
                swoogo_event_id,
            )
            for number, swoogo_event_id in enumerate(seeded["events"])
        ]
        running.start_service()
        redis = Redis.from_url(str(running.settings.redis.url))
        keys = Keys(running.settings.redis.prefix)
        try:
            async with Publisher(running.bootstrap, events[0].writer) as publisher:
                await _connect(running, publisher, events)
                await _until(lambda: _mapped(redis, keys, count), running)
                # A pair that was just accepted is pushed once by itself.
                await _until(lambda: _settled(redis, keys, events), running)
                async with asyncio.TaskGroup() as group:
                    for each in events:
                        await publisher.send(_sessions(each))
                        group.create_task(_note_due(redis, keys, each))
                        await asyncio.sleep(_APART_SECONDS)
                firsts: dict[str, float] = {}
                await _until(lambda: _arrived(running, firsts, count), running)
        finally:
            await redis.aclose()
    late = [firsts[str(each.swoogo_event_id)] * 1000 - each.due for each in events]
    return [
        Figure(
            benchmark=NAME,
            what="due to first call, 99th percentile",
            value=percentile(late, 0.99),
            unit="ms",
            goal=_GOAL_MS,
            note=f"{count} events of {_SESSIONS} sessions, one every {_APART_SECONDS * 1000:g} ms.",
        ),
        Figure(benchmark=NAME, what="due to first call, median", value=percentile(late, 0.5), unit="ms"),
        Figure(benchmark=NAME, what="due to first call, most", value=max(late), unit="ms"),
    ]


async def _connect(running: World, publisher: Publisher, events: list[Measured]) -> None:
    sealed = seal(running.keys.public, CONSUMER_KEY, CONSUMER_SECRET, org_id=_ORG)
    now = datetime.now(UTC)
    await publisher.send(
        [
            events[0].writer.integration_connected(sealed=sealed, continuous_sync=True, at=now),
            *(each.writer.mapping_added(each.swoogo_event_id, at=now) for each in events),
        ]
    )


def _sessions(each: Measured) -> list[Record]:
    conference = programme(sessions=_SESSIONS, speakers=0, rooms=0, tracks=0, name=each.writer.event.name)
    return each.writer.revision(None, conference, at=datetime.now(UTC))


async def _note_due(redis: Redis, keys: Keys, each: Measured) -> None:
    """Follow the due moment until somebody claims the event."""
    state = keys.event(str(each.writer.event.id), "state")
    before = await redis.hget(state, "done")
    while True:
        due, until, done = await redis.hmget(state, ["due", "until", "done"])
        if int(until or 0) or done != before:
            return
        if due is not None:
            each.due = int(due)
        await asyncio.sleep(_POLL_SECONDS)


async def _settled(redis: Redis, keys: Keys, events: list[Measured]) -> bool:
    states = [keys.event(str(each.writer.event.id), "state") for each in events]
    found = [await redis.hmget(state, ["done", "due"]) for state in states]
    return all(done is not None and due is None for done, due in found)


async def _mapped(redis: Redis, keys: Keys, count: int) -> bool:
    return int(await redis.scard(keys.org(_ORG, "mappings"))) == count


async def _arrived(running: World, firsts: dict[str, float], count: int) -> bool:
    """Collect the moment (s) of each event's first create."""
    journal: list[dict[str, Any]] = await running.get("journal?since=0")
    for call in journal:
        if call["method"] == "POST" and isinstance(call["body"], dict) and "event_id" in call["body"]:
            firsts.setdefault(call["body"]["event_id"], call["at"])
    return len(firsts) == count


async def _until(condition: Any, running: World) -> None:
    async with asyncio.timeout(_LONGEST):
        while not await condition():
            for replica in running.replicas:
                replica.check()
            await asyncio.sleep(_POLL_SECONDS)
