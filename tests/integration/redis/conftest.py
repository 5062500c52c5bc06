"""Fixtures: keys without the adapters that name them, a server on the test's own clock, and a ground for rebuilds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from redis.asyncio import Redis

from tests.integration.redis.script_calls import EPOCH, STATE
from tests.support.fakes import FakeClock
from tests.support.rebuild_ground import Ground, a_ground
from tests.support.server_time import TimedServer


@pytest.fixture
async def keys_of_its_own(redis: Redis) -> AsyncIterator[None]:
    """The test uses keys of `script_calls`, which the check for leaks does not know."""
    await redis.hset(STATE, "epoch", str(EPOCH - 1))
    yield
    await redis.flushdb()


@pytest.fixture
def server(redis_url: str) -> Iterator[TimedServer]:
    """Empty, and on a clock that the test may replace by `forget`."""
    made = TimedServer(redis_url)
    made.forget(FakeClock())
    yield made
    made.close()


@pytest.fixture
async def ground(redis: Redis, redis_url: str) -> AsyncIterator[Ground]:
    """One Redis and one Kafka for replicas that rebuild."""
    async with a_ground(redis, redis_url) as made:
        yield made
