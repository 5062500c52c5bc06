"""What the server's clock did: nothing, until a test says so."""

from __future__ import annotations

from tests.support.fakes.clock import FakeClock


class FakeServerTime:
    """See `adapters.redis.budget.Time`. The server goes by `clock`; this process believes in the `off` it saw last."""

    def __init__(self, clock: FakeClock, *, quiet: float = 0.0) -> None:
        self.set_forward = 0
        self._clock = clock
        self._quiet = round(quiet * 1000)
        self._quiet_until = 0
        self._believed = clock.off

    def now(self) -> int:
        """See `adapters.redis.budget.Time`."""
        return self._clock.ms + self._believed

    def quiet_for(self) -> float:
        """See `adapters.redis.budget.Time`."""
        return max(self._quiet_until - self._clock.ms, 0) / 1000

    async def follow(self) -> None:
        """See `adapters.redis.budget.Time`."""
        if self._clock.off - self._believed >= 5_000:
            self.set_forward += 1
            self._quiet_until = self._clock.ms + self._quiet
        self._believed = self._clock.off
