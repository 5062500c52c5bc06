"""Traces from the Kafka header to the Swoogo call, off by default; a push links to its changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec.structs import replace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.redis import codecs
from consumer.domain.errors import UnavailableError
from consumer.observability.calls import CallMetrics
from consumer.observability.registry import MetricRegistry
from consumer.observability.tracing import MOST_LINKS, TracedDecoder, TracedPusher, TracedRecords, tracing
from consumer.ports import RawRecord, event_subject
from consumer.settings import Topics, TracingSettings
from tests.integration.kafka.kafka_world import a_session_value, key_of
from tests.support.builders import EVENT, a_connection, a_session
from tests.support.otlp import a_sink
from tests.support.service_world import World, a_world

TRACE = "0af7651916cd43dd8448eb211c80319c"
SAMPLED = f"00-{TRACE}-b7ad6b7169203331-01"


@dataclass
class Parents:
    """The way back to traces, in memory."""

    kept: dict[str, str] = field(default_factory=dict)

    async def keep(self, event_id: str, parents: Mapping[str, str]) -> None:
        self.kept |= parents

    async def take(self, event_id: str, keys: Sequence[str]) -> Mapping[str, str]:
        return {key: self.kept.pop(key) for key in keys if key in self.kept}


@dataclass
class Traced:
    """A world whose every port is traced."""

    world: World
    spans: InMemorySpanExporter
    parents: Parents
    decoder: Any
    records: Any
    pusher: Any

    async def record(self, *headers: tuple[str, bytes | None], session: str = "s1") -> None:
        value = a_session_value(session, event=EVENT)
        record = RawRecord(Topics().sessions, 0, 1, self.world.clock.now(), key_of(value), value, headers)
        peeked = self.decoder.peek(record)
        change = replace(self.decoder.read(peeked), row=codecs.encode(a_session(session)))
        await self.records.record(event_subject(EVENT), [change])

    async def push(self) -> None:
        await self.pusher.push(await self.world.claim(), self.world.mapping, a_connection())

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.spans.get_finished_spans() if span.name == name]


async def a_traced() -> Traced:
    world, parents, spans = await a_world(), Parents(), InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    tracer = provider.get_tracer("test")
    world.swoogo.watch = CallMetrics(MetricRegistry(), lambda _: None, tracer)
    return Traced(
        world,
        spans,
        parents,
        TracedDecoder(KafkaDecoder(Topics(), 1_000_000), tracer),
        TracedRecords(world.inbox, parents),
        TracedPusher(world.pusher, tracer, parents),
    )


async def test_a_push_links_to_the_traces_of_the_changes_it_carries() -> None:
    traced = await a_traced()
    await traced.record(("traceparent", SAMPLED.encode()))
    [recorded] = traced.named(f"record {Topics().sessions}")
    assert recorded.parent is not None
    assert f"{recorded.parent.trace_id:032x}" == TRACE
    await traced.push()
    [push] = traced.named("push")
    assert [(link.context.trace_id, link.context.span_id) for link in push.links] == [
        (recorded.context.trace_id, recorded.context.span_id)
    ]
    assert push.parent is None
    assert push.attributes is not None
    assert push.attributes["swoogo_sync.outcome"] == "completed"
    assert traced.parents.kept == {}
    [call] = traced.named("swoogo create session")
    assert call.parent == push.context


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(SAMPLED[:-1] + "0", id="not sampled"),
        pytest.param("00-nonsense", id="no traceparent"),
        pytest.param("x" * 10_000, id="far too long"),
        pytest.param("\u00e9", id="not ASCII"),
        pytest.param("", id="empty"),
    ],
)
async def test_a_header_that_is_of_no_use_leaves_no_trace_and_no_harm(header: str) -> None:
    traced = await a_traced()
    await traced.record(("traceparent", header.encode()), ("other", None))
    assert traced.parents.kept == {}
    await traced.push()
    [push] = traced.named("push")
    assert push.links == ()


async def test_the_links_of_a_push_are_bounded() -> None:
    traced = await a_traced()
    for number in range(MOST_LINKS + 5):
        await traced.record(("traceparent", SAMPLED.encode()), session=f"s{number}")
    await traced.push()
    assert len(traced.named("push")[0].links) == MOST_LINKS


async def test_a_call_that_fails_is_marked_without_its_words() -> None:
    traced = await a_traced()

    async def away(*_: Any) -> None:
        raise UnavailableError("somebody@example.org is away")

    traced.world.swoogo.before_call = away
    await traced.record()
    await traced.push()
    call = next(span for span in traced.spans.get_finished_spans() if span.name.startswith("swoogo "))
    assert (call.status.is_ok, call.status.description) == (False, "unavailable")
    assert not any("somebody" in span.to_json() for span in traced.spans.get_finished_spans())


def test_spans_are_exported_by_otlp_over_http(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with a_sink() as (endpoint, got):
        settings = TracingSettings.model_validate({"enabled": True, "endpoint": endpoint, "sample_ratio": 1})
        with tracing(settings) as tracer:
            assert tracer is not None
            with tracer.start_as_current_span("push"):
                pass
    assert [path for path, _ in got] == ["/v1/traces"]
    assert b"push" in got[0][1]
    assert b"swoogo-sync" in got[0][1]


def test_off_by_default_and_nothing_of_the_sdk_is_made() -> None:
    with tracing(TracingSettings()) as tracer:
        assert tracer is None
