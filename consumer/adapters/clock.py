"""Time and chance as they are.

What one replica writes down, another one reckons with, so all go by one clock: `adapters.redis.server_time` sets this.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from secrets import token_hex


class SystemClock:
    """The system's clock as it was at the start, set from then on by a better source.

    Args:
        ticks: nanoseconds that only go forward.
        wall: nanoseconds since the epoch, as the system has them.
    """

    def __init__(self, ticks: Callable[[], int] = time.monotonic_ns, wall: Callable[[], int] = time.time_ns) -> None:
        self.ticks = ticks
        self._ahead = wall() - ticks()

    def now(self) -> int:
        return (self.ticks() + self._ahead) // 1_000_000

    def set_by(self, given: int, asked: int, answered: int) -> int:
        """Go by another clock, which gave its time between two moments: move by no more than that proves wrong.

        Args:
            given: nanoseconds since the epoch.
            asked: when it was asked, in `ticks`.
            answered: when it had answered, in `ticks`.

        Returns:
            By how much this clock was moved, ns.
        """
        before = self._ahead
        self._ahead = min(max(before, given - answered), given - asked)
        return self._ahead - before

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def new_id(self) -> str:
        """Time first, so that ids sort as they were given."""
        return f"{self.now():012x}{token_hex(8)}"

    def jitter(self) -> float:
        return random.random()  # noqa: S311 - spreads retries, guards nothing
