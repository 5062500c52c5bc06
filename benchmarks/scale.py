"""SCALE: what a round, housekeeping, a scrape, one more mapping and a recorded change cost, from few events to many."""

# ruff: noqa: SLF001 - a round is measured by itself

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast
from unittest.mock import AsyncMock

from benchmarks.figure import Figure
from benchmarks.scale_ground import programme, sent
from benchmarks.servers import Ground
from benchmarks.usage import memory
from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.topics import LEDGER, create_topics
from consumer.adapters.redis import codecs
from consumer.adapters.redis.event_stats import RedisEventStats
from consumer.adapters.redis.fleet import RedisFleet
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.domain.connections.connection import Connection, MappingRequest
from consumer.domain.connections.mapping import EventMapping
from consumer.ports import Change, event_subject, org_subject
from consumer.services.connect import Connector
from consumer.services.dispatch import Dispatcher
from consumer.settings import load_settings

NAME: Final = "scale"
_SIZES: Final = (1_000, 100_000)
_GOAL: Final = 1.2
"""Times as much with a hundred times as many events; 1 is flat."""
_FLAT: Final = {
    "a round while all places are taken",
    "one more mapping",
    "a scrape",
    "an event in a repair of the due index",
}
_MOST: Final = {
    ("one more mapping", "commands"): 30.0,
    ("a scrape", "ms CPU of Redis"): 5.0,
    ("a round while all places are taken", "ms CPU"): 50.0,
    ("a round while all places are taken", "commands"): 200.0,
    ("a change of 500 recorded", "ms CPU of Redis"): 0.01,
}
"""Goals that do not depend on how many there are."""
_ORG, _CREDENTIAL, _ZONE = "bench", "0123456789abcdef", "Europe/London"
_ROUNDS: Final = 20
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: CPU of this process and of Redis in ms, commands sent, and run: those of scripts too."""

    cpu: float
    redis: float
    commands: float
    run: float

    def of(self, many: int) -> Cost:
        """Of one, when this was for so many."""
        return Cost(self.cpu / many, self.redis / many, self.commands / many, self.run / many)


class _Scale:
    """So many mapped and due events of one credential, in a Redis that nothing else uses meanwhile."""

    def __init__(self, ground: Ground, events: int) -> None:
        servers = ground.named(f"{NAME}{events}")
        settings = load_settings(
            redis={"url": servers.redis_url, "prefix": servers.prefix.replace(".", "-")},
            kafka={"bootstrap_servers": servers.bootstrap, "topics": {"ledger": f"{servers.prefix}.ledger"}},
        )
        self.events, self.settings, self.clock = events, settings, SystemClock()
        self.stores: Stores = open_stores(settings)
        self.redis = self.stores.redis

    async def seed(self) -> None:
        """Rows as the service writes them, without the service: so that many are there in seconds."""
        keys, stores = self.stores.keys, self.stores
        await stores.connections.put_connection(_ORG, Connection(_ORG, _CREDENTIAL, continuous=True, sealed="sealed"))
        now = self.clock.now()
        for start in range(0, self.events, 500):
            async with self.redis.pipeline(transaction=False) as pipe:
                for number in range(start, min(start + 500, self.events)):
                    event, stamp = f"event-{number}", f"{number:015d}.{number:015d}.{number:019d}.0"
                    mapping = EventMapping(event, _ORG, number + 1, _ZONE, _CREDENTIAL, continuous=True)
                    wanted = MappingRequest(_ORG, event, True, number + 1, _ZONE)
                    pipe.set(keys.event(event, "mapping"), codecs.encode(mapping))
                    pipe.hset(
                        keys.event(event, "state"),
                        mapping={"continuous": 1, "due": now, "first": now, "oldest": number},
                    )
                    pipe.hset(keys.event(event, "figures"), mapping={"ledger/session/unknown": 5, "revision": 1})
                    pipe.hset(keys.event(event, "dirty"), "session/s", stamp)
                    pipe.hset(keys.event(event, "ledger"), mapping={f"session/{at}": b"x" * 300 for at in range(5)})
                    pipe.zadd(keys.due_of(event_subject(event)), {str(event_subject(event)): now})
                    pipe.sadd(keys.events(), event)
                    pipe.sadd(keys.org(_ORG, "mappings"), event)
                    pipe.hset(keys.org(_ORG, "rows"), f"mapping/{event}", codecs.encode(wanted))
                    pipe.hset(keys.org(_ORG, "versions"), f"mapping/{event}", stamp)
                await pipe.execute()

    async def cost(self, work: Callable[[], Awaitable[_T]], times: int = 1) -> tuple[Cost, _T]:
        """What one of so many times takes."""
        before, cpu, commands = await self._used(), time.process_time(), sent.total()
        for _ in range(times):
            answer = await work()
        cpu, commands = time.process_time() - cpu, sent.total() - commands
        after = await self._used()
        redis, run = ((now - then) / times for now, then in zip(after, before, strict=True))
        return Cost(cpu * 1000 / times, redis * 1000, commands / times, run), answer

    async def _used(self) -> tuple[float, float]:
        used, stats = await self.redis.info("cpu"), await self.redis.info("commandstats")
        return used["used_cpu_user"] + used["used_cpu_sys"], sum(each["calls"] for each in stats.values())

    def dispatcher(self) -> Dispatcher:
        """One whose pushes never end, so that all places of the credential stay taken."""
        nothing, inbox = cast("Any", AsyncMock()), cast("Any", self.stores.inbox)
        made = Dispatcher(
            inbox, self.stores.connections, nothing, nothing, nothing, nothing, self.clock, self.settings.push
        )
        inbox.claim = AsyncMock(return_value=None)
        return made

    async def rounds(self) -> tuple[Cost, Cost]:
        """The first look at everything, for each event; and a round while all places are taken."""
        made = cast("Any", self.dispatcher())
        made._taken[_CREDENTIAL] = self.settings.push.max_events_per_credential

        async def look() -> None:
            while await made._round() == 0:
                pass

        first, _ = await self.cost(look)
        steady, _ = await self.cost(made._round, _ROUNDS)
        return first.of(self.events), steady

    async def mapping(self) -> Cost:
        """One more pair, from its claim to its completion; Swoogo and Kafka answer at once."""
        stores, nothing = self.stores, cast("Any", AsyncMock())
        swoogo = cast("Any", AsyncMock())
        swoogo.event_timezone.return_value = _ZONE
        pairs = RedisPairs(stores.redis, stores.keys, stores.scripts, nothing)
        connector = Connector(stores.inbox, stores.connections, pairs, nothing, swoogo, nothing, self.clock, nothing)
        subject, number = org_subject(_ORG), iter(range(self.events + 1, self.events + 100))

        async def one_more() -> None:
            at = next(number)
            wanted = codecs.encode(MappingRequest(_ORG, f"event-{at}", True, at, _ZONE))
            stamp = f"{at:015d}.{at:015d}.{at:019d}.0"
            await stores.inbox.record(subject, [Change(f"mapping/event-{at}", stamp, wanted)])
            lease = await type(stores.inbox).claim(stores.inbox, subject, self.clock.new_id())
            assert lease is not None
            await connector.serve(lease)

        await one_more()  # loads the scripts
        cost, _ = await self.cost(one_more, 5)
        return cost

    async def scrape(self) -> Cost:
        """What one replica reads for its metrics."""
        fleet = self.fleet()
        await fleet.count()
        cost, _ = await self.cost(fleet.read, 20)
        return cost

    async def counting(self) -> Cost:
        """What the elected replica does every ten seconds, for all: it counts a part of the events."""
        fleet = self.fleet()
        cost, _ = await self.cost(fleet.count, 3)
        return cost

    async def repair(self) -> Cost:
        """An event's share of a turn of repairing the due index, ten minutes."""

        async def turn() -> None:
            while not await self.stores.inbox.repair_index(1.0):
                pass

        cost, _ = await self.cost(turn)
        return cost.of(self.events)

    async def sizes(self) -> tuple[int, int]:
        """Bytes of an event of 500 records in Redis: as it is, and archived."""
        keys, redis, event = self.stores.keys, self.redis, "sized"
        entries, rows = programme()
        await redis.hset(keys.event(event, "rows"), mapping=cast("Any", rows))
        await redis.hset(keys.event(event, "versions"), mapping=dict.fromkeys(rows, "0" * 53))
        await redis.hset(keys.event(event, "ledger"), mapping=cast("Any", entries))
        await redis.hset(keys.event(event, "state"), mapping={"continuous": 1, "epoch": 1})

        async def size() -> int:
            names = [key async for key in redis.scan_iter(keys.event(event, "*"), count=10_000)]
            return sum([int(await redis.memory_usage(name, samples=0) or 0) for name in names])

        live = await size()
        kafka = self.settings.kafka
        await create_topics(kafka.bootstrap_servers, {kafka.topics.ledger: LEDGER})
        assert await self.stores.archive.put_away(event, self.clock.new_id(), self.clock.now())
        return live, await size()

    def fleet(self) -> RedisFleet:
        stats = RedisEventStats(self.redis, self.stores.keys, self.stores.scripts)
        return RedisFleet(self.redis, self.stores.keys, stats, self.clock)

    async def recording(self) -> Cost:
        """One change of a batch of 500 that are all news."""
        batch, row = iter(range(100)), b'{"title":"%s"}' % (b"x" * 400)

        async def record() -> None:
            at = next(batch)
            changes = [
                Change(f"session/{number}", f"{at:015d}.{at:015d}.{number:019d}.0", row) for number in range(500)
            ]
            await self.stores.inbox.record(event_subject("recorded"), changes)

        await record()
        cost, _ = await self.cost(record, 40)
        return cost.of(500)


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is 100,000 mapped events, and 1,000 beside them."""
    sent.watch()
    small, large = (max(20, round(size * scale)) for size in _SIZES)
    (few, _), (many, (live, archived)) = [await _costs(ground, size) for size in (small, large)]
    figures = [
        Figure(benchmark=NAME, what="an event of 500 records", value=live, unit="bytes in Redis"),
        Figure(benchmark=NAME, what="the same archived", value=archived, unit="bytes in Redis", goal=4096),
        Figure(benchmark=NAME, what="resident memory", value=memory(os.getpid()).resident, unit="MB", goal=150.0),
    ]
    for what, cost in many.items():
        peer = few[what]
        for unit, value, beside in (
            ("ms CPU", cost.cpu, peer.cpu),
            ("ms CPU of Redis", cost.redis, peer.redis),
            ("commands", cost.commands, peer.commands),
            ("commands with those of scripts", cost.run, peer.run),
        ):
            figures.append(
                Figure(
                    benchmark=NAME,
                    what=what,
                    value=max(value, 1e-6),
                    unit=unit,
                    goal=_MOST.get((what, unit), _GOAL * beside if unit == "commands" and what in _FLAT else None),
                    peer=beside,
                    peer_name=f"with {small:,} events",
                    note=f"{large:,} mapped and due events of one credential; the goal is {_GOAL} times those of few.",
                )
            )
    return figures


async def _costs(ground: Ground, events: int) -> tuple[dict[str, Cost], tuple[int, int]]:
    made = _Scale(ground, events)
    try:
        await made.seed()
        first, steady = await made.rounds()
        return {
            "a due event looked at for the first time": first,
            "a round while all places are taken": steady,
            "one more mapping": await made.mapping(),
            "a scrape": await made.scrape(),
            "a count of the elected replica": await made.counting(),
            "an event in a repair of the due index": await made.repair(),
            "a change of 500 recorded": await made.recording(),
        }, await made.sizes()
    finally:
        await made.stores.aclose()
