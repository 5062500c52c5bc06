"""Time that moves when a test says so, or when nothing else is left to do but wait."""

from __future__ import annotations

import asyncio
import heapq
from typing import Any, Final

_START: Final = 1_780_300_800_000
"""2026-06-01 08:00 UTC, the morning of `builders.NOW`."""


class FakeClock:
    """`sleep` waits until the clock was advanced past its end.

    With `auto` the clock also advances by itself, to the end of the shortest sleep, as soon as no task of the event
    loop can go on. That is right only where nothing waits for a socket or a thread.
    """

    def __init__(self, now: int = _START, *, auto: bool = False) -> None:
        self.ms = now
        self.off = 0
        """By how much the time of day was set, ms; no time passes by that."""
        self.auto = auto
        self.fixed_jitter = 1.0
        self._ids = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = 0
        self._watching = False

    def now(self) -> int:
        """See `ports.Clock`."""
        return self.ms + self.off

    def ticks(self) -> int:
        """See `ports.Clock`."""
        return self.ms * 1_000_000

    def new_id(self) -> str:
        """See `ports.Clock`."""
        self._ids += 1
        return f"id-{self._ids:06d}"

    def jitter(self) -> float:
        """See `ports.Clock`: always the same."""
        return self.fixed_jitter

    async def sleep(self, seconds: float) -> None:
        """See `ports.Clock`."""
        woken = asyncio.get_running_loop().create_future()
        self._order += 1
        heapq.heappush(self._sleepers, (self.ms + round(seconds * 1000), self._order, woken))
        if self.auto and not self._watching:
            self._watching = True
            self._when_idle()
        await woken

    async def advance(self, seconds: float) -> None:
        """Move time on, waking the sleepers on the way, each at its own moment."""
        end = self.ms + round(seconds * 1000)
        while self._sleepers and self._sleepers[0][0] <= end:
            self._wake_first()
            await settle()
        self.ms = max(self.ms, end)
        await settle()

    @property
    def sleeping(self) -> int:
        """How many wait for time to pass."""
        return sum(not woken.done() for _, _, woken in self._sleepers)

    def _wake_first(self) -> None:
        moment, _, woken = heapq.heappop(self._sleepers)
        if not woken.done():
            self.ms = max(self.ms, moment)
            woken.set_result(None)

    def _when_idle(self) -> None:
        # One watcher, however many sleep: two would each take the other for somebody who can go on.
        loop = asyncio.get_running_loop()
        if not self._sleepers:
            self._watching = False
            return
        if not _ready(loop):
            self._wake_first()
        loop.call_soon(self._when_idle)


async def settle(turns: int = 1_000) -> None:
    """Return when every other task waits for something (or after so many turns of the loop)."""
    loop = asyncio.get_running_loop()
    for _ in range(turns):
        await asyncio.sleep(0)
        if not _ready(loop):
            return


def _ready(loop: asyncio.AbstractEventLoop) -> bool:
    # The loop has no public way to tell whether anything can go on.
    ready: Any = getattr(loop, "_ready")  # noqa: B009 - private to typeshed
    return bool(ready)
