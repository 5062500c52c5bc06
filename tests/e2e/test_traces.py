"""One trace leads from the header of a record on Kafka to the call that Swoogo got."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer

from sandbox.demo.play import play
from tests.e2e.conftest import OpenWorld
from tests.support.conferences import edited, small
from tests.support.otlp import a_sink, spans_of
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


async def test_a_trace_leads_from_the_header_of_a_change_to_the_call_of_its_push(open_world: OpenWorld) -> None:
    """The recording continues the publisher's trace; the push links to it, and its calls are inside the push."""
    with a_sink() as (endpoint, got):
        settings = {"TRACING__ENABLED": "true", "TRACING__ENDPOINT": endpoint, "TRACING__SAMPLE_RATIO": "1"}
        async with open_world(settings=settings) as world:
            world.start_service()
            conference = small(talks=2, people=1)
            async with play(world, conference, event_id=6703, org_id="org-traced") as begun:
                await begun.connect()
                await begun.publish([conference], "small")
                changed = edited(conference, 1, title="Traced")
                records = begun.publisher.writer.revision(conference, changed, at=begun.now())
                async with AIOKafkaProducer(bootstrap_servers=world.bootstrap) as producer:
                    for record in records:
                        header = [("traceparent", f"00-{TRACE}-{SPAN}-01".encode())]
                        await producer.send_and_wait(record.topic, record.value, key=record.key, headers=header)

                async def exported() -> bool:
                    return any(span.trace_id.hex() == TRACE for span in spans_of(got))

                await begun.watch.until_idle(60)
                await wait_until(exported, "the recording is exported", timeout=60)
            await world.stop_services()
    spans = spans_of(got)
    [recorded] = [span for span in spans if span.trace_id.hex() == TRACE]
    assert recorded.parent_span_id.hex() == SPAN
    [push] = [span for span in spans if TRACE in [link.trace_id.hex() for link in span.links]]
    assert [link.span_id for link in push.links] == [recorded.span_id]
    calls = [span for span in spans if span.parent_span_id == push.span_id]
    assert any("update" in span.name for span in calls), [span.name for span in calls]
    assert not any(b"@example" in body for _, body in got), "no e-mail address leaves with a trace"
