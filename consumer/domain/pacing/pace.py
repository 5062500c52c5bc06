"""How long calls take at the credits that are left: estimates for people (N1, N3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

LATENCY: Final = 0.2
"""Seconds in which Swoogo usually answers; for estimates only."""


@dataclass(frozen=True, slots=True)
class Pace:
    """What bounds a push.

    Attributes:
        concurrency: calls side by side.
        limit: credits of a window.
        window: its length, seconds.
        latency: seconds in which Swoogo answers.
    """

    concurrency: int
    limit: int
    window: float
    latency: float

    def seconds(self, calls: int, credits_: int, credits_left: int) -> float:
        """Time so many calls and credits take, in seconds.

        A full window may be spent in a burst; every further `limit` credits wait for the next window.
        """
        beyond = max(credits_ - credits_left, 0)
        windows = -(-beyond // self.limit) if self.limit else 0
        last_burst = beyond - (windows - 1) * self.limit if windows else calls
        return windows * self.window + self.latency * max(min(calls, last_burst), 0) / max(self.concurrency, 1)
