"""A Redis that is full and was set up to drop keys then, after the service had started."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.client import read_hash
from consumer.services.rebuild_ports import reason_of
from tests.support.rebuild_ground import EVENT, a_ground

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6", "G2")]


@asynccontextmanager
async def short_of_memory(redis: Redis) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Give what writes when memory is short. What is used falls by itself, so the limit follows it down."""

    async def write() -> None:
        used = int((await redis.info("memory"))["used_memory"])
        await redis.config_set("maxmemory", used - 4_096)
        await redis.set("another", "x")

    try:
        await redis.config_set("maxmemory-policy", "allkeys-random")
        yield write
    finally:
        await redis.config_set("maxmemory", 0)
        await redis.config_set("maxmemory-policy", "noeviction")


async def kept(redis: Redis) -> set[str]:
    names = {key.decode() if isinstance(key, bytes) else key for key in await redis.keys("test:*")}
    # What is careful ends with a push, and numbers are counted again when they are asked for.
    return {name for name in names if "/" in name and not name.endswith((":careful", ":figures"))}


async def test_keys_that_redis_evicts_are_noticed_and_come_back(redis: Redis, redis_url: str) -> None:
    """An event without its ledger would be created a second time."""
    async with a_ground(redis, redis_url) as ground:
        ground.synced()
        replica = ground.replica()
        assert await replica.rebuilder.restore()
        assert await replica.rebuilder.is_redis_complete()
        before = await kept(redis)
        try:
            async with short_of_memory(redis) as write:
                while await kept(redis) >= before:
                    await write()
            await redis.delete("another")
            assert not await replica.rebuilder.is_redis_complete()
            assert reason_of(await replica.markers.look()) == "Redis dropped keys to make room; see maxmemory-policy."
            assert await replica.rebuilder.restore()
            assert await kept(redis) >= before
            assert b"session/s1" in await read_hash(redis, f"test:{{event/{EVENT}}}:ledger")
            assert await replica.rebuilder.is_redis_complete()
            # What was made good is no reason for another rebuild, here or in another replica.
            assert await ground.replica().rebuilder.is_redis_complete()
        finally:
            await redis.config_resetstat()


async def test_each_key_comes_back_when_redis_evicts_it_alone(redis: Redis, redis_url: str) -> None:
    """Rows without versions, versions without marks: what is left over must not speak for what is gone."""
    async with a_ground(redis, redis_url) as ground:
        ground.synced()
        await ground.replica().rebuilder.restore()
        before = await kept(redis)
        assert {f"test:{{event/{EVENT}}}:{name}" for name in ("rows", "versions", "dirty", "ledger")} <= before
        for name in sorted(before):
            await redis.delete(name)
            replica = ground.replica()
            evicted = (await replica.markers.look()).evicted.rpartition("/")[0] + "/-1"  # fewer than it says now
            await redis.hset("test:{generation}:about", "evicted", evicted)
            assert await replica.rebuilder.restore()
            assert before - await kept(redis) == set(), name
            state = await replica.stores.inbox.load(EVENT)
            assert state.snapshot.sessions, name
            assert set(state.marks) == {f"session/{each}" for each in state.snapshot.sessions} | {
                f"contact/{each}" for each in state.snapshot.contacts
            }, name
