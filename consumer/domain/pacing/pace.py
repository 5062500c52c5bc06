"""How long calls take at the credits that are left (N1, N3), and which of those that wait get the free places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from typing import Final, TypeVar

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


T = TypeVar("T")


def share_out(
    waiting: Mapping[str, Iterable[T]], taken: Mapping[str, int], places: int, each: int
) -> list[tuple[str, T]]:
    """Give away `places`, one after the other, to the credential that has the fewest; at most `each` a credential.

    `waiting`: credential -> what waits for it, the first to be served first. Of credentials with equally many places
    the earlier one comes first. `taken`: credential -> places it has already. `each`: places a credential may have.

    Returns:
        (credential, one of its waiting) for each place that was given away.
    """
    chosen: list[tuple[str, T]] = []
    turns: list[tuple[int, int, str, Iterator[T]]] = [
        (taken.get(credential, 0), at, credential, iter(queue))
        for at, (credential, queue) in enumerate(waiting.items())
    ]
    heapify(turns)
    while turns and len(chosen) < places and turns[0][0] < each:
        has, at, credential, queue = heappop(turns)
        for first in queue:
            chosen.append((credential, first))
            heappush(turns, (has + 1, at, credential, queue))
            break
    return chosen
