"""Reads a topic again, from a position to where it ends now, beside every consumer group and without one.

Guarantees: nothing is committed, so the running service reads on where it was; every record that is still on the
topic within the span is given once, each partition in order; a reading that stands still ends with an error.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.access import client_options, refusal
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.ports import Chunk, RawRecord, Span, Start
from consumer.settings import KafkaSettings

_FETCH_BYTES: Final = 4_194_304
_POLL_MS: Final = 500
_STOP_SECONDS: Final = 5.0
_STILL_SECONDS: Final = 60.0
"""Without one record for so long, a broker is gone."""


class TopicHistory:
    """One topic, opened for reading. Use as an async context manager."""

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        """Nothing is sent yet. Raises ConfigurationError about a certificate."""
        self.topic = topic
        self._settings = settings
        self._consumer = AIOKafkaConsumer(
            **client_options(settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=_FETCH_BYTES,
        )

    async def __aenter__(self) -> Self:
        """Connect. Raises UnavailableError."""
        try:
            await self._consumer.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await self._consumer.stop()
            raise await refusal(self._settings, error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        # Bounded: when the assignment changed a moment ago, aiokafka's fetcher swallows the first cancellation.
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._consumer.stop()

    async def spans(self, start: Start | None = None) -> dict[int, Span]:
        """What there is to read now, by partition; partitions with nothing to read are left out.

        Args:
            start: where to begin; the oldest record that is left when None.

        Raises:
            ConfigurationError: there is no such topic.
            UnavailableError: Kafka did not answer.
        """
        try:
            partitions = await self._partitions()
            first = await self._consumer.beginning_offsets(partitions)
            last = await self._consumer.end_offsets(partitions)
            begin = await self._begin(start or Start(), partitions, last)
        except KafkaError as error:
            raise self._unavailable(error) from error
        return {
            each.partition: Span(max(begin[each], first[each]), last[each])
            for each in partitions
            if each in begin and max(begin[each], first[each]) < last[each]
        }

    async def read(self, spans: Mapping[int, Span], limit: int = 500) -> AsyncIterator[Chunk]:
        """The records of the spans, at most `limit` at once. Raises UnavailableError."""
        open_ = {TopicPartition(self.topic, number): span for number, span in spans.items() if span.start < span.end}
        if not open_:
            return
        loop = asyncio.get_running_loop()
        try:
            self._consumer.assign(list(open_))
            for partition, span in open_.items():
                self._consumer.seek(partition, span.start)
            moved = loop.time()
            while open_:
                found = await self._consumer.getmany(*open_, timeout_ms=_POLL_MS, max_records=limit)
                records = [
                    raw(record)
                    for partition, batch in found.items()
                    for record in batch
                    if record.offset < open_[partition].end
                ]
                # Offsets of a compacted topic have gaps, also before its end: the position tells, not the record.
                position = {each: await self._consumer.position(each) for each in open_}
                over = [each for each, span in open_.items() if position[each] >= span.end]
                if records or over:
                    moved = loop.time()
                    yield Chunk(
                        tuple(records),
                        {each.partition: min(position[each], span.end) for each, span in open_.items()},
                    )
                elif loop.time() - moved > _STILL_SECONDS:
                    raise self._unavailable(TimeoutError())
                for each in over:
                    self._consumer.pause(each)
                    del open_[each]
        except KafkaError as error:
            raise self._unavailable(error) from error

    async def _partitions(self) -> list[TopicPartition]:
        """The consumer itself only knows the partitions of topics that it reads already."""
        admin = AIOKafkaAdminClient(**client_options(self._settings))
        await admin.start()
        try:
            if self.topic not in await admin.list_topics():
                raise ConfigurationError(f"Kafka has no topic {self.topic}.")
            described = await admin.describe_topics([self.topic])
        finally:
            await admin.close()
        numbers = (part["partition"] for topic in described for part in topic["partitions"])
        return [TopicPartition(self.topic, number) for number in sorted(numbers)]

    async def _begin(
        self, start: Start, partitions: list[TopicPartition], last: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        chosen = [each for each in partitions if start.partition in {None, each.partition}]
        if start.time is None:
            return dict.fromkeys(chosen, start.offset)
        found: Mapping[TopicPartition, Any] = await self._consumer.offsets_for_times(dict.fromkeys(chosen, start.time))
        return {each: last[each] if found.get(each) is None else found[each].offset for each in chosen}

    def _unavailable(self, error: Exception) -> UnavailableError:
        return UnavailableError(
            f"Topic {self.topic} could not be read from Kafka at {self._settings.bootstrap_servers} "
            f"({type(error).__name__})."
        )


def raw(record: ConsumerRecord[Any, Any]) -> RawRecord:
    """A record in domain words."""
    return RawRecord(
        record.topic,
        record.partition,
        record.offset,
        record.timestamp,
        record.key,
        record.value,
        tuple(record.headers),
    )
