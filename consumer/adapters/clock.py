"""Time and chance as they are."""

from __future__ import annotations

import asyncio
import random
import time
from secrets import token_hex


class SystemClock:
    """The system's clock."""

    def now(self) -> int:
        """See `ports.Clock`."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        """See `ports.Clock`."""
        await asyncio.sleep(seconds)

    def new_id(self) -> str:
        """See `ports.Clock`. Time first, so that ids sort as they were given."""
        return f"{self.now():012x}{token_hex(8)}"

    def jitter(self) -> float:
        """See `ports.Clock`."""
        return random.random()  # noqa: S311 - spreads retries, guards nothing
