"""`bench`: each contract runs on the fakes, on Redis, on a Redis whose replies are lost once, and on a cluster."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from typing import Final

import pytest
from redis.asyncio import Redis

from tests.contract.bench import Bench, Times, in_memory, in_redis
from tests.contract.mapped_fields import GUESSES, World, guessed
from tests.support.builders import EVENT
from tests.support.repeating import RepeatingRedis

MakeBench = Callable[..., Bench]


_SERVERS: Final = {each: pytest.param(each, marks=pytest.mark.integration) for each in ("redis", "redis_repeating")}
_CLUSTER: Final = pytest.param("cluster", marks=pytest.mark.integration)
_IN_A_CLUSTER: Final = frozenset(
    {"connections", "inbox", "issue_feed", "ledger", "pairs", "queues", "status", "tokens"}
)
"""Suites that always run in a cluster as well; `make cluster-chaos` runs all of them there."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Which stores a suite runs on."""
    if "make_bench" in metafunc.fixturenames:
        suite = metafunc.module.__name__.rpartition("test_")[2].removesuffix("_contract")
        cluster = suite in _IN_A_CLUSTER or os.environ.get("SWOOGO_SYNC_TEST_CLUSTER") == "all"
        metafunc.parametrize(
            "make_bench", ["memory", *_SERVERS.values(), *([_CLUSTER] if cluster else [])], indirect=True
        )


@pytest.fixture
def make_bench(request: pytest.FixtureRequest) -> MakeBench:
    """Makes benches of one world; two of them share what they store."""
    if request.param == "memory":
        made: list[Bench] = []

        def fakes(**times: float) -> Bench:
            if not made:
                made.append(in_memory(Times(**times)))  # type: ignore[arg-type] # limit and reserve are whole
            return made[0]

        return fakes
    redis: Redis = request.getfixturevalue("cluster_redis" if request.param == "cluster" else "redis")
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


@pytest.fixture(params=["fake", *(name for name, _, _ in GUESSES)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Mapped fields of the fake, and of the sandbox under each guess."""
    async with guessed(request.param) as made:
        yield made
