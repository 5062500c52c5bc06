"""Reading what the service told people."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer


class StatusTopic:
    """Everything on a status topic since its beginning."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._messages: list[dict[str, Any]] = []

    async def messages(self, action: str, *, event_id: str = "", org_id: str = "") -> list[dict[str, Any]]:
        """Messages with that action, of that event or organization, oldest first."""
        for records in (await self._consumer.getmany(timeout_ms=100)).values():
            self._messages += [json.loads(record.value) for record in records]
        return [
            message
            for message in self._messages
            if message["metadata"]["action"] == action
            and (not event_id or message["metadata"]["event_id"] == event_id)
            and (not org_id or message["metadata"]["org_id"] == org_id)
        ]


@asynccontextmanager
async def reading(bootstrap: str, topic: str) -> AsyncIterator[StatusTopic]:
    """Follow a status topic from its beginning."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield StatusTopic(consumer)
    finally:
        await consumer.stop()
