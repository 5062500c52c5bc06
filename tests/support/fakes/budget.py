"""Credits in memory: every call is remembered with its moment, and a window is summed by looking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consumer.domain.errors import LeaseLostError
from consumer.ports import Clock, Grant, Work
from tests.support.fakes.inbox import InMemoryInbox

_ASK_AGAIN: Final = 0.02
_WAITS_FOR: Final = 1_000
"""ms for which a waiting call keeps its place before those of lower rank."""


@dataclass(slots=True)
class _Charge:
    cost: int
    at: int
    open: bool = True


class InMemoryBudget:
    """See `ports.Budget`. `window` is seconds. One object stands for all replicas."""

    def __init__(
        self,
        clock: Clock,
        inbox: InMemoryInbox,
        *,
        limit: int = 2000,
        window: float = 600.0,
        reserve: int = 0,
        ask_again: float = _ASK_AGAIN,
    ) -> None:
        self._ask_again = ask_again
        self._clock = clock
        self._inbox = inbox
        self._limit = limit
        self._usable = limit - reserve
        self._window = round(window * 1000)
        self._charges: dict[str, dict[str, _Charge]] = {}
        self._hold: dict[str, int] = {}
        self._foreign: dict[str, tuple[int, int]] = {}
        self._waiting: dict[tuple[str, tuple[int, int]], int] = {}
        self._surveys: dict[str, dict[str, tuple[int, int]]] = {}

    async def permit(self, work: Work, cost: int, seconds: float) -> Grant:
        """See `ports.Budget`."""
        credential = work.mapping.credential
        # Lists go before single calls of their priority.
        rank = work.trigger.priority, int(cost == 1)
        while True:
            now = self._clock.now()
            if not self._inbox.holds(work.lease):
                raise LeaseLostError.of(work.lease.subject)
            if self._inbox.holds(work.lease, round(seconds * 1000) - 1):
                behind = any(
                    until > now for (name, other), until in self._waiting.items() if name == credential and other < rank
                )
                if not behind and self._free(credential) >= cost:
                    grant = Grant(self._clock.new_id(), credential, cost)
                    self._charges.setdefault(credential, {})[grant.id] = _Charge(cost, now)
                    return grant
                self._waiting[credential, rank] = now + _WAITS_FOR
            await self._clock.sleep(self._ask_again)

    async def spent(self, grant: Grant, *, remaining: int | None = None, reset: float | None = None) -> None:
        """See `ports.Budget`."""
        charge = self._close_grant(grant)
        if charge is None:
            return
        charge.at = self._clock.now()
        if remaining is not None and reset:
            foreign = self._limit - self._used(grant.credential) - remaining
            if foreign > self._foreign_now(grant.credential):
                self._foreign[grant.credential] = (foreign, self._clock.now() + round(reset * 1000))

    async def returned(self, grant: Grant) -> None:
        """See `ports.Budget`."""
        if self._close_grant(grant):
            del self._charges[grant.credential][grant.id]

    async def throttled(self, grant: Grant, reset: float) -> None:
        """See `ports.Budget`."""
        if self._close_grant(grant):
            del self._charges[grant.credential][grant.id]
            until = self._clock.now() + round(reset * 1000)
            self._hold[grant.credential] = max(self._hold.get(grant.credential, 0), until)

    async def left(self, credential: str) -> int:
        """See `ports.Budget`."""
        return max(self._free(credential), 0)

    async def surveys(self, work: Work, cost: int, seconds: float) -> int:
        """See `ports.Budget`."""
        now = self._clock.now()
        noted = self._surveys.setdefault(work.mapping.credential, {})
        noted[work.mapping.event_id] = (cost, now + round(seconds * 1000))
        return sum(each for each, until in noted.values() if until >= now)

    def _free(self, credential: str) -> int:
        if self._hold.get(credential, 0) > self._clock.now():
            return 0
        return self._usable - self._used(credential) - self._foreign_now(credential)

    def _used(self, credential: str) -> int:
        since = self._clock.now() - self._window
        return sum(each.cost for each in self._charges.get(credential, {}).values() if each.open or each.at > since)

    def _foreign_now(self, credential: str) -> int:
        count, until = self._foreign.get(credential, (0, 0))
        return count if until > self._clock.now() else 0

    def _close_grant(self, grant: Grant) -> _Charge | None:
        charge = self._charges.get(grant.credential, {}).get(grant.id)
        if charge is None or not charge.open:
            return None
        charge.open = False
        return charge
