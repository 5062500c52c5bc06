"""What does not work with several servers is refused in a sentence, at the start and by `doctor`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.client import connect
from consumer.adapters.redis.cluster import ClusterRedis
from consumer.adapters.redis.server_checks import check_redis, unsupported
from consumer.adapters.redis.server_time import ServerTime, clocks_apart
from consumer.adapters.redis.stores import open_stores
from consumer.diagnostics.redis import check_redis_server
from consumer.domain.errors import ConfigurationError
from consumer.settings import RedisSettings, load_settings
from sandbox.embedded import EmbeddedCluster, EmbeddedSentinels

pytestmark = pytest.mark.integration


def settings(url: str, **more: Any) -> RedisSettings:
    return load_settings(redis={"url": url, "timeout": 2, **more}).redis


async def refusal(chosen: RedisSettings) -> str:
    async with connect(chosen) as redis:
        with pytest.raises(ConfigurationError) as caught:
            await check_redis(redis, chosen)
        assert str(caught.value) in {each.sentence for each in await check_redis_server(redis, chosen)}
        return str(caught.value)


async def test_a_mode_that_is_not_the_servers_is_refused(
    cluster: EmbeddedCluster, redis_url: str, redis: Redis
) -> None:
    assert await redis.ping()
    said = await refusal(settings(cluster.url))
    assert said == "Redis is a node of a cluster, and SWOOGO_SYNC_REDIS__MODE is standalone; set it to cluster."
    said = await refusal(settings(redis_url, mode="cluster"))
    assert said.endswith("is no node of a cluster; set SWOOGO_SYNC_REDIS__MODE to standalone.")
    said = await refusal(settings(redis_url, mode="sentinel", sentinel_master="conference"))
    assert said.endswith("is no sentinel; SWOOGO_SYNC_REDIS__URL and SWOOGO_SYNC_REDIS__NODES must name the sentinels.")


async def test_a_server_of_a_cluster_is_young_enough() -> None:
    info = {"cluster_enabled": 1, "redis_version": "6.2.0"}
    assert str(unsupported(info, settings("redis://r:1", mode="cluster"))).startswith("is of version 6.2.0;")
    assert unsupported(info | {"redis_version": "7.0.0"}, settings("redis://r:1", mode="cluster")) is None


@pytest.fixture
async def clustered(cluster: EmbeddedCluster) -> AsyncIterator[tuple[RedisSettings, ClusterRedis]]:
    chosen = settings(cluster.url, mode="cluster", nodes=cluster.further)
    async with connect(chosen) as redis:
        assert isinstance(redis, ClusterRedis)
        yield chosen, redis


async def test_doctor_looks_at_every_server_of_a_cluster(clustered: tuple[RedisSettings, ClusterRedis]) -> None:
    chosen, redis = clustered
    await check_redis(redis, chosen)
    found = {each.sentence for each in await check_redis_server(redis, chosen)}
    assert "takes writes" in found
    assert any(each.startswith("min-replicas-to-write is 0") for each in found)
    one = redis.at(next(iter((await redis.map()).primaries)))
    await one.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(ConfigurationError, match="evicts keys"):
            await check_redis(redis, chosen)
    finally:
        await one.config_set("maxmemory-policy", "noeviction")


async def test_no_call_starts_while_the_clocks_of_a_cluster_disagree(
    clustered: tuple[RedisSettings, ClusterRedis], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lease that one server gave seems good to another for too long."""
    _, redis = clustered
    assert await clocks_apart(redis) < 1
    first, *_ = (await redis.map()).primaries
    asked = redis.at(first)

    async def ahead() -> tuple[int, int]:
        seconds, micros = await Redis.time(asked)
        return seconds + 3, micros

    monkeypatch.setattr(asked, "time", ahead)
    time = ServerTime(redis, SystemClock())
    await time.follow()
    assert time.quiet_for() > 0


async def test_a_promotion_by_sentinels_is_another_server_though_a_process_comes_back() -> None:
    """Its history of replication is another one; its process is not, when it was the primary before."""
    async with EmbeddedSentinels() as made:
        among = {"mode": "sentinel", "nodes": made.further, "sentinel_master": made.name}
        stores = open_stores(load_settings(redis={"url": made.url, **among}))
        first = (await stores.markers.look()).server
        process, _, history = first.partition(":")
        assert len(process) == len(history) == 40
        info = await stores.redis.info("server")
        assert info["run_id"] == process
        await stores.redis.aclose()
