"""What a rebuild reads: changelog and input topics, and how far the consumer groups are (G6)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

import aiokafka
from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka import changelog, status_messages
from consumer.adapters.kafka.topic_scan import TopicScanner, kafka_call
from consumer.domain.connection_state import Generation
from consumer.ports import RawRecord, Span
from consumer.ports.rebuild import Offsets, PublishedRecord, Remembered, ScanBatch, TopicPartition
from consumer.settings import KafkaSettings

_BATCH: Final = 2_000
_INPUTS: Final = ("mappings", "sessions", "speakers", "sponsors")


class KafkaRebuildSource:
    """Connections are opened when first needed."""

    def __init__(self, settings: KafkaSettings, producer: AIOKafkaProducer) -> None:
        self._settings = settings
        self._producer = producer
        self._scanner = TopicScanner(settings)
        topics = settings.topics
        self.ledger = topics.ledger
        self.issues = topics.issues
        self.requests = topics.mappings
        self.resources: Sequence[str] = (topics.sessions, topics.speakers, topics.sponsors)

    async def aclose(self) -> None:
        await self._scanner.aclose()

    async def ends(self) -> Offsets:
        places = await self._scanner.partitions([self.ledger, self.issues, self.requests, *self.resources])
        ours = {self.ledger, self.issues}
        whole = await self._scanner.ends([each for each in places if each.topic in ours], stable=False)
        stable = await self._scanner.ends([each for each in places if each.topic not in ours], stable=True)
        return {TopicPartition(*each): offset for each, offset in {**whole, **stable}.items()}

    @kafka_call
    async def committed(self) -> Offsets:
        admin = await self._scanner.admin()
        found: dict[TopicPartition, int] = {}
        for name in _INPUTS:
            topic = getattr(self._settings.topics, name)
            offsets = await admin.list_consumer_group_offsets(f"{self._settings.group_id}.{name}")
            found |= {
                TopicPartition(each.topic, each.partition, held.metadata or ""): held.offset
                for each, held in offsets.items()
                if each.topic == topic and held.offset >= 0
            }
        return found

    async def scan(self, starts: Offsets, ends: Offsets) -> AsyncGenerator[ScanBatch, None]:
        ours = {aiokafka.TopicPartition(each.topic, each.partition): each for each in ends}
        spans = {place: Span(starts.get(each, 0), ends[each]) for place, each in ours.items()}
        async with aclosing(self._scanner.scan(spans, _BATCH)) as batches:
            async for records, reached in batches:
                yield ScanBatch(records, {ours[place]: offset for place, offset in reached.items()})

    def remembered(self, record: RawRecord) -> Remembered | None:
        return changelog.remembered(record)

    def published(self, record: RawRecord) -> PublishedRecord | None:
        return status_messages.published_record(record)

    def understands(self, what: str) -> bool:
        return changelog.understands(what)

    @kafka_call
    async def announce(self, generation: str) -> None:
        key, value = changelog.state_record(Generation(generation))
        await self._producer.send_and_wait(self.ledger, key=key, value=value)
