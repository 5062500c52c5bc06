"""The recording half of the service between a real Kafka and a real Redis, and what a test needs to look at both."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from faststream.kafka import KafkaBroker

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.broker import open_broker
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.kafka.publish import KafkaChangelog, KafkaDeadLetters, producer
from consumer.entrypoints.subscribers import Subscribers
from consumer.ports import Inbox
from consumer.services.record import Recorder
from consumer.settings import KafkaSettings, Topics
from tests.contract.bench import Bench
from tests.support.waiting import wait_until

LARGEST: Final = 16_000_000
EVENT: Final = "3960"
MOMENT: Final = "2026-10-01T12:00:00Z"

Header = tuple[str, bytes | None]


@dataclass
class KafkaWorld:
    """Topics of a test's own. `woken` counts how often the dispatcher would have been woken; `broker`
    is that of the last recording.
    """

    bench: Bench
    settings: KafkaSettings
    woken: int = 0
    broker: KafkaBroker | None = None

    @property
    def served(self) -> KafkaSettings:
        """The settings of the service."""
        return self.settings

    @property
    def topics(self) -> Topics:
        """The names."""
        return self.settings.topics

    async def send(
        self,
        *values: bytes | None,
        topic: str = "",
        keys: Sequence[bytes | None] = (),
        headers: Sequence[Header] = (),
        compression: str | None = None,
    ) -> None:
        """Publish as Sessionboard would. Without `keys` each record is keyed by what it is about."""
        sender = AIOKafkaProducer(
            bootstrap_servers=self.settings.bootstrap_servers,
            max_request_size=LARGEST,
            compression_type=compression,
            linger_ms=50,
        )
        await sender.start()
        try:
            sent = [
                await sender.send(
                    topic or self.topics.sessions,
                    value,
                    key=keys[number] if keys else key_of(value),
                    headers=list(headers),
                )
                for number, value in enumerate(values)
            ]
            await asyncio.gather(*sent)
        finally:
            await sender.stop()

    async def read(self, topic: str, count: int) -> list[ConsumerRecord[bytes | None, bytes | None]]:
        """The first records of a topic, and none beyond them."""
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=self.settings.bootstrap_servers,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=LARGEST,
        )
        await consumer.start()
        try:
            await wait_until(lambda: self._written(consumer, count), f"{count} records are on {topic}")
            records = [await asyncio.wait_for(consumer.getone(), 10) for _ in range(count)]
            ends = await consumer.end_offsets(consumer.assignment())
            assert sum(ends.values()) == count
            return records
        finally:
            await consumer.stop()

    @staticmethod
    async def _written(consumer: AIOKafkaConsumer, count: int) -> bool:
        ends: dict[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
        return sum(ends.values()) >= count

    async def committed(self, name: str = "sessions") -> tuple[int, int]:
        """(records committed, records there are) of an input topic; all partitions together."""
        topic = getattr(self.topics, name)
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.bootstrap_servers)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.settings.bootstrap_servers)
        await admin.start()
        await consumer.start()
        try:
            offsets = await admin.list_consumer_group_offsets(f"{self.settings.group_id}.{name}")
            done = sum(each.offset for partition, each in offsets.items() if partition.topic == topic)
            numbers = (await admin.describe_topics([topic]))[0]["partitions"]
            ends = await consumer.end_offsets([TopicPartition(topic, each["partition"]) for each in numbers])
            return done, sum(ends.values())
        finally:
            await consumer.stop()
            await admin.close()

    async def all_committed(self, name: str = "sessions") -> None:
        """Wait until the group has committed all there is."""

        async def ask() -> bool:
            done, end = await self.committed(name)
            return done == end

        await wait_until(ask, f"everything on {name} is committed", 20)

    async def sessions(self, event_id: str = EVENT) -> dict[str, str]:
        """Session id -> title, as recorded."""
        state = await self.bench.inbox.load(event_id)
        return {identifier: session.title for identifier, session in state.snapshot.sessions.items()}

    @asynccontextmanager
    async def recording(self, inbox: Inbox | None = None) -> AsyncIterator[Subscribers]:
        """The subscribers at work."""
        broker = self.broker = open_broker(self.served)
        publisher = producer(self.served)
        await publisher.start()
        recorder = Recorder(
            KafkaDecoder(self.topics, self.settings.max_record_bytes),
            inbox or self.bench.inbox,
            self.bench.connections,
            KafkaDeadLetters(publisher, self.topics.dead_letters, self.topics.mappings),
            KafkaChangelog(publisher, self.topics.ledger),
        )
        subscribers = Subscribers(recorder, SystemClock(), self._wake)
        subscribers.register(broker, self.settings)
        await broker.start()
        try:
            yield subscribers
        finally:
            await broker.stop()
            await publisher.stop()

    def idle(self) -> int:
        """How many of the consumers have no partition."""
        subscribers: list[Any] = [*self.broker.subscribers] if self.broker else []
        return sum(not each.consumer.assignment() for each in subscribers)

    def _wake(self) -> None:
        self.woken += 1


def a_session_value(
    identifier: str = "s1", *, version: int = 1, event: str = EVENT, second: int = 0, **data: Any
) -> bytes:
    """A session change as it travels. `version` is the envelope's, `second` orders two edits."""
    moment = MOMENT.replace("00Z", f"{second:02d}Z")
    return json.dumps(
        {
            "data": {"id": identifier, "title": f"Title of {identifier}", "updated_at": moment, **data},
            "metadata": {"action": "session.updated", "event_id": event, "version": version, "datetime": moment},
        }
    ).encode()


def key_of(value: bytes | None) -> bytes | None:
    """The key Sessionboard would choose, or None for a value that says nothing."""
    try:
        body = json.loads(value or b"")
        return f"{body['metadata']['event_id']}/{body['data']['id']}".encode()
    except (ValueError, KeyError, TypeError):
        return b"unreadable"
