"""Topics read from where somebody says, to where they end: without a consumer group, beside those that have one."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.access import client_options
from consumer.adapters.kafka.changelog import remembered, standing_record
from consumer.domain.errors import UnavailableError
from consumer.domain.standing import Generation
from consumer.ports import RawRecord
from consumer.ports.rebuild import Offsets, Place, Remembered
from consumer.settings import KafkaSettings

_P = ParamSpec("_P")
_T = TypeVar("_T")

_BATCH: Final = 2_000
_WAIT_MS: Final = 500
_STALLED_SECONDS: Final = 15.0
"""Without one record for so long, what is left is the end of a transaction that has not ended: its group reads it."""
_FETCH_BYTES: Final = 4_194_304

log = structlog.get_logger("rebuild")


def _told(method: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    @wraps(method)
    async def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await method(*args, **kwargs)
        except (KafkaError, OSError, TimeoutError) as error:
            raise UnavailableError(f"Kafka did not answer as it should: {type(error).__name__}.") from error

    return call


class KafkaHistory:
    """See `ports.rebuild.History`. Connections are opened when first needed."""

    def __init__(self, settings: KafkaSettings, producer: AIOKafkaProducer) -> None:
        """Keep the producer, which somebody else starts and stops."""
        self._settings = settings
        self._producer = producer
        self._stack = AsyncExitStack()
        self._admin: AIOKafkaAdminClient | None = None
        self._asker: AIOKafkaConsumer | None = None
        topics = settings.topics
        self.ledger = topics.ledger
        self.requests = topics.mappings
        self.resources: Sequence[str] = (topics.sessions, topics.speakers, topics.sponsors)

    async def aclose(self) -> None:
        """Close what was opened."""
        await self._stack.aclose()

    @_told
    async def ends(self) -> Offsets:
        """See `ports.rebuild.History`."""
        described = await (await self._administering()).describe_topics([self.ledger, self.requests, *self.resources])
        places = [
            TopicPartition(topic["topic"], part["partition"]) for topic in described for part in topic["partitions"]
        ]
        consumer = await self._asking()
        found = await consumer.end_offsets(places)
        return {Place(*place): offset for place, offset in found.items()}

    @_told
    async def committed(self) -> Offsets:
        """See `ports.rebuild.History`."""
        admin = await self._administering()
        found: dict[Place, int] = {}
        for name in ("mappings", "sessions", "speakers", "sponsors"):
            topic = getattr(self._settings.topics, name)
            offsets = await admin.list_consumer_group_offsets(f"{self._settings.group_id}.{name}")
            found |= {
                Place(place.topic, place.partition, held.metadata or ""): held.offset
                for place, held in offsets.items()
                if place.topic == topic and held.offset >= 0
            }
        return found

    async def read(self, starts: Offsets, ends: Offsets) -> AsyncIterator[tuple[int, Sequence[RawRecord]]]:
        """See `ports.rebuild.History`."""
        spans = {
            TopicPartition(place.topic, place.partition): (start, end)
            for place, end in ends.items()
            if (start := starts.get(place, 0)) < end
        }
        if not spans:
            return
        at = {place: start for place, (start, _) in spans.items()}
        left = {place: end for place, (_, end) in spans.items()}
        consumer = self._consumer()
        await _told(consumer.start)()
        try:
            consumer.assign(list(left))
            for place, start in at.items():
                consumer.seek(place, start)
            moved = time.monotonic()
            while left:
                fetched = await _told(consumer.getmany)(timeout_ms=_WAIT_MS, max_records=_BATCH)
                records = [
                    RawRecord(
                        each.topic,
                        each.partition,
                        each.offset,
                        each.timestamp,
                        each.key,
                        each.value,
                        tuple(each.headers),
                    )
                    for batch in fetched.values()
                    for each in batch
                    if each.offset < spans[TopicPartition(each.topic, each.partition)][1]
                ]
                passed = 0
                for place in list(left):
                    position = min(await _told(consumer.position)(place), left[place])
                    passed += position - at[place]
                    at[place] = position
                    if position >= left[place]:
                        consumer.pause(place)
                        del left[place]
                if records or passed:
                    moved = time.monotonic()
                    yield passed, records
                elif time.monotonic() - moved > _STALLED_SECONDS:
                    log.warning("rebuild.unfinished_transaction", topics=sorted({place.topic for place in left}))
                    return
        finally:
            await consumer.stop()

    def remembered(self, record: RawRecord) -> Remembered | None:
        """See `ports.rebuild.History`."""
        return remembered(record)

    @_told
    async def announce(self, generation: str) -> None:
        """See `ports.rebuild.History`."""
        key, value = standing_record(Generation(generation))
        await self._producer.send_and_wait(self.ledger, key=key, value=value)

    async def _asking(self) -> AIOKafkaConsumer:
        if self._asker is None:
            consumer = self._consumer()
            await consumer.start()
            self._stack.push_async_callback(consumer.stop)
            self._asker = consumer
        return self._asker

    async def _administering(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**client_options(self._settings))
            await admin.start()
            self._stack.push_async_callback(admin.close)
            self._admin = admin
        return self._admin

    def _consumer(self) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            **client_options(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
