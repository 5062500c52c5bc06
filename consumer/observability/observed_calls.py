"""Calls to Swoogo and the credits for them, counted as they go through.

Put around the client and the budget by the composition root; each hands everything on as it is.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final

from consumer.domain.errors import (
    CredentialError,
    LeaseLostError,
    MissingError,
    RefusedError,
    RetryableError,
    UnansweredError,
)
from consumer.observability import metrics
from consumer.observability.journal import Journal, current
from consumer.observability.meters import Meters
from consumer.ports import Grant, Work

CALLS: Final[Mapping[str, tuple[str, str]]] = {
    "create": ("create", ""),
    "update": ("update", ""),
    "link": ("link", "speaker"),
    "unlink": ("unlink", "speaker"),
    "upload": ("upload", ""),
    "delete": ("delete", ""),
    "list": ("list", ""),
    "event_timezone": ("look", "event"),
    "survey_event": ("survey", "event"),
    "survey_kind": ("survey", ""),
    "exists": ("look", ""),
    "probe": ("look", "event"),
}
"""Method of the Swoogo port -> operation, and its kind where it is always the same (else the first argument)."""

_OUTCOMES: Final[tuple[tuple[type[BaseException], str], ...]] = (
    (MissingError, "missing"),
    (RefusedError, "refused"),
    (UnansweredError, "unanswered"),
    (RetryableError, "unavailable"),
    (CredentialError, "credential"),
    (LeaseLostError, "lease_lost"),
    (asyncio.CancelledError, "stopped"),
)
_WAITING_AFTER: Final = 0.1
"""Seconds that a permit takes anyway."""
_in_call: Final[ContextVar[list[float] | None]] = ContextVar("call", default=None)


class Through:
    """Hands on whatever it does not define itself."""

    def __init__(self, inner: Any) -> None:
        """Stand around `inner`."""
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        """The inner one's."""
        return getattr(self._inner, name)


class ObservedSwoogo(Through):
    """Counts and times calls."""

    def __init__(self, inner: Any, meters: Meters) -> None:
        """Wrap every call of the port."""
        super().__init__(inner)
        for method, (operation, kind) in CALLS.items():
            setattr(self, method, self._counted(getattr(inner, method), operation, kind))
        self._meters = meters

    def _counted(self, call: Callable[..., Awaitable[Any]], operation: str, kind: str) -> Callable[..., Awaitable[Any]]:
        async def counted(work: Work, *args: Any, **named: Any) -> Any:
            what = kind or str(args[0] if args else named["kind"])
            outcome, began, waits = "broken", time.monotonic(), list[float]()
            token = _in_call.set(waits)
            try:
                answer = await call(work, *args, **named)
                outcome = "applied"
            except BaseException as error:
                outcome = outcome_of(error)
                raise
            else:
                return answer
            finally:
                _in_call.reset(token)
                ended = time.monotonic()
                self._meters.add(metrics.CALLS, operation=operation, kind=what, outcome=outcome)
                self._meters.observe(metrics.CALL_SECONDS, ended - began - sum(waits), operation=operation)
                journal = current.get()
                if journal:
                    journal.called(operation, outcome, began, ended)

        return counted


def outcome_of(error: BaseException) -> str:
    """The word for an error of a call."""
    return next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "broken")


class ObservedBudget(Through):
    """Counts credits and the time waited for them."""

    def __init__(self, inner: Any, meters: Meters, used: Callable[[str], None]) -> None:
        """`used` is told of every credential that spends."""
        super().__init__(inner)
        self._meters = meters
        self._used = used
        self._triggers: dict[str, str] = {}

    async def permit(self, work: Work, cost: int, seconds: float) -> Grant:
        """See `ports.Budget`."""
        self._used(work.mapping.credential)
        journal, since = current.get() or Journal(), list[float]()

        def waits() -> None:
            since.append(time.monotonic())
            journal.waits()

        # The way to Redis and back is no waiting for credits.
        timer = asyncio.get_running_loop().call_later(_WAITING_AFTER, waits)
        try:
            grant: Grant = await self._inner.permit(work, cost, seconds)
        finally:
            timer.cancel()
            if since:
                label = self._meters.credential(work.mapping.credential)
                self._meters.add(metrics.CREDITS_WAITED, journal.goes_on(), credential=label)
                in_call = _in_call.get()
                if in_call is not None:
                    in_call.append(time.monotonic() - since[0])
        self._triggers[grant.id] = work.trigger.value
        return grant

    async def spent(self, grant: Grant, *, remaining: int | None = None, reset: float | None = None) -> None:
        """See `ports.Budget`."""
        trigger = self._triggers.pop(grant.id, "changes")
        credential = self._meters.credential(grant.credential)
        self._meters.add(metrics.CREDITS_SPENT, grant.cost, credential=credential, trigger=trigger)
        await self._inner.spent(grant, remaining=remaining, reset=reset)

    async def returned(self, grant: Grant) -> None:
        """See `ports.Budget`."""
        self._triggers.pop(grant.id, None)
        await self._inner.returned(grant)

    async def throttled(self, grant: Grant, reset: float) -> None:
        """See `ports.Budget`."""
        self._triggers.pop(grant.id, None)
        self._meters.add(metrics.THROTTLED, credential=self._meters.credential(grant.credential))
        await self._inner.throttled(grant, reset)
