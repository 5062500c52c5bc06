"""The stores in Redis as the commands use them: everything is read, only orders are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.arrivals import RecentArrivals
from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.circuits import RedisCircuits
from consumer.adapters.redis.connections import RedisConnections
from consumer.adapters.redis.credential_overview import CredentialOverview
from consumer.adapters.redis.event_stats import RedisEventStats
from consumer.adapters.redis.fleet import RedisFleet
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.orders import RedisOrders
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.programme import RedisProgramme
from consumer.adapters.redis.rebuild_marker import RedisMarkers
from consumer.adapters.redis.records import RedisRecords
from consumer.adapters.redis.replays import RedisReplays
from consumer.adapters.redis.replicas import RedisReplicas
from consumer.adapters.redis.server_checks import check_redis
from consumer.adapters.redis.server_time import ServerTime, set_by_server
from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import open_stores
from consumer.adapters.redis.timeline import RedisTimeline
from consumer.adapters.redis.trouble_index import TroubleIndex
from consumer.domain.connection import Announcement
from consumer.domain.ledger import Entry
from consumer.domain.pair import Pair
from consumer.domain.run import Run
from consumer.entrypoints.documents.kafka_look import KafkaLook
from consumer.ports import Clock
from consumer.services.orders import Orders
from consumer.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoreSession:
    """What the commands look into."""

    settings: Settings
    inbox: RedisInbox
    connections: RedisConnections
    pairs: RedisPairs
    ledger: RedisLedger
    board: RedisRuns
    budget: RedisBudget
    clock: Clock
    markers: RedisMarkers
    replicas: RedisReplicas
    overview: RedisEventStats
    circuits: RedisCircuits
    trouble: TroubleIndex
    credentials: CredentialOverview
    arrivals: RecentArrivals
    replays: RedisReplays
    kafka: KafkaLook
    fleet: RedisFleet
    programme: RedisProgramme
    orders: Orders
    timeline: RedisTimeline
    records: RedisRecords


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

    async def run(self, run: Run) -> None:
        """Never called by a command that only looks."""
        raise TypeError(f"the command line does not publish run {run.id}")

    async def announce(self, announcement: Announcement) -> None:
        """Never called by a command that only looks."""
        raise TypeError(f"the command line does not publish {announcement.action}")


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
    bound = open_stores(settings)
    clock, nothing, look = SystemClock(), _NoTopics(), KafkaLook(settings.kafka)
    try:
        await check_redis(bound.redis, settings.redis)
        await set_by_server(bound.redis, clock)
        time = ServerTime(bound.redis, clock)
        overview = RedisEventStats(bound.redis, bound.keys, bound.scripts)
        yield StoreSession(
            settings,
            bound.inbox,
            bound.connections,
            RedisPairs(bound.redis, bound.keys, bound.scripts, nothing),
            RedisLedger(bound.redis, bound.keys, bound.scripts, nothing),
            RedisRuns(bound.redis, bound.keys),
            RedisBudget(bound.redis, bound.keys, bound.scripts, bound.leases, clock, settings.swoogo, time),
            clock,
            bound.markers,
            RedisReplicas(bound.redis, bound.keys),
            overview,
            RedisCircuits(bound.redis, bound.keys, bound.scripts, clock, settings.swoogo),
            TroubleIndex(bound.redis, bound.keys),
            CredentialOverview(bound.redis, bound.keys, settings.swoogo),
            RecentArrivals(bound.redis, bound.keys),
            RedisReplays(bound.redis, bound.keys),
            look,
            RedisFleet(bound.redis, bound.keys, overview, clock),
            RedisProgramme(bound.redis, bound.keys),
            Orders(RedisOrders(bound.redis, bound.keys, bound.scripts), bound.inbox, bound.connections, clock),
            RedisTimeline(bound.redis, bound.keys, bound.scripts),
            RedisRecords(bound.redis, bound.keys),
        )
    finally:
        await look.aclose()
        await bound.redis.aclose()
