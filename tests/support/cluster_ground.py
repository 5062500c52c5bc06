"""A cluster, a service in it that has everything, and what Kafka has: for rebuilds of what one server lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import RedisDsn

from consumer.adapters.redis.client import connect
from consumer.adapters.redis.cluster_map import slot_of
from consumer.settings import RedisSettings
from sandbox.embedded import EmbeddedCluster, EmbeddedValkey
from tests.support.rebuild_ground import EVENT, Ground, Replica, a_ground


@dataclass
class Servers:
    """A cluster, a rebuilt service in it, and what Kafka has."""

    cluster: EmbeddedCluster
    ground: Ground
    replica: Replica

    async def of_event(self) -> tuple[EmbeddedValkey, EmbeddedValkey]:
        """The server that has the event, and its replica."""
        primary = await self.cluster.primary_of(slot_of(self.replica.stores.keys.event(EVENT, "ledger")))
        [follower] = await self.cluster.replicas_of(primary)
        return primary, follower

    async def entries(self) -> int:
        return int(await self.replica.stores.redis.hlen(self.replica.stores.keys.event(EVENT, "ledger")))

    def reads_from(self) -> dict[str, int]:
        """Topic -> the first offset that was read since the last question."""
        reads, self.ground.history.reads = self.ground.history.reads, []
        return {topic: start for topic, start, _ in reversed(reads)}


@asynccontextmanager
async def servers(cluster: EmbeddedCluster) -> AsyncIterator[Servers]:
    """A service in it that has everything, as every server has."""
    settings = RedisSettings(mode="cluster", url=RedisDsn(cluster.url), nodes=cluster.further)
    among = {"mode": "cluster", "nodes": cluster.further}
    async with connect(settings) as redis, a_ground(redis, cluster.url, among) as ground:
        await redis.flushdb()
        ground.synced()
        replica = ground.replica()
        assert await replica.rebuilder.restore()
        assert await replica.rebuilder.is_redis_complete()
        await cluster.whole()
        made = Servers(cluster, ground, replica)
        made.reads_from()
        yield made
