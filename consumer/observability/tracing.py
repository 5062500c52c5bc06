"""Traces, off by default: a change's own trace, the push that carried it, and the push's calls to Swoogo.

Changes are debounced, so a push belongs to no single one of them: it *links* to the traces of the changes it carries.
Where a change has a sampled `traceparent` header, its recording becomes a span of that trace, and what leads back to it
is kept beside the dirty marks until a push takes it up. Switched off, none of this is in the way of a record.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from consumer.domain.connection import Connection
from consumer.domain.errors import RetryableError
from consumer.domain.mapping import EventMapping
from consumer.domain.run import Run
from consumer.observability.observed_calls import CALLS, Through, outcome_of
from consumer.ports import Change, EventState, Lease, Peeked, RawRecord, Subject, SyncRequest, Work
from consumer.services.dispatch import Pushes

_HEADER: Final = "traceparent"
_LONGEST: Final = 128
MOST_LINKS: Final = 32
"""Traces that one push links to at most."""

_SILENT: Final[dict[str, Any]] = {"record_exception": False, "set_status_on_exception": False}
"""The words of an exception may hold what people wrote."""

_propagator: Final = TraceContextTextMapPropagator()


class Parents(Protocol):
    """Where the way back to the traces of changes is kept; see `adapters.redis.parents`."""

    async def keep(self, event_id: str, parents: Mapping[str, str]) -> None:
        """Remember the newest of each record key."""
        ...

    async def take(self, event_id: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Those of these keys, which are forgotten by it."""
        ...


@dataclass(frozen=True, slots=True)
class TracedChange(Change):
    """A change, and what leads back to its trace."""

    parent: str = ""


class TracedDecoder(Through):
    """Makes a span of the reading of each change that comes with a sampled trace."""

    def __init__(self, inner: Any, tracer: Tracer) -> None:
        """Stand around the decoder."""
        super().__init__(inner)
        self._tracer = tracer

    def read(self, peeked: Peeked) -> Change | SyncRequest:
        """See `ports.Decoder`."""
        header = _header(peeked.record)
        if not header:
            return self._inner.read(peeked)  # type: ignore[no-any-return] # a decoder's
        context = _propagator.extract({_HEADER: header})
        if not trace.get_current_span(context).get_span_context().trace_flags.sampled:
            return self._inner.read(peeked)  # type: ignore[no-any-return] # a decoder's
        about: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.destination.name": peeked.record.topic,
            "messaging.kafka.offset": peeked.record.offset,
        }
        with self._tracer.start_as_current_span(
            f"record {peeked.record.topic}", context, SpanKind.CONSUMER, about, **_SILENT
        ):
            carrier: dict[str, str] = {}
            _propagator.inject(carrier)
            change = self._inner.read(peeked)
        if isinstance(change, Change):
            fields = {each.name: getattr(change, each.name) for each in dataclasses.fields(Change)}
            return TracedChange(**fields, parent=carrier.get(_HEADER, ""))
        return change  # type: ignore[no-any-return] # a decoder's


class TracedRecords(Through):
    """Keeps the way back to the traces of what is recorded."""

    def __init__(self, inner: Any, parents: Parents) -> None:
        """Stand around the inbox, where records come in."""
        super().__init__(inner)
        self._parents = parents

    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        """See `ports.Inbox`."""
        traced = {each.key: each.parent for each in changes if isinstance(each, TracedChange) and each.parent}
        if traced and subject.kind == "event":
            with suppress(RetryableError):  # a trace is worth no delay; what is really wrong shows right below
                await self._parents.keep(subject.id, traced)
        return await self._inner.record(subject, changes)  # type: ignore[no-any-return] # an inbox's


class TracedInbox(Through):
    """Links a push to the traces of the changes it loads."""

    def __init__(self, inner: Any, parents: Parents) -> None:
        """Stand around the inbox, where pushes take things out."""
        super().__init__(inner)
        self._parents = parents

    async def load(self, event_id: str, *, snapshot: bool = True) -> EventState:
        """See `ports.Inbox`."""
        state: EventState = await self._inner.load(event_id, snapshot=snapshot)
        span = trace.get_current_span()
        if state.marks and span.is_recording():
            with suppress(RetryableError):
                for parent in list((await self._parents.take(event_id, [*state.marks])).values())[:MOST_LINKS]:
                    context = trace.get_current_span(_propagator.extract({_HEADER: parent})).get_span_context()
                    if context.is_valid:
                        span.add_link(context)
        return state


class TracedPusher:
    """Makes a span of each push."""

    def __init__(self, inner: Pushes, tracer: Tracer) -> None:
        """Wrap the pusher in a span."""
        self._inner = inner
        self._tracer = tracer

    async def push(self, lease: Lease, mapping: EventMapping, connection: Connection) -> Run:
        """See `services.push.Pusher.push`."""
        about = {"swoogo_sync.run": lease.op_id, "swoogo_sync.event_id": mapping.event_id}
        with self._tracer.start_as_current_span("push", attributes=about, **_SILENT) as span:
            run = await self._inner.push(lease, mapping, connection)
            span.set_attributes({"swoogo_sync.trigger": run.trigger.value, "swoogo_sync.outcome": run.outcome})
            if run.outcome == "failed":
                span.set_status(StatusCode.ERROR)
            return run


class TracedSwoogo(Through):
    """Makes a span of each call. Swoogo is told nothing of it."""

    def __init__(self, inner: Any, tracer: Tracer) -> None:
        """Wrap every call of the port."""
        super().__init__(inner)
        for method, (operation, kind) in CALLS.items():
            setattr(self, method, self._traced(getattr(inner, method), operation, kind))
        self._tracer = tracer

    def _traced(self, call: Callable[..., Awaitable[Any]], operation: str, kind: str) -> Callable[..., Awaitable[Any]]:
        async def traced(work: Work, *args: Any, **named: Any) -> Any:
            what = kind or str(args[0] if args else named["kind"])
            with self._tracer.start_as_current_span(
                f"swoogo {operation} {what}", kind=SpanKind.CLIENT, **_SILENT
            ) as span:
                try:
                    return await call(work, *args, **named)
                except BaseException as error:
                    span.set_status(StatusCode.ERROR, outcome_of(error))
                    raise

        return traced


def _header(record: RawRecord) -> str:
    for name, value in record.headers:
        if name == _HEADER and value is not None and len(value) <= _LONGEST:
            return value.decode("ascii", "replace")
    return ""
