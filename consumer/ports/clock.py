"""Time and chance."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """Time and chance, so that tests own both."""

    def now(self) -> int:
        """Milliseconds since the epoch, UTC; set back and forth meanwhile, so no measure of how long anything takes."""

    def ticks(self) -> int:
        """Nanoseconds that only go forward, since no moment in particular."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""

    def new_id(self) -> str:
        """An identifier never given before; sorts by time."""

    def jitter(self) -> float:
        """A number in 0..1."""
