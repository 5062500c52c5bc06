"""Putting a conference on Kafka, revision after revision, as Sessionboard would.

A record is acknowledged by all in-sync replicas before a call returns.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer

from sandbox.conference.model import Conference
from sandbox.conference.records import Record, Writer
from sandbox.embedded.kafka import MAX_MESSAGE_BYTES


class Publisher:
    """Publishes one event. Use as an async context manager.

    `writer` spells the records; what concerns the mapping topic is published with
    `await publisher.send([publisher.writer.mapping_added(...)])`.
    """

    def __init__(self, bootstrap: str, writer: Writer) -> None:
        """`bootstrap`: `host:port` of a Kafka whose topics exist."""
        self.writer = writer
        self._bootstrap = bootstrap
        self._producer: AIOKafkaProducer | None = None
        self._published: Conference | None = None

    async def __aenter__(self) -> Self:
        # Not the idempotent producer: Tansu has none, and a doubled record changes nothing (spec G3).
        self._producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap, acks="all", linger_ms=5, max_request_size=MAX_MESSAGE_BYTES
        )
        await self._producer.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._producer is not None:
            await self._producer.stop()
            self._producer = None

    @property
    def published(self) -> Conference | None:
        """The revision published last."""
        return self._published

    async def publish(self, conference: Conference, *, at: datetime) -> int:
        """Publish what `conference` changes against the last published revision; the number of records.

        `at` becomes every record's `updated_at`: a caller that publishes twice gives a later one.
        """
        return await self.publish_all([(conference, at)])

    async def publish_all(self, revisions: Iterable[tuple[Conference, datetime]]) -> int:
        """Publish revisions, each with its own moment, without waiting between them; the number of records."""
        records: list[Record] = []
        newest = self._published
        for conference, at in revisions:
            records += self.writer.revision(newest, conference, at=at)
            newest = conference
        await self.send(records)
        self._published = newest
        return len(records)

    async def send(self, records: Iterable[Record]) -> None:
        """Send records in order; returns when all are acknowledged. Raises aiokafka's errors."""
        if self._producer is None:
            raise RuntimeError("Use the publisher as an async context manager.")
        sent = [await self._producer.send(each.topic, each.value, key=each.key) for each in records]
        await asyncio.gather(*sent)
