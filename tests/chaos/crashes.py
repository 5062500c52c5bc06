"""Crash at every boundary: a full sync by real processes on real servers, killed before and after each of its effects.

One sync without a crash lists the effects. Then each gets a sync of its own: the process dies there by SIGKILL, another
is started, and Swoogo, ledger and changelog are held to what they must be.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from random import Random
from typing import Final

from aiokafka import AIOKafkaConsumer

from consumer.adapters.kafka.changelog import ledger_value
from consumer.entrypoints.documents.session import open_session
from sandbox.conference.expected import NOTHING, Resources, fold
from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.verify import differences, duplicates
from sandbox.demo.world import Servers, ServiceProcess, World, world
from tests.support.conferences import small

_LAUNCHER: Final = (sys.executable, "-m", "tests.support.crashing")
_events: Final = itertools.count(30_001)
_PATIENCE: Final = 120.0
QUICK: Final = {
    "DEBOUNCE__QUIET_PERIOD": "0.3",
    "DEBOUNCE__MAX_WAIT": "2",
    "PUSH__LEASE": "3",
    "PUSH__CREATE_SETTLE_TIME": "3",
    "PUSH__RETRY_FIRST": "0.3",
    "PUSH__POLL_INTERVAL": "0.1",
    "PUSH__SHUTDOWN_GRACE": "0",
    "SWOOGO__DEADLINE": "2",
    "SWOOGO__CREDIT_RESERVE": "0",
    "KAFKA__SESSION_TIMEOUT": "6",
    "LOG__FORMAT": "console",
}


@dataclass(frozen=True, slots=True)
class Crash:
    """What came of one kill. `hit`: the process did die there; `wrong`: what was not as it must be afterwards."""

    moment: str
    hit: bool
    wrong: tuple[str, ...]


def conference() -> Conference:
    """Three talks, two people, a room, a track: some sixty effects."""
    return small(talks=3, people=2)


@dataclass(slots=True)
class Ground:
    """Shared servers, a sandbox and topics for many syncs one after the other."""

    running: World
    _before: Mapping[str, int] = field(default_factory=dict)

    async def effects(self) -> list[str]:
        """The effects of one full sync in their order, by name and number."""
        listing = self.running.swoogo.root / f"effects-{uuid.uuid4().hex[:8]}.txt"
        async with self._event() as playing:
            process = await self._start("", str(listing))
            await self._publish(playing)
            await playing.watch.until_idle(_PATIENCE)
            await asyncio.to_thread(process.stop)
            assert await self._wrong(playing) == ()
        return list(dict.fromkeys(listing.read_text().splitlines()))

    async def crash(self, moment: str) -> Crash:
        """A sync that dies at a moment (`redis claim_subject 2 after`), and what the next process makes of it."""
        async with self._event() as playing:
            process = await self._start(moment, "")
            await self._publish(playing)
            hit = await self._dead(process, playing)
            await asyncio.to_thread(process.stop, hard=True)
            process = await self._start("", "")
            try:
                await playing.watch.until_idle(_PATIENCE)
                wrong = await self._wrong(playing)
            except TimeoutError as error:
                wrong = (str(error),)
            finally:
                await asyncio.to_thread(process.stop)
        return Crash(moment, hit, wrong)

    @asynccontextmanager
    async def _event(self) -> AsyncIterator[Play]:
        before = await self.running.get("stats")
        async with play(self.running, conference(), event_id=next(_events), org_id=str(uuid.uuid4())) as playing:
            self._before = before["creates"]
            yield playing

    async def _start(self, moment: str, listing: str) -> ServiceProcess:
        environment = {**self.running.environment, "CRASH_AT": moment, "CRASH_LIST": listing}
        process = ServiceProcess(environment, self.running.swoogo.root / "crashing.log", _LAUNCHER)
        process.start()
        return process

    async def _publish(self, playing: Play) -> None:
        await playing.connect()
        await playing.publisher.publish(conference(), at=playing.now())
        now = datetime.now(UTC)
        playing.expected = fold(NOTHING, Resources.of(conference(), playing.event, at=now), now)

    async def _dead(self, process: ServiceProcess, playing: Play) -> bool:
        """Whether it dies before it has nothing left to do."""
        idle = asyncio.create_task(playing.watch.until_idle(_PATIENCE))
        try:
            while process.pid is not None:
                if idle.done():
                    idle.result()
                    return False
                await asyncio.sleep(0.05)
        finally:
            idle.cancel()
            await asyncio.gather(idle, return_exceptions=True)
        return True

    async def _wrong(self, playing: Play) -> tuple[str, ...]:
        """Nothing lost, nothing doubled, no call refused, the changelog is the ledger."""
        state, stats = await playing.state(), await self.running.get("stats")
        found = differences(state, playing.expected)
        if duplicates(state):
            found.append(f"{duplicates(state)} records are there twice")
        for kind in ("locations", "tracks", "sessions", "speakers"):
            made = stats["creates"].get(kind, 0) - self._before.get(kind, 0)
            if made != len(state[kind]):
                found.append(f"{made} {kind} were created, {len(state[kind])} are there")
        if stats["refused_429"]:
            found.append("calls were refused for want of credits")
        return (*found, *await self._unlogged(playing))

    async def _unlogged(self, playing: Play) -> list[str]:
        event_id = str(playing.event.id)
        async with open_session(self.running.settings) as held:
            ledger = {key: ledger_value(key, entry) for key, entry in (await held.ledger.load(event_id)).items()}
        logged = await newest(self.running, event_id)
        return [
            f"the changelog has another {key}"
            for key in sorted(ledger.keys() | logged.keys())
            if ledger.get(key) != logged.get(key)
        ]


async def newest(running: World, event_id: str) -> dict[str, bytes]:
    """What the changelog says of an event at last, by ledger key."""
    topic = running.settings.kafka.topics.ledger
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=running.bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    found: dict[str, bytes] = {}
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        while any([await consumer.position(place) < end for place, end in ends.items()]):
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    owner, _, key = record.key.decode().partition("/")
                    if owner == event_id and key.partition("/")[0] not in {"pair", "mapping"}:
                        found.pop(key, None)
                        if record.value is not None:
                            found[key] = record.value
    finally:
        await consumer.stop()
    return found


@asynccontextmanager
async def ground(bootstrap: str, redis_url: str) -> AsyncIterator[Ground]:
    """A sandbox and topics of their own on servers that run already."""
    servers = Servers(bootstrap, redis_url, f"crash-{uuid.uuid4().hex[:8]}")
    async with world(window=60.0, latency_ms=2.0, limit=100_000, settings=QUICK, servers=servers) as running:
        yield Ground(running)


def moments(effects: Sequence[str], seed: int) -> list[str]:
    """Before and after every effect: first one of each name, then the others, each part in an order of the seed's."""
    chance = Random(seed)
    by_name: dict[str, list[str]] = {}
    for each in effects:
        by_name.setdefault(each.rpartition(" ")[0], []).append(each)
    chosen = [chance.choice(named) for named in by_name.values() for _ in ("before", "after")]
    first = [f"{each} {('before', 'after')[at % 2]}" for at, each in enumerate(chosen)]
    rest = [f"{each} {when}" for each in effects for when in ("before", "after")]
    rest = [each for each in rest if each not in first]
    chance.shuffle(first)
    chance.shuffle(rest)
    return first + rest


async def crash_all(
    bootstrap: str, redis_url: str, most: int, seed: int, jobs: int, told: Callable[[Crash], None], until: float = inf
) -> tuple[int, list[Crash]]:
    """Kill at up to `most` moments, `jobs` syncs side by side, until `until` (time.monotonic).

    Returns how many moments there are, and what came of those tried.
    """
    done: list[Crash] = []
    async with AsyncExitStack() as stack:
        grounds = [await stack.enter_async_context(ground(bootstrap, redis_url)) for _ in range(jobs)]
        every = moments(await grounds[0].effects(), seed)
        left = iter(every[:most])

        async def work(place: Ground) -> None:
            for moment in left:
                if time.monotonic() > until:
                    return
                crash = await place.crash(moment)
                done.append(crash)
                told(crash)

        await asyncio.gather(*(work(place) for place in grounds))
    return len(every), done
