"""Calls to Swoogo and their credits, counted where they are made: for metrics, for traces, and for each push."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.trace import SpanKind, StatusCode, Tracer

from consumer.domain.errors import (
    CredentialError,
    LeaseLostError,
    MissingError,
    RefusedError,
    RetryableError,
    UnansweredError,
)
from consumer.observability.metrics import swoogo
from consumer.observability.registry import MetricRegistry
from consumer.ports import Work

SILENT: Final[dict[str, Any]] = {"record_exception": False, "set_status_on_exception": False}
"""Of a span: the words of an exception may hold what people wrote."""
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
"""Seconds that a permit takes anyway: the way to Redis and back is no waiting for credits."""
_waits_of_call: Final[ContextVar[list[float] | None]] = ContextVar("waits_of_call", default=None)


def outcome_of(error: BaseException) -> str:
    return next((word for kind, word in _OUTCOMES if isinstance(error, kind)), "broken")


@dataclass(slots=True)
class PushCalls:
    """The calls of one push.

    Attributes:
        calls: (operation, outcome) -> how many.
        spans: operation -> when the first call of the kind began and the last one ended (monotonic seconds).
        waited: seconds in which at least one call waited for credits.
    """

    calls: Counter[tuple[str, str]] = field(default_factory=Counter)
    spans: dict[str, tuple[float, float]] = field(default_factory=dict)
    waited: float = 0.0
    began: float = field(default_factory=time.monotonic)
    _waiting: int = 0
    _since: float = 0.0

    def waits(self) -> None:
        """One more call waits for credits; of those that wait side by side the time counts once."""
        if not self._waiting:
            self._since = time.monotonic()
        self._waiting += 1

    def goes_on(self) -> float:
        """One of them has what it waited for; returns the seconds that this adds to `waited`."""
        self._waiting -= 1
        if self._waiting:
            return 0.0
        added = time.monotonic() - self._since
        self.waited += added
        return added

    def called(self, operation: str, outcome: str, began: float, ended: float) -> None:
        self.calls[operation, outcome] += 1
        first, last = self.spans.get(operation, (began, ended))
        self.spans[operation] = min(first, began), max(last, ended)


class CallMetrics:
    def __init__(self, meters: MetricRegistry, used: Callable[[str], None], tracer: Tracer | None = None) -> None:
        """`used` is called with every credential that spends."""
        self._meters = meters
        self._used = used
        self._tracer = tracer
        self._pushes: dict[str, PushCalls] = {}

    @contextmanager
    def push(self, op_id: str) -> Iterator[PushCalls]:
        """Count the calls of the claim with this op id."""
        calls = self._pushes[op_id] = PushCalls()
        try:
            yield calls
        finally:
            del self._pushes[op_id]

    def of(self, work: Work) -> PushCalls:
        """The calls of the push that this work is of; those of anything else are not kept."""
        return self._pushes.get(work.lease.op_id) or PushCalls()

    @contextmanager
    def call(self, work: Work, operation: str, kind: str) -> Iterator[None]:
        outcome, began, waits = "broken", time.monotonic(), list[float]()
        token = _waits_of_call.set(waits)
        name = f"swoogo {operation} {kind}"
        traced = (
            self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, **SILENT) if self._tracer else nullcontext()
        )
        try:
            with traced as span:
                try:
                    yield
                    outcome = "applied"
                except BaseException as error:
                    outcome = outcome_of(error)
                    if span:
                        span.set_status(StatusCode.ERROR, outcome)
                    raise
        finally:
            _waits_of_call.reset(token)
            ended = time.monotonic()
            self._meters.add(swoogo.CALLS, operation=operation, kind=kind, outcome=outcome)
            self._meters.observe(swoogo.CALL_SECONDS, ended - began - sum(waits), operation=operation)
            self.of(work).called(operation, outcome, began, ended)

    @contextmanager
    def permit(self, work: Work) -> Iterator[None]:
        self._used(work.mapping.credential)
        push, since = self.of(work), list[float]()

        def waits() -> None:
            since.append(time.monotonic())
            push.waits()

        timer = asyncio.get_running_loop().call_later(_WAITING_AFTER, waits)
        try:
            yield
        finally:
            timer.cancel()
            if since:
                label = self._meters.credential(work.mapping.credential)
                self._meters.add(swoogo.CREDITS_WAITED, push.goes_on(), credential=label)
                in_call = _waits_of_call.get()
                if in_call is not None:
                    in_call.append(time.monotonic() - since[0])

    def spent(self, work: Work, credits_: int) -> None:
        label = self._meters.credential(work.mapping.credential)
        self._meters.add(swoogo.CREDITS_SPENT, credits_, credential=label, trigger=work.trigger.value)

    def throttled(self, work: Work) -> None:
        self._meters.add(swoogo.THROTTLED, credential=self._meters.credential(work.mapping.credential))
