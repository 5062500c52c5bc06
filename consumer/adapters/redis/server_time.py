"""The clock of this process goes by the Redis server's, as leases and credits do (decision 0039).

A replica whose clock is ahead would take an unanswered create of another one for one that did not happen, and make it
twice (G2). The server's clock may itself be set, or a failover lead to another one: that shows against the ticks of
this process (decision 0052).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.cluster import ClusterRedis
from consumer.adapters.redis.cluster_map import Address
from consumer.domain.errors import UnavailableError

_EVERY_SECONDS: Final = 5.0
_JUMP_SECONDS: Final = 5.0
"""From here on it is a jump; less is how clocks drift and answers are late."""

MOST_APART_SECONDS: Final = 1.0
"""By so much the clocks of a cluster's servers may differ; permits allow for it."""

log = structlog.get_logger("app")


class ServerTime:
    """What the server's clock did since this process follows it.

    Attributes:
        set_forward: how often it was set forward.
        set_back: how often it was set back.
    """

    def __init__(self, redis: Redis, clock: SystemClock, *, quiet: float = 0.0) -> None:
        """Ask nothing yet. `quiet`: seconds after which calls that were made before a jump have had their effect."""
        self.set_forward = 0
        self.set_back = 0
        self._redis = redis
        self._clock = clock
        self._quiet = round(quiet * 1e9)
        self._quiet_until = clock.ticks()
        self._told: list[Callable[[float], None]] = []

    def on_jump(self, listener: Callable[[float], None]) -> None:
        """Call it at each jump, with seconds: above 0 forward, below 0 back."""
        self._told.append(listener)

    def now(self) -> int:
        """Ms since the epoch that the server's clock should show."""
        return self._clock.now()

    def quiet_for(self) -> float:
        """Seconds for which no call may start, since leases and waits seem over that are not; 0 mostly."""
        return max(self._quiet_until - self._clock.ticks(), 0) / 1e9

    async def follow(self) -> None:
        """Set the clock by the server's, and see whether that was set. Raises UnavailableError."""
        moved = await set_by_server(self._redis, self._clock)
        if (apart := await clocks_apart(self._redis)) > MOST_APART_SECONDS:
            # A lease that one server gave seems good to another for too long.
            self._quiet_until = max(self._quiet_until, self._clock.ticks() + round(_EVERY_SECONDS * 2e9))
            log.warning("app.clocks_apart", seconds=round(apart, 1))
        if abs(moved) < _JUMP_SECONDS:
            return
        if moved > 0:
            self.set_forward += 1
            self._quiet_until = self._clock.ticks() + self._quiet
        else:
            self.set_back += 1
        log.warning("app.clock_set", seconds=round(moved, 1))
        for listener in self._told:
            listener(moved)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Set the clock by the server's now, and every few seconds until the end.

        Raises UnavailableError when the server does not answer now; later it is asked again.
        """
        moved = await set_by_server(self._redis, self._clock)
        if abs(moved) >= _JUMP_SECONDS:
            log.warning("app.clock_set", seconds=round(moved, 1))

        async def follow() -> None:
            while True:
                await self._clock.sleep(_EVERY_SECONDS)
                with suppress(UnavailableError):
                    await self.follow()

        task = asyncio.create_task(follow(), name="clock")
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait({task})


@guarded
async def clocks_apart(redis: Redis) -> float:
    """Seconds between the clocks of a cluster's servers; 0 for a single server. Raises UnavailableError."""
    if not isinstance(redis, ClusterRedis):
        return 0.0
    times = await server_times(redis)
    return max(times) - min(times)


async def server_times(redis: Redis) -> Sequence[float]:
    """Seconds since the epoch by the clock of each server that takes writes."""
    each = (await redis.everywhere(_time)).values() if isinstance(redis, ClusterRedis) else [await redis.time()]
    return [seconds + micros / 1e6 for seconds, micros in each]


def _time(_: Address, at: Redis) -> Awaitable[tuple[int, int]]:
    return at.time()


@guarded
async def set_by_server(redis: Redis, clock: SystemClock) -> float:
    """Set the clock by the server's, once; returns by how many seconds it was moved. Raises UnavailableError."""
    asked = clock.ticks()
    seconds, micros = await redis.time()
    return clock.set_by(seconds * 1_000_000_000 + micros * 1_000, asked, clock.ticks()) / 1e9
