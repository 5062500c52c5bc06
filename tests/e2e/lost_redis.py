"""A world on a Valkey of its own, and the rebuild after what was done to that."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import Redis

from consumer.adapters.redis.client import read_hash
from consumer.adapters.redis.keys import Keys
from sandbox.demo.play import Play
from sandbox.demo.world import Servers, World, world
from sandbox.embedded import EmbeddedValkey
from tests.e2e.conftest import QUICK
from tests.support.waiting import wait_until

_LEASE: Final = "5"


@asynccontextmanager
async def a_world(kafka_bootstrap: str, valkey: EmbeddedValkey, **options: Any) -> AsyncIterator[World]:
    """A world on a Valkey of its own, with one replica."""
    servers = Servers(kafka_bootstrap, valkey.url, f"lost-{uuid.uuid4().hex[:8]}")
    settings = {**QUICK, "PUSH__LEASE": _LEASE, "SWOOGO__DEADLINE": "3", **options.pop("settings", {})}
    latency = options.pop("latency_ms", 2.0)
    async with world(
        window=60.0, latency_ms=latency, limit=100_000, settings=settings, servers=servers, partitions=3
    ) as running:
        running.start_service()
        yield running


async def marker(redis: Redis, world: World) -> dict[bytes, bytes]:
    return await read_hash(redis, Keys(world.settings.redis.prefix).generation("marker"))


async def rebuilt(playing: Play, redis: Redis, before: bytes) -> None:
    """Wait until another generation has begun."""

    async def rebuilt() -> bool:
        for replica in playing.world.replicas:
            replica.check()
        found = await marker(redis, playing.world)
        return found.get(b"id", before) != before

    await wait_until(rebuilt, "Redis is rebuilt", 60)
