"""What all replicas need and one of them does, outside of the rounds and slice by slice.

The due index is repaired, orders are seen to, events are counted and archived.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from math import inf
from typing import Final, Protocol

import structlog

from consumer.domain.errors import RetryableError
from consumer.ports import Clock, Inbox
from consumer.services.archive import Archiver
from consumer.services.orders import OrderRelay
from consumer.services.rebuild import Rebuilder

_EVERY_SECONDS: Final = 2.0
"""Between two looks; an order waits for one."""

_ELECTED_SECONDS: Final = 30.0

_COUNT_SECONDS: Final = 10
"""Between two counts of what stands of the events, and two looks which are over."""

TURN_SECONDS: Final = 600
"""Within it the due index is compared with all events and organizations, some of them at each look. A turn is longer
where that would be more than a slice holds: with 150,000 events and more."""

log = structlog.get_logger("housekeeping")


class Trouble(Protocol):
    """Knows which events are in trouble; see `adapters.redis.trouble_index`."""

    async def fill(self) -> None:
        """Go through every event, once for all. Raises UnavailableError."""


class Election(Protocol):
    """Which replica does what one is enough for."""

    async def elected(self, seconds: float) -> bool:
        """Whether it is this one, for so many seconds from now on. Raises UnavailableError."""


class Figures(Protocol):
    """What stands of all events, in numbers."""

    async def count(self) -> None:
        """Look at the next events, and write down what is known of all. Raises UnavailableError."""


@dataclass(slots=True)
class Housekeeper:
    """One a replica; it works while it is elected and Redis is complete (G6)."""

    inbox: Inbox
    election: Election
    clock: Clock
    rebuilder: Rebuilder | None = None
    trouble: Trouble | None = None
    orders: OrderRelay | None = None
    figures: Figures | None = None
    archiver: Archiver | None = None
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    _repaired_at: int = 0
    _passes: int = 0
    _count_at: float = -inf

    def repair_soon(self) -> None:
        """Repair all of the due index at once: the clock it goes by was set back."""
        self._passes = 2  # the first may be half over
        self.wake.set()

    async def run(self) -> None:
        while True:
            self.wake.clear()
            try:
                await self._look()
            except RetryableError as error:
                log.warning("housekeeping.waiting", reason=str(error))
            except Exception:  # a defect of ours: the next look may do better
                log.exception("housekeeping.broken")
            with suppress(TimeoutError):
                await asyncio.wait_for(self.wake.wait(), _EVERY_SECONDS)

    async def _look(self) -> None:
        """Keep the lock, and do what is due. A newly elected one begins with everything."""
        elected = await self.election.elected(_ELECTED_SECONDS)
        counts = elected and self.clock.ticks() >= self._count_at
        if counts:
            self._count_at = self.clock.ticks() + _COUNT_SECONDS * 1_000_000_000
            if self.figures:
                await self.figures.count()
        if not elected or not await self._complete():
            return
        if self.orders:
            await self.orders.relay()
        if counts and self.archiver:
            await self.archiver.look()
        if counts and self.trouble:
            await self.trouble.fill()
        await self._repair()

    async def _repair(self) -> None:
        now = self.clock.ticks()
        part, self._repaired_at = (now - self._repaired_at) / (TURN_SECONDS * 1_000_000_000), now
        await self.inbox.repair_index(min(part, 1.0))
        while self._passes and await self._may_work():
            self._passes -= await self.inbox.repair_index(1.0)

    async def _may_work(self) -> bool:
        return await self.election.elected(_ELECTED_SECONDS) and await self._complete()

    async def _complete(self) -> bool:
        return self.rebuilder is None or await self.rebuilder.is_redis_complete()
