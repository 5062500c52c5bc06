"""The stores in Redis that every command needs, bound to one connection pool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from redis.asyncio import Redis

from consumer.adapters.redis.archive import ArchiveTopic, RedisArchive
from consumer.adapters.redis.client import connect
from consumer.adapters.redis.cluster import ClusterRedis
from consumer.adapters.redis.cluster_marker import ClusterMarkers
from consumer.adapters.redis.connections import RedisConnections
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.adapters.redis.rebuild_marker import RedisMarkers
from consumer.adapters.redis.scripts import Scripts
from consumer.settings import Settings


@dataclass(frozen=True, slots=True)
class Stores:
    """What lies in Redis; enough for every command that only looks."""

    redis: Redis
    keys: Keys
    scripts: Scripts
    leases: Leases
    inbox: RedisInbox
    connections: RedisConnections
    markers: RedisMarkers
    archive: RedisArchive

    async def aclose(self) -> None:
        await self.archive.aclose()
        await self.redis.aclose()


def open_stores(settings: Settings, archive_topic: Callable[[], ArchiveTopic] | None = None) -> Stores:
    """Bind the Redis adapters; nothing is sent yet. `archive_topic`: where archived ledgers lie, by default Kafka."""
    redis = connect(settings.redis)
    keys, scripts, leases = Keys(settings.redis.prefix), Scripts(redis), Leases()
    archive = RedisArchive(redis, keys, scripts, archive_topic or partial(_on_kafka, settings))
    return Stores(
        redis,
        keys,
        scripts,
        leases,
        RedisInbox(redis, keys, scripts, leases, settings.debounce, settings.push, settings.reconcile, archive),
        RedisConnections(redis, keys, scripts),
        ClusterMarkers(redis, keys, scripts)
        if isinstance(redis, ClusterRedis)
        else RedisMarkers(redis, keys, scripts, replicas=settings.redis.mode == "sentinel"),
        archive,
    )


def _on_kafka(settings: Settings) -> ArchiveTopic:
    from consumer.adapters.kafka.archive import KafkaArchive  # few commands ever meet an archived event

    return KafkaArchive(settings.kafka)
