"""Credits of calls: a permit before each sending, closed by what became of it (G5, `swoogo-api.md 3`).

Guarantees: nothing is sent without a permit; every permit is closed, also when the call breaks off; what
Swoogo says is left of its window is passed on.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager, suppress
from typing import Final, Protocol

from consumer.adapters.swoogo.transport import Answer, NoAnswerError, too_late
from consumer.domain.errors import RetryableError
from consumer.ports import Budget, Grant, Lease, Work
from consumer.ports.swoogo import CallWatch
from consumer.settings import SwoogoSettings

_TOO_MANY_REQUESTS: Final = 429
_LEASES_COUNTED: Final = 2_048
_LONGEST_PAUSE_SECONDS: Final = 3_600.0


class Exchange(Protocol):
    """Sends once, and no body after `until`. Raises NoAnswerError."""

    def __call__(self, *, until: float | None) -> Awaitable[Answer]:
        """Seconds of the event loop's clock; None: whenever."""


class Charge:
    """What became of a permit: nothing sent, sent without an answer, or answered. `credits`: what it cost."""

    def __init__(self, until: float | None = None) -> None:
        """`until`: when the call must have ended, seconds of the event loop's clock; None: whenever it ends."""
        self._until = until
        self.credits = 0
        self.sent = False
        self.answer: Answer | None = None

    async def send(self, exchange: Exchange) -> Answer:
        """Send once, unless it is too late: a process that stood still since its permit may have lost its lease (G4).

        Raises NoAnswerError.
        """
        if self._until is not None and asyncio.get_running_loop().time() >= self._until:
            raise too_late()
        self.sent = True  # what is broken off from outside may arrive
        try:
            async with asyncio.timeout_at(self._until):
                self.answer = await exchange(until=self._until)
        except TimeoutError:
            raise NoAnswerError("Swoogo did not answer before the lease could end.", sent=True, blip=False) from None
        except NoAnswerError as silence:
            self.sent = silence.sent
            raise
        return self.answer


class CreditMeter:
    """Takes permits, closes them, and counts the credits of each claim."""

    def __init__(self, settings: SwoogoSettings, budget: Budget, watch: CallWatch) -> None:
        self._watch = watch
        self._budget = budget
        self._deadline = settings.deadline
        self._window = settings.credit_window
        self._refusals_cost = settings.refused_costs_credit
        self._spent: OrderedDict[tuple[str, str, int], int] = OrderedDict()

    def spent(self, lease: Lease) -> int:
        """Credits of one claim so far."""
        return self._spent.get(_claim(lease), 0)

    async def left(self, work: Work) -> int:
        """Credits that could be spent now."""
        return await self._budget.left(work.mapping.credential)

    @asynccontextmanager
    async def charged(self, work: Work, cost: int, *, observe: bool = True) -> AsyncIterator[Charge]:
        """Wait for a permit, and close it when the block ends, however it ends. No cost needs no permit.

        `observe`: whether the answer's rate headers speak of this credential.

        Raises:
            LeaseLostError: the claim has ended.
        """
        if not cost:
            yield Charge()
            return
        with self._watch.permit(work):
            grant = await self._budget.permit(work, cost, self._deadline)
        charge = Charge(None if grant.asked is None else grant.asked + self._deadline)
        self._count(work.lease, cost)
        try:
            yield charge
        finally:
            # A create that was answered must not look as if it had failed, only because the count could not be
            # kept; credits that are not closed stay counted.
            with suppress(RetryableError):
                await self._close_grant(work, grant, charge, observe=observe)

    def wait_asked(self, answer: Answer) -> float:
        """Seconds that a 429 asks to wait: `X-Rate-Limit-Reset` is no time of day (`swoogo-api.md 3`)."""
        reset = answer.header("x-rate-limit-reset")
        if reset is None:
            reset = answer.header("retry-after")
        return min(max(self._window if reset is None else reset, 1.0), self._window)

    async def _close_grant(self, work: Work, grant: Grant, charge: Charge, *, observe: bool) -> None:
        answer = charge.answer
        if answer is None:
            charge.credits = grant.cost if charge.sent else 0
            await (self._spend(work, grant) if charge.sent else self._give_back(work, grant))
        elif answer.status == _TOO_MANY_REQUESTS:
            self._count(work.lease, -grant.cost)
            self._watch.throttled(work)
            await self._budget.throttled(grant, self.wait_asked(answer))
        elif 400 <= answer.status < 500 and not self._refusals_cost:
            await self._give_back(work, grant)
        else:
            charge.credits = grant.cost
            remaining = answer.header("x-rate-limit-remaining") if observe else None
            reset = answer.header("x-rate-limit-reset")
            if remaining is None or reset is None:
                await self._spend(work, grant)
            else:
                await self._spend(work, grant, remaining=int(remaining), reset=min(reset, self._window))

    async def _spend(
        self, work: Work, grant: Grant, *, remaining: int | None = None, reset: float | None = None
    ) -> None:
        self._watch.spent(work, grant.cost)
        await self._budget.spent(grant, remaining=remaining, reset=reset)

    async def _give_back(self, work: Work, grant: Grant) -> None:
        self._count(work.lease, -grant.cost)
        await self._budget.returned(grant)

    def _count(self, lease: Lease, credits_: int) -> None:
        claim = _claim(lease)
        self._spent[claim] = self._spent.get(claim, 0) + credits_
        if len(self._spent) > _LEASES_COUNTED:
            self._spent.popitem(last=False)


def _claim(lease: Lease) -> tuple[str, str, int]:
    return lease.subject.kind, lease.subject.id, lease.epoch


def pause_asked(answer: Answer) -> float:
    """Seconds that an unavailable server asks for by `Retry-After`, 0 when it asks for none."""
    return min(answer.header("retry-after") or 0.0, _LONGEST_PAUSE_SECONDS)
