"""What every process of the service does: it says that it lives, and a listener answers until it is stopped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from consumer.adapters.redis.replicas import RedisReplicas, Replica
from consumer.domain.errors import UnavailableError
from consumer.observability.telemetry import Telemetry
from consumer.ports import Clock
from consumer.services.workers import cancel_and_wait
from consumer.version import installed_version


@asynccontextmanager
async def heartbeat(replicas: RedisReplicas, role: str, clock: Clock) -> AsyncIterator[None]:
    """Say that this process lives while the block runs, and at its end that it left."""
    now, me = clock.now(), clock.new_id()
    beating = asyncio.create_task(replicas.keep_beating(Replica(me, installed_version(), role, now, now), clock))
    try:
        yield
    finally:
        await cancel_and_wait(beating)
        with suppress(UnavailableError):
            await replicas.leave(me)


@dataclass(frozen=True, slots=True)
class Listener:
    """A running process that only answers requests. `port`: where it listens."""

    port: int
    watch: Telemetry
    replicas: RedisReplicas
    clock: Clock
    role: str

    async def run(self, stop: asyncio.Event) -> None:
        """Answer until `stop` is set."""
        async with heartbeat(self.replicas, self.role, self.clock):
            self.watch.health.starting = False
            try:
                await stop.wait()
            finally:
                self.watch.health.stopping = True
