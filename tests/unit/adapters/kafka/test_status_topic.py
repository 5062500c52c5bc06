"""What becomes of messages on their way to the status topic."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest
from aiokafka import AIOKafkaProducer
from structlog.testing import capture_logs

from consumer.adapters.kafka.publish import KafkaStatusTopic
from consumer.domain.connections.connection import Announcement
from consumer.domain.push.run import Run, Trigger
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT
from tests.support.fakes import FakeClock, InMemoryConnections


@dataclass
class Producer:
    sent: list[bytes] = field(default_factory=list)

    async def send_and_wait(self, topic: str, *, value: bytes, key: bytes) -> None:
        self.sent.append(value)


@pytest.mark.rule("N1")
async def test_a_message_that_cannot_be_built_is_left_out_and_breaks_no_push() -> None:
    producer = Producer()
    topic = KafkaStatusTopic(cast("AIOKafkaProducer", producer), "status", InMemoryConnections(), FakeClock())
    before = Run("run-1", EVENT, Trigger.CHANGES, NOW, ended=NOW - 1, org_id=ORG, swoogo_event_id=SWOOGO_EVENT)
    far = Run("run-2", EVENT, Trigger.CHANGES, 10**17, org_id=ORG, swoogo_event_id=SWOOGO_EVENT)
    with capture_logs() as logs:
        await topic.run(before)
        await topic.run(far)
        await topic.announce(Announcement("integration.unheard_of", ORG, "A sentence."))
    assert producer.sent == []
    assert [(each["event"], each["what"]) for each in logs] == [
        ("status.not_built", "run run-1"),
        ("status.not_built", "run run-2"),
        ("status.not_built", "integration.unheard_of"),
    ]
