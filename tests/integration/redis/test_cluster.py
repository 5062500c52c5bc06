"""The client of a Redis Cluster: each command finds the server of its slot, also while slots and servers change."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from pydantic import RedisDsn
from redis.asyncio import Redis

from consumer.adapters.redis.client import connect
from consumer.adapters.redis.cluster import IN_ORDER, ClusterRedis
from consumer.adapters.redis.cluster_map import SLOTS, slot_of
from consumer.settings import RedisSettings
from sandbox.embedded import EmbeddedCluster, EmbeddedSentinels
from sandbox.embedded.valkey_cluster import standing_still
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration


@pytest.fixture
def clustered(cluster_redis: Redis) -> ClusterRedis:
    assert isinstance(cluster_redis, ClusterRedis)
    return cluster_redis


COUNT = "redis.call('SADD', KEYS[1], ARGV[1]) return redis.call('SCARD', KEYS[1])"


async def test_a_slot_moves_while_it_is_written_and_nothing_is_lost(
    cluster: EmbeddedCluster, clustered: ClusterRedis
) -> None:
    """Scripts, pipelines and transactions of one slot, while its keys go from server to server and back."""
    count = clustered.register_script(COUNT)
    slot, acknowledged, stop = slot_of("{e}"), set[int](), asyncio.Event()

    async def write(worker: int) -> None:
        number = worker
        while not stop.is_set():
            await count(["{e}:set"], [number])
            async with clustered.pipeline(transaction=True) as pipe:
                pipe.hset("{e}:hash", str(number), "1")
                pipe.hset("{e}:hash", "last", str(number))
                await pipe.execute()
            async with clustered.pipeline(transaction=False) as pipe:
                pipe.set("{other}:key", number)
                pipe.sadd("{e}:more", number)
                pipe.time()
                *_, (seconds, _) = await pipe.execute()
            assert seconds > 0
            acknowledged.add(number)
            number += 4

    async with asyncio.TaskGroup() as tasks:
        for worker in range(4):
            tasks.create_task(write(worker))
        home = await cluster.primary_of(slot)
        for to in (*await cluster.others(home), home):
            before = len(acknowledged)
            await wait_until(lambda before=before: len(acknowledged) > before + 20, "more is written", 10)  # type: ignore[misc]
            await cluster.move_slot(slot, to, keys=1)
        stop.set()
    expected = {str(each).encode() for each in acknowledged}
    assert await clustered.smembers("{e}:set") == expected
    assert await clustered.smembers("{e}:more") == expected
    assert set(await clustered.hkeys("{e}:hash")) == {*expected, b"last"}


async def test_a_slot_between_two_servers_is_served(cluster: EmbeddedCluster, clustered: ClusterRedis) -> None:
    """Its keys are at the one, and the slot is the other's still: each command asks for leave on its own connection."""
    count, slot = clustered.register_script(COUNT), slot_of("{between}")
    await count(["{between}:set"], ["before"])
    to, *_ = await cluster.others(await cluster.primary_of(slot))
    assert await cluster.move_slot(slot, to, end=False) == 1
    found = await asyncio.gather(*(count(["{between}:set"], [number]) for number in range(30)))
    assert sorted(found) == list(range(2, 32))
    async with clustered.pipeline(transaction=False) as pipe:
        pipe.scard("{between}:set")
        pipe.sismember("{between}:set", "before")
        assert await pipe.execute() == [31, 1]
    await cluster.move_slot(slot, to)
    assert await clustered.scard("{between}:set") == 31


async def test_commands_in_order_stay_in_order_across_servers(
    cluster: EmbeddedCluster, clustered: ClusterRedis
) -> None:
    """What its server does not answer yet comes before what another one would have done long ago."""
    async with clustered.pipeline(transaction=False, shard_hint=IN_ORDER) as pipe:
        async with standing_still(await cluster.primary_of(slot_of("{first}"))):
            pipe.set("{first}:key", 1)
            pipe.set("{second}:key", 2)
            pipe.time()
            running = asyncio.create_task(pipe.execute())
            for _ in range(20):
                assert await clustered.exists("{second}:key") == 0
        done = await running
    assert done[:2] == [True, True]
    assert await clustered.exists("{second}:key") == 1


async def test_the_map_has_every_slot_and_scans_see_every_server(clustered: ClusterRedis) -> None:
    names = {f"key-{number}".encode() for number in range(50)}
    for name in names:
        await clustered.set(name, b"1")
    assert {key async for key in clustered.scan_iter(match="key-*")} == names
    known = await clustered.map()
    assert sum(last + 1 - first for ranges in known.primaries.values() for first, last in ranges) == SLOTS


@pytest.fixture
async def own_cluster() -> AsyncIterator[tuple[EmbeddedCluster, ClusterRedis]]:
    """One whose servers may die."""
    async with EmbeddedCluster() as made:
        settings = RedisSettings(mode="cluster", url=RedisDsn(made.url), nodes=made.further, timeout=2)
        async with connect(settings) as client:
            assert isinstance(client, ClusterRedis)
            yield made, client


async def test_a_killed_primary_is_followed_by_its_replica(own_cluster: tuple[EmbeddedCluster, ClusterRedis]) -> None:
    """The replica knows no script, and is found by the command that its primary did not answer."""
    made, client = own_cluster
    count = client.register_script(COUNT)
    assert await count(["{e}:set"], ["before"]) == 1
    primary = await made.primary_of(slot_of("{e}"))
    [replica] = await made.replicas_of(primary)
    primary.stop(keep=True, hard=True)
    await made.promote(replica)
    assert await count(["{e}:set"], ["after"]) == 2
    assert await client.smembers("{e}:set") == {b"before", b"after"}


@pytest.mark.timeout(60)
async def test_sentinels_lead_to_the_server_they_promoted() -> None:
    async with EmbeddedSentinels() as made:
        settings = RedisSettings(
            mode="sentinel", url=RedisDsn(made.url), nodes=made.further, sentinel_master=made.name, timeout=2
        )
        async with connect(settings) as client:
            count = client.register_script(COUNT)
            assert await count(["set"], ["before"]) == 1
            assert await client.wait(1, 1000) == 1
            first = await made.primary()
            async with standing_still(first):

                async def another() -> bool:
                    return (await made.primary()) is not first

                await wait_until(another, "another server is promoted", 20)
                assert await count(["set"], ["after"]) == 2
            await wait_until(lambda: client.sadd("set", "again"), "the former primary is a replica", 20)
            assert await client.scard("set") == 3
