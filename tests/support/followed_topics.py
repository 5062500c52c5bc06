"""Following what the service publishes, as Sessionboard would: the status topic, and the topic of issues."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer

T = TypeVar("T", bound="FollowedTopic")


class FollowedTopic:
    """Every record of a topic since its beginning, as (key, value or None); those of one key are in order."""

    def __init__(self, consumer: AIOKafkaConsumer) -> None:
        self._consumer = consumer
        self._records: list[tuple[str, dict[str, Any] | None]] = []

    async def records(self) -> list[tuple[str, dict[str, Any] | None]]:
        """All that is there now."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(place) < end for place, end in ends.items()]):
            for records in (await self._consumer.getmany(timeout_ms=100)).values():
                for record in records:
                    value = None if record.value is None else json.loads(record.value)
                    self._records.append(((record.key or b"").decode(), value))
        return self._records


class StatusTopic(FollowedTopic):
    """What the service reports."""

    async def messages(self, action: str, *, event_id: str = "", org_id: str = "") -> list[dict[str, Any]]:
        """Messages with that action, of that event or organization, oldest first."""
        return [
            message
            for _, message in await self.records()
            if message
            and message["metadata"]["action"] == action
            and (not event_id or message["metadata"]["event_id"] == event_id)
            and (not org_id or message["metadata"]["org_id"] == org_id)
        ]


class IssuesTopic(FollowedTopic):
    """A table with one row a record."""

    async def history(self, event_id: int | str) -> list[tuple[str, dict[str, Any] | None]]:
        """The records of one event."""
        return [each for each in await self.records() if each[0].startswith(f"{event_id}/")]

    async def open_issues(self, event_id: int | str) -> dict[str, list[dict[str, Any]]]:
        """`kind/id` -> the issues that stand for it."""
        table = dict(await self.history(event_id))
        return {key.partition("/")[2]: value["data"]["issues"] for key, value in table.items() if value}


@asynccontextmanager
async def following(kind: type[T], bootstrap: str, topic: str) -> AsyncIterator[T]:
    """Follow a topic from its beginning."""
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        yield kind(consumer)
    finally:
        await consumer.stop()
