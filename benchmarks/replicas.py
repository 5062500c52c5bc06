"""REPLICAS: the same load on one, two and four processes of the service, as the sandbox's journal shows it.

A process has few places for events, and a push makes one call at a time, so latency bounds a replica and not the cores
of this machine. The calls of one push are then at least one latency apart: two pushes of an event at once, by whatever
replicas, would show as calls that are closer.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Self

import httpx
from redis.asyncio import Redis

from benchmarks.figure import Figure
from benchmarks.programme import ZONE, programme
from benchmarks.servers import Ground
from benchmarks.usage import cpu_seconds
from consumer.adapters.redis.keys import Keys
from consumer.adapters.sealing import seal
from sandbox.conference.publisher import Publisher
from sandbox.conference.records import Record, Writer
from sandbox.conference.sessionboard import Event
from sandbox.demo.world import World, world
from sandbox.embedded.server import HOST, free_ports

NAME: Final = "replicas"
_REPLICAS: Final = (1, 2, 4)
_GROWTH: Final = {2: 1.7, 4: 2.5}
"""Times one replica; four of them, the sandbox, Kafka and Redis want more than the two cores of a small machine."""
_FAIR: Final = 0.95
_ALONE: Final = 0.98
"""Latencies; two per cent for clocks."""
_LATENCY_MS: Final = 50.0
_SESSIONS: Final = 3
_PLACES: Final = 2
_SETTINGS: Final = {
    "DEBOUNCE__QUIET_PERIOD": "2",
    "PUSH__CONCURRENCY": "1",
    "PUSH__MAX_EVENTS": str(_PLACES),
    "RECONCILE__INTERVAL": "0",
    "LOG__LEVEL": "WARNING",
}
_LIMIT: Final = 100_000
_FIRST_EVENT: Final = 8001
_POLL_SECONDS: Final = 0.1
_LONGEST: Final = 120.0


@dataclass(frozen=True, slots=True)
class Create:
    """One create as the sandbox noted it: when it took effect (s), with which credential, in which event."""

    at: float
    credential: str
    event: str


@dataclass(frozen=True, slots=True)
class Load:
    """What so many replicas did: the creates, CPU seconds of them and of the sandbox meanwhile, and the load then."""

    replicas: int
    creates: Sequence[Create]
    cpu: float
    busy: float = 0.0

    @property
    def seconds(self) -> float:
        """From the arrival of the first call to the answer of the last."""
        return self.creates[-1].at - self.creates[0].at + _LATENCY_MS / 1000

    @property
    def rate(self) -> float:
        """Creates a second."""
        return len(self.creates) / self.seconds

    def fairness(self, credentials: int) -> float:
        """Jain's index over what each credential has when half of all is done."""
        had = Counter(each.credential for each in self.creates[: len(self.creates) // 2])
        return jain([*had.values(), *[0] * (credentials - len(had))])

    @property
    def least(self) -> float:
        """The least time between two creates of an event, in latencies."""
        moments: dict[str, list[float]] = defaultdict(list)
        for each in self.creates:
            moments[each.event].append(each.at)
        apart = (later - sooner for each in moments.values() for sooner, later in itertools.pairwise(each))
        return min(apart) * 1000 / _LATENCY_MS


def jain(shares: Sequence[float]) -> float:
    """Jain's index: 1 when all have the same, 1/n when one has all."""
    return sum(shares) ** 2 / (len(shares) * sum(each * each for each in shares))


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 200 events of 20 credentials; one replica, then two, then four push three new sessions of each."""
    credentials, each = max(2, round(20 * min(scale, 1))), max(2, round(10 * min(scale, 1)))
    counts = _REPLICAS if scale >= 0.1 else _REPLICAS[:2]
    async with world(
        window=600, latency_ms=_LATENCY_MS, limit=_LIMIT, settings=_SETTINGS, servers=ground.named(NAME)
    ) as running:
        seeded = await running.post(
            "seed",
            {
                "credentials": [{"key": f"bench-{org}", "secret": f"s-{org}"} for org in range(credentials)],
                "events": [{"name": "Bench", "timezone": ZONE}] * (credentials * each),
            },
        )
        writers = [
            Writer(
                event=Event(id=_FIRST_EVENT + at, org_id=f"org-{at % credentials}", name=f"Event {at}", timezone=ZONE),
                topics=running.topics,
            )
            for at in range(credentials * each)
        ]
        async with Publisher(running.bootstrap, writers[0]) as publisher, _Swarm(running) as swarm:
            await swarm.grow(1)
            await publisher.send(_connected(running, writers[:credentials]))
            now = datetime.now(UTC)
            await publisher.send(
                [writer.mapping_added(own, at=now) for writer, own in zip(writers, seeded["events"], strict=True)]
            )
            # A pair that was just accepted is pushed once by itself.
            await swarm.until(lambda: swarm.settled(writers))
            loads = []
            for number, count in enumerate(counts):
                await swarm.grow(count)
                loads.append(await _load(running, publisher, swarm, writers, number))
        refused = (await running.get("stats"))["refused_429"]
    return _figures(loads, credentials, len(writers), refused)


class _Swarm:
    """The replicas of a run, and a look into their Redis."""

    def __init__(self, running: World) -> None:
        self.running, self.keys = running, Keys(running.settings.redis.prefix)
        self._redis = Redis.from_url(str(running.settings.redis.url))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._redis.aclose()

    async def grow(self, count: int) -> None:
        """Have so many replicas, all ready."""
        for number in range(len(self.running.replicas), count):
            [port] = free_ports(1)
            self.running.start_service(f"replica-{number}", HTTP__PORT=str(port))
            await self.until(lambda port=port: _ready(port))  # type: ignore[misc]

    async def settled(self, writers: Sequence[Writer]) -> bool:
        """Whether every event was pushed, and none is due."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for writer in writers:
                pipe.hmget(self.keys.event(str(writer.event.id), "state"), ["done", "due"])
            return all(done is not None and due is None for done, due in await pipe.execute())

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for it. Raises TimeoutError, and ServerFailedError when a replica has ended."""
        async with asyncio.timeout(_LONGEST):
            while not await condition():
                for replica in self.running.replicas:
                    replica.check()
                await asyncio.sleep(_POLL_SECONDS)

    def cpu(self) -> float:
        """CPU seconds of all replicas and the sandbox so far."""
        pids = [replica.pid for replica in self.running.replicas]
        return sum(cpu_seconds(pid) for pid in [*pids, self.running.swoogo.pid] if pid)


async def _ready(port: int) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            return (await client.get(f"http://{HOST}:{port}/readyz")).is_success
        except httpx.TransportError:
            return False


def _connected(running: World, writers: Sequence[Writer]) -> list[Record]:
    now = datetime.now(UTC)
    return [
        writer.integration_connected(
            sealed=seal(running.keys.public, f"bench-{at}", f"s-{at}", org_id=writer.event.org_id),
            continuous_sync=True,
            at=now,
        )
        for at, writer in enumerate(writers)
    ]


async def _load(running: World, publisher: Publisher, swarm: _Swarm, writers: Sequence[Writer], number: int) -> Load:
    """Publish so many new sessions of every event that the load is the same each time; wait until all are pushed."""
    before = (await running.get("stats"))["calls"]
    now, cpu, records = datetime.now(UTC), swarm.cpu(), []
    for writer in writers:
        old, new = (
            programme(sessions=_SESSIONS * many, speakers=0, rooms=0, tracks=0, name=writer.event.name)
            for many in (number, number + 1)
        )
        records += writer.revision(old if number else None, new, at=now)
    await publisher.send(records)
    wanted, found = len(writers) * _SESSIONS, list[Create]()

    async def all_there() -> bool:
        nonlocal before
        calls: list[dict[str, Any]] = await running.get(f"journal?since={before}")
        before += len(calls)
        found.extend(
            Create(call["at"], call["credential"], call["body"]["event_id"])
            for call in calls
            if call["method"] == "POST" and isinstance(call["body"], dict) and "event_id" in call["body"]
        )
        return len(found) >= wanted

    await swarm.until(all_there)
    cpu, busy = swarm.cpu() - cpu, os.getloadavg()[0]
    await swarm.until(lambda: swarm.settled(writers))
    await all_there()
    return Load(len(running.replicas), sorted(found, key=lambda each: each.at), cpu, busy)


def _figures(loads: Sequence[Load], credentials: int, events: int, refused: int) -> list[Figure]:
    one, wanted = loads[0], events * _SESSIONS
    bound = _PLACES * 1000 / _LATENCY_MS
    figures = []
    for load in loads:
        exact = "" if len(load.creates) == wanted else f" NOT exact: {len(load.creates)} creates of {wanted}."
        figures.append(
            Figure(
                benchmark=NAME,
                what=f"{load.replicas} replica{'s' if load.replicas > 1 else ''}",
                value=load.rate,
                unit="creates/s",
                goal=_GROWTH[load.replicas] * one.rate if load.replicas in _GROWTH else None,
                more_is_better=True,
                peer=one.rate if load is not one else None,
                peer_name="one replica" if load is not one else "",
                note=(
                    f"{len(load.creates):,} creates of {events} events and {credentials} credentials in "
                    f"{load.seconds:.1f} s; latency allows {bound * load.replicas:.0f} calls/s; service and "
                    f"sandbox used {load.cpu / load.seconds:.1f} of {os.cpu_count()} cores, "
                    f"load {load.busy:.1f}.{exact}"
                ),
            )
        )
    return [
        *figures,
        Figure(
            benchmark=NAME,
            what="Jain's index over credentials when half is done, the least",
            value=min(load.fairness(credentials) for load in loads),
            unit="",
            goal=_FAIR,
            more_is_better=True,
            note=", ".join(f"{load.replicas}: {load.fairness(credentials):.3f}" for load in loads),
        ),
        Figure(
            benchmark=NAME,
            what="least time between two creates of an event",
            value=min(load.least for load in loads),
            unit="latencies",
            goal=_ALONE,
            more_is_better=True,
            note="A push makes one call at a time; two of one event at once would come closer.",
        ),
        Figure(benchmark=NAME, what="calls refused with 429", value=refused, unit="calls", goal=0),
    ]
