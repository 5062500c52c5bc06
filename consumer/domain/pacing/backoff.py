"""When an event is due: trailing edge with a cap, and back-off after trouble.

The scripts in `adapters/redis/lua` apply the same rule atomically on the server's clock; a state machine of
the tests holds the scripts against a model that uses it.
"""

from __future__ import annotations

from typing import Final


def due_at(now: int, first_change: int, quiet: int, max_wait: int, hold: int = 0) -> int:
    """Ms at which an event that changed at `now` is to be pushed.

    Args:
        now: the newest change, ms.
        first_change: the oldest change not pushed yet, ms.
        quiet: silence wanted before a push, ms.
        max_wait: longest wait although changes go on, ms.
        hold: not before this moment, because of an earlier failure, ms.
    """
    return max(min(now + quiet, first_change + max_wait), hold)


_DOUBLINGS: Final = 30


def retry_delay(attempt: int, first: float, most: float, jitter: float) -> float:
    """Seconds until try number `attempt` + 1 (the first failure is attempt 1): doubling, capped, jittered.

    Args:
        attempt: failures in a row, at least 1.
        first: seconds after the first failure.
        most: seconds at most.
        jitter: 0..1, drawn by the caller; spreads the delay over its upper half.
    """
    delay = min(first * float(2 ** min(attempt - 1, _DOUBLINGS)), most)
    return delay * (0.5 + 0.5 * jitter)
