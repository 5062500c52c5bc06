"""The clock of this process goes by the Redis server's, as leases and credits do (decision 0039).

A replica whose clock is ahead would take an unanswered create of another one for settled, and make it twice (G2).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.client import guarded
from consumer.domain.errors import UnavailableError

_EVERY_SECONDS: Final = 60.0
_TOLD_FROM_SECONDS: Final = 5.0

log = structlog.get_logger("app")


@asynccontextmanager
async def following(redis: Redis, clock: SystemClock) -> AsyncIterator[None]:
    """Set the clock by the server's now, and once a minute until the end.

    Raises UnavailableError when the server does not tell now; later it is asked again in a minute.
    """
    _tell(await set_by_server(redis, clock))

    async def follow() -> None:
        while True:
            await clock.sleep(_EVERY_SECONDS)
            with suppress(UnavailableError):
                _tell(await set_by_server(redis, clock))

    task = asyncio.create_task(follow(), name="clock")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


@guarded
async def set_by_server(redis: Redis, clock: SystemClock) -> float:
    """Set the clock by the server's, once; returns by how many seconds it was moved. Raises UnavailableError."""
    asked = clock.ticks()
    seconds, micros = await redis.time()
    return clock.set_by(seconds * 1_000_000_000 + micros * 1_000, asked, clock.ticks()) / 1e9


def _tell(moved: float) -> None:
    if abs(moved) >= _TOLD_FROM_SECONDS:
        log.warning("app.clock_set", seconds=round(moved, 1))
