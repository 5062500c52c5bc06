"""Work that goes on to its end also when its caller is cancelled: what is on the wire cannot be called back."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine

import structlog

from consumer.domain.errors import SwoogoSyncError

log = structlog.get_logger("redis")


class Uninterrupted:
    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self, work: Coroutine[None, None, None]) -> None:
        """Wait for the work; raises what it raises. A cancelled caller leaves it to end by itself."""
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            # `shield` forgets the task here, and its error would be reported as one that was never retrieved.
            task.add_done_callback(_ended_alone)
            raise


def _ended_alone(task: asyncio.Task[None]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, SwoogoSyncError):
        log.error("redis.broken", error=type(error).__name__, exc_info=error)
