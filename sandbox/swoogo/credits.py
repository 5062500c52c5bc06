"""The credit budget of one credential: 2,000 credits in 10 minutes, 10 a list, 1 anything else.

Source: `swoogo-api.md` 3. Whether the window is fixed or the allowance refills is not known, so both are
here. Beside the limiter each meter keeps the most credits seen in any true sliding window and in any fixed
window, whatever limiter is on.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Allowance:
    """`limit` credits per `window` seconds, counted by one of two limiters."""

    limit: int
    window: float
    limiter: Literal["fixed_window", "leaky_bucket"]


class CreditMeter:
    """What one credential has spent. Times are seconds of one clock that does not go backwards."""

    def __init__(self) -> None:
        self.spent = 0
        self.most_sliding = 0
        self.most_fixed = 0
        self.refused = 0
        self._window_start: float | None = None
        self._in_window = 0
        self._bucket: float | None = None
        self._bucket_at = 0.0
        self._recent: deque[tuple[float, int]] = deque()
        self._in_recent = 0

    def affords(self, cost: int, *, now: float, allowance: Allowance) -> bool:
        """Whether a call of this cost would be let through now."""
        return cost <= self._remaining(now, allowance)

    def spend(self, cost: int, *, now: float, allowance: Allowance) -> None:
        """Charge a call that was let through."""
        if not cost:
            return
        bucket = self._bucket_level(now, allowance)
        self._bucket, self._bucket_at = bucket - cost, now
        if self._window_start is None or now >= self._window_start + allowance.window:
            self._window_start, self._in_window = now, 0
        self._in_window += cost
        self._recent.append((now, cost))
        self._in_recent += cost
        while self._recent[0][0] <= now - allowance.window:
            self._in_recent -= self._recent.popleft()[1]
        self.spent += cost
        self.most_fixed = max(self.most_fixed, self._in_window)
        self.most_sliding = max(self.most_sliding, self._in_recent)

    def headers(self, *, now: float, allowance: Allowance, refused: bool = False) -> dict[str, str]:
        """The three headers; Reset is seconds to wait, not a time (`swoogo-api.md` 3).

        The refilling bucket follows Yii2: seconds until it is full, and the whole window on a refusal.
        """
        remaining = self._remaining(now, allowance)
        if allowance.limiter == "fixed_window":
            ends = now if self._window_start is None else self._window_start + allowance.window
            reset = max(0, math.ceil(ends - now))
        elif refused:
            remaining, reset = 0, math.ceil(allowance.window)
        else:
            reset = int((allowance.limit - remaining) * allowance.window / allowance.limit)
        return {
            "X-Rate-Limit-Limit": str(allowance.limit),
            "X-Rate-Limit-Remaining": str(remaining),
            "X-Rate-Limit-Reset": str(reset),
        }

    def _remaining(self, now: float, allowance: Allowance) -> int:
        if allowance.limiter == "leaky_bucket":
            return max(0, int(self._bucket_level(now, allowance)))
        if self._window_start is None or now >= self._window_start + allowance.window:
            return allowance.limit
        return max(0, allowance.limit - self._in_window)

    def _bucket_level(self, now: float, allowance: Allowance) -> float:
        if self._bucket is None:
            return float(allowance.limit)
        refill = (now - self._bucket_at) * allowance.limit / allowance.window
        return min(float(allowance.limit), self._bucket + refill)
