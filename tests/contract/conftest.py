"""`bench`: each contract runs on the fakes, on Redis, and on a Redis whose replies are lost once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from redis.asyncio import Redis

from tests.contract.bench import Bench, Times, in_memory, in_redis
from tests.support.builders import EVENT
from tests.support.repeating import RepeatingRedis

MakeBench = Callable[..., Bench]


_REDIS = pytest.mark.integration


@pytest.fixture(params=["memory", pytest.param("redis", marks=_REDIS), pytest.param("redis_repeating", marks=_REDIS)])
def make_bench(request: pytest.FixtureRequest) -> MakeBench:
    """Makes benches of one world; two of them share what they store."""
    if request.param == "memory":
        made: list[Bench] = []

        def fakes(**times: float) -> Bench:
            if not made:
                made.append(in_memory(Times(**times)))  # type: ignore[arg-type] # limit and reserve are whole
            return made[0]

        return fakes
    redis: Redis = request.getfixturevalue("redis")
    client = RepeatingRedis(connection_pool=redis.connection_pool) if request.param == "redis_repeating" else redis

    def adapters(**times: float) -> Bench:
        return in_redis(client, Times(**times))  # type: ignore[arg-type]

    return adapters


@pytest.fixture
def bench(make_bench: MakeBench) -> Bench:
    """The ports with the usual short windows."""
    return make_bench()


@pytest.fixture
async def mapped(bench: Bench) -> Bench:
    """The event syncs continuously."""
    await bench.inbox.set_continuous(EVENT, on=True)
    return bench
