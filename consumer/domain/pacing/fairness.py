"""Which of those that wait get the free places: fair between credentials, the oldest first within one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from heapq import heapify, heappop, heappush
from typing import TypeVar

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
