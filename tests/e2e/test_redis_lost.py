"""End to end: Redis loses something while the service runs, and Swoogo shows nothing of it (G1, G2, G5, G6)."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.client import read_hash
from consumer.adapters.redis.keys import Keys
from sandbox.demo.play import Play, play
from sandbox.demo.world import Servers, World, world
from sandbox.embedded import EmbeddedValkey
from tests.e2e.conftest import QUICK
from tests.support.conferences import edited, small
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

_events = itertools.count(9001)
_LEASE: Final = "8"


@asynccontextmanager
async def a_world(kafka_bootstrap: str, valkey: EmbeddedValkey, **options: Any) -> AsyncIterator[World]:
    """A world on a Valkey of its own, with one replica."""
    servers = Servers(kafka_bootstrap, valkey.url, f"lost-{uuid.uuid4().hex[:8]}")
    settings = {**QUICK, "PUSH__LEASE": _LEASE, "SWOOGO__DEADLINE": "6", **options.pop("settings", {})}
    async with world(window=60.0, latency_ms=2.0, limit=100_000, settings=settings, servers=servers) as running:
        running.start_service()
        yield running


@pytest.fixture
async def valkey() -> AsyncIterator[EmbeddedValkey]:
    """A Valkey that this test may do anything to."""
    server = EmbeddedValkey()
    await server.astart()
    yield server
    await server.astop()


@pytest.fixture
async def playing(kafka_bootstrap: str, valkey: EmbeddedValkey) -> AsyncIterator[Play]:
    """A conference that was synced."""
    async with (
        a_world(kafka_bootstrap, valkey) as running,
        play(running, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as begun,
    ):
        await begun.connect()
        await begun.publish([small()], "import")
        assert begun.exact
        yield begun


async def marker(redis: Redis, world: World) -> dict[bytes, bytes]:
    return await read_hash(redis, Keys(world.settings.redis.prefix).generation("marker"))


async def rebuilt(playing: Play, redis: Redis, before: bytes) -> None:
    """Wait until another generation has begun."""

    async def anew() -> bool:
        for replica in playing.world.replicas:
            replica.check()
        found = await marker(redis, playing.world)
        return found.get(b"id", before) != before

    await wait_until(anew, "Redis is rebuilt", 60)


async def test_g6_a_wiped_redis_comes_back_and_nothing_is_doubled(playing: Play, valkey: EmbeddedValkey) -> None:
    """FLUSHALL while the service runs: entries, pair, connection and snapshot come back, without one write call."""
    redis = Redis.from_url(valkey.url)
    before = (await marker(redis, playing.world))[b"id"]
    shown = await playing.world.get("stats")
    await redis.flushall()
    await rebuilt(playing, redis, before)
    await playing.watch.until_idle(60)
    after = await playing.world.get("stats")
    assert after["refused_429"] == 0
    assert after["credits"] == shown["credits"]
    chapter = await playing.publish([edited(small(), 1, title="After the loss")], "a change after the loss")
    assert playing.exact
    assert chapter.writes == 1
    await redis.aclose()
