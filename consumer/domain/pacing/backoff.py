"""Back-off after trouble."""

from __future__ import annotations

from typing import Final

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
