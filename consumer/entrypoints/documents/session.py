"""The stores in Redis as the commands use them: everything is read, only orders are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.arrivals import RecentArrivals
from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.circuits import RedisCircuits
from consumer.adapters.redis.credential_overview import CredentialOverview
from consumer.adapters.redis.event_stats import RedisEventStats
from consumer.adapters.redis.fleet import RedisFleet
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.orders import RedisOrders
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.programme import RedisProgramme
from consumer.adapters.redis.replays import RedisReplays
from consumer.adapters.redis.replicas import RedisReplicas
from consumer.adapters.redis.server_checks import check_redis
from consumer.adapters.redis.server_time import ServerTime, set_by_server
from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.adapters.redis.trouble_index import TroubleIndex
from consumer.domain.connections.pair import Pair
from consumer.domain.records.ledger import Entry
from consumer.entrypoints.documents.running import KafkaLook
from consumer.services.orders import Orders
from consumer.settings import Settings

if TYPE_CHECKING:
    from consumer.adapters.redis.records import RedisRecords
    from consumer.adapters.redis.timeline import RedisTimeline

T = TypeVar("T")


class _NoTopics:
    """Stands where a running service has its producer: the command line publishes nothing."""

    async def write(self, event_id: str, entries: Mapping[str, Entry | None]) -> None:
        """Never called by a command that only looks."""
        raise TypeError(f"the command line does not write the ledger of {event_id} ({len(entries)} entries)")

    async def note(self, event_id: str, deletions: Mapping[str, str]) -> None:
        """Never called by a command that only looks."""
        raise TypeError(f"the command line notes no deletions of {event_id} ({len(deletions)} contacts)")

    async def write_pairs(self, pairs: Sequence[Pair]) -> None:
        """Never called by a command that only looks."""
        raise TypeError(f"the command line does not write the history of {len(pairs)} pairs")


class StoreSession:
    """What the commands and pages look into: one Redis, and Kafka where it is asked."""

    def __init__(self, settings: Settings, bound: Stores, clock: SystemClock) -> None:
        redis, keys, scripts, nothing = bound.redis, bound.keys, bound.scripts, _NoTopics()
        self.settings, self.clock, self.kafka = settings, clock, KafkaLook(settings.kafka)
        self.inbox, self.connections, self.markers = bound.inbox, bound.connections, bound.markers
        self.pairs = RedisPairs(redis, keys, scripts, nothing)
        self.ledger = RedisLedger(redis, keys, scripts, nothing, bound.archive)
        self.board = RedisRuns(redis, keys)
        time = ServerTime(redis, clock)
        self.budget = RedisBudget(redis, keys, scripts, bound.leases, clock, settings.swoogo, time)
        self.replicas = RedisReplicas(redis, keys)
        self.overview = RedisEventStats(redis, keys, scripts)
        self.circuits = RedisCircuits(redis, keys, scripts, clock, settings.swoogo)
        self.trouble = TroubleIndex(redis, keys)
        self.credentials = CredentialOverview(redis, keys, settings.swoogo)
        self.arrivals = RecentArrivals(redis, keys)
        self.replays = RedisReplays(redis, keys)
        self.fleet = RedisFleet(redis, keys, self.overview, clock)
        self.programme = RedisProgramme(redis, keys)
        self.orders = Orders(RedisOrders(redis, keys, scripts), bound.inbox, bound.connections, clock)
        self._bound = bound

    @cached_property
    def timeline(self) -> RedisTimeline:
        """What happened to records. Loaded when it is asked for, with the reports of pushes that it holds."""
        from consumer.adapters.redis.timeline import RedisTimeline

        return RedisTimeline(self._bound.redis, self._bound.keys, self._bound.scripts)

    @cached_property
    def records(self) -> RedisRecords:
        """Single records. Loaded when it is asked for, with the planner that it needs."""
        from consumer.adapters.redis.records import RedisRecords

        return RedisRecords(self._bound.redis, self._bound.keys)


def in_session(settings: Settings, read: Callable[[StoreSession], Awaitable[T]]) -> tuple[T, int]:
    """What `read` finds in a session of its own, and the time at its end (ms). Raises as `open_session` does."""

    async def run() -> tuple[T, int]:
        async with open_session(settings) as stores:
            return await read(stores), stores.clock.now()

    return asyncio.run(run())


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncIterator[StoreSession]:
    """Connect to Redis, and disconnect at the end.

    Raises:
        UnavailableError: Redis does not answer.
        ConfigurationError: it would drop keys when it is full.
    """
    bound, clock = open_stores(settings), SystemClock()
    session = StoreSession(settings, bound, clock)
    try:
        await check_redis(bound.redis, settings.redis)
        await set_by_server(bound.redis, clock)
        yield session
    finally:
        await session.kafka.aclose()
        await bound.aclose()
