"""Traces, off by default: a change's own trace, the push that carried it, and the push's calls to Swoogo.

Changes are debounced, so a push belongs to no single one of them: it *links* to the traces of the changes it carries.
Where a change has a sampled `traceparent` header, its recording becomes a span of that trace, and what leads back to it
is kept beside the dirty marks until a push takes it up. Switched off, none of this is in the way of a record.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Protocol

from msgspec.structs import asdict
from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import ConfigurationError, RetryableError
from consumer.domain.push.push_report import PushReport
from consumer.observability.calls import SILENT
from consumer.ports import Change, Decoder, Lease, Peeked, RawRecord, Subject, SyncRequest
from consumer.services.dispatch import Pushes
from consumer.services.record import RecordInbox
from consumer.settings import PREFIX, TracingSettings

_HEADER: Final = "traceparent"
_LONGEST: Final = 128
MOST_LINKS: Final = 32
"""Traces that one push links to at most."""

_propagator: Final = TraceContextTextMapPropagator()


class Parents(Protocol):
    """Where the way back to the traces of changes is kept; see `adapters.redis.trace_parents`."""

    async def keep(self, event_id: str, parents: Mapping[str, str]) -> None:
        """Remember the newest of each record key."""

    async def take(self, event_id: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Those of these keys, which are forgotten by it."""


class TracedChange(Change, frozen=True, gc=False):
    """A change, and what leads back to its trace."""

    parent: str = ""


@dataclass(frozen=True, slots=True)
class TracedDecoder:
    """Makes a span of the reading of each change that comes with a sampled trace."""

    inner: Decoder
    tracer: Tracer

    def peek(self, record: RawRecord) -> Peeked | None:
        return self.inner.peek(record)

    def read(self, peeked: Peeked) -> Change | SyncRequest:
        header = _header(peeked.record)
        if not header:
            return self.inner.read(peeked)
        context = _propagator.extract({_HEADER: header})
        if not trace.get_current_span(context).get_span_context().trace_flags.sampled:
            return self.inner.read(peeked)
        about: dict[str, str | int] = {
            "messaging.system": "kafka",
            "messaging.destination.name": peeked.record.topic,
            "messaging.kafka.offset": peeked.record.offset,
        }
        with self.tracer.start_as_current_span(
            f"record {peeked.record.topic}", context, SpanKind.CONSUMER, about, **SILENT
        ):
            carrier: dict[str, str] = {}
            _propagator.inject(carrier)
            change = self.inner.read(peeked)
        if isinstance(change, Change):
            return TracedChange(**asdict(change), parent=carrier.get(_HEADER, ""))
        return change


@dataclass(frozen=True, slots=True)
class TracedRecords:
    """Keeps the way back to the traces of what is recorded."""

    inner: RecordInbox
    parents: Parents

    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        traced = {each.key: each.parent for each in changes if isinstance(each, TracedChange) and each.parent}
        if traced and subject.kind == "event":
            with suppress(RetryableError):  # a trace is worth no delay; what is really wrong shows right below
                await self.parents.keep(subject.id, traced)
        return await self.inner.record(subject, changes)

    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        return await self.inner.request_sync(event_id, request, stamp)

    async def remind(self, org_id: str, key: str) -> None:
        await self.inner.remind(org_id, key)


@dataclass(frozen=True, slots=True)
class TracedPusher:
    """Makes a span of each push, linked to the traces of the changes that it carried."""

    inner: Pushes
    tracer: Tracer
    parents: Parents

    async def push(self, lease: Lease, mapping: EventMapping, connection: Connection) -> PushReport:
        about = {"swoogo_sync.run": lease.op_id, "swoogo_sync.event_id": mapping.event_id}
        with self.tracer.start_as_current_span("push", attributes=about, **SILENT) as span:
            report = await self.inner.push(lease, mapping, connection)
            run, marks = report.run, report.facts.state.marks
            span.set_attributes({"swoogo_sync.trigger": run.trigger.value, "swoogo_sync.outcome": run.outcome})
            if run.outcome == "failed":
                span.set_status(StatusCode.ERROR)
            if marks and span.is_recording():
                await self._link(span, mapping.event_id, [*marks])
            return report

    async def _link(self, span: Span, event_id: str, keys: Sequence[str]) -> None:
        with suppress(RetryableError):
            for parent in [*(await self.parents.take(event_id, keys)).values()][:MOST_LINKS]:
                context = trace.get_current_span(_propagator.extract({_HEADER: parent})).get_span_context()
                if context.is_valid:
                    span.add_link(context)


def _header(record: RawRecord) -> str:
    for name, value in record.headers:
        if name == _HEADER and value is not None and len(value) <= _LONGEST:
            return value.decode("ascii", "replace")
    return ""


NAME: Final = "swoogo-sync"
_SECONDS: Final = 5


@contextmanager
def tracing(settings: TracingSettings) -> Iterator[Tracer | None]:
    """A tracer while the block runs; None when tracing is off.

    Raises ConfigurationError when the extra is not installed.
    """
    if not settings.enabled:
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"{PREFIX}TRACING__ENABLED needs the extra: pip install swoogo-sync[tracing]; or set it to false."
        ) from None
    provider = TracerProvider(
        resource=Resource.create({"service.name": NAME}),
        sampler=ParentBased(TraceIdRatioBased(settings.sample_ratio)),
        shutdown_on_exit=False,
    )
    exporter = OTLPSpanExporter(endpoint=str(settings.endpoint), timeout=_SECONDS)
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer(NAME)
    finally:
        provider.force_flush(_SECONDS * 1000)
        provider.shutdown()
