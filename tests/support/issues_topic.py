"""Reading the topic of issues as Sessionboard would: a table with one row a record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer


class IssuesTopic:
    """Every record of a topic of issues since its beginning."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._records: list[tuple[str, dict[str, Any] | None]] = []

    async def history(self, event_id: int | str) -> list[tuple[str, dict[str, Any] | None]]:
        """(key, value or None) of one event; records of one key are in order."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(place) < end for place, end in ends.items()]):
            for records in (await self._consumer.getmany(timeout_ms=100)).values():
                self._records += [
                    (record.key.decode(), json.loads(record.value) if record.value is not None else None)
                    for record in records
                ]
        return [each for each in self._records if each[0].startswith(f"{event_id}/")]

    async def standing(self, event_id: int | str) -> dict[str, list[dict[str, Any]]]:
        """`kind/id` -> the issues that stand for it."""
        table = dict(await self.history(event_id))
        return {key.partition("/")[2]: value["data"]["issues"] for key, value in table.items() if value}


@asynccontextmanager
async def reading_issues(bootstrap: str, topic: str) -> AsyncIterator[IssuesTopic]:
    """Follow a topic of issues from its beginning."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield IssuesTopic(consumer)
    finally:
        await consumer.stop()
