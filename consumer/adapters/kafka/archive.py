"""Ledgers of archived events on the ledger topic (Y4): written in parts, and read again at the offsets they got.

Guarantees: what is read is what was written, whole, or an error says that it is not there. A part is the latest record
of its key until the event is back, so compaction leaves it where it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Final

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.changelog import archive_key, archive_value, archived_rows
from consumer.adapters.kafka.publish import producer
from consumer.adapters.kafka.topic_scan import TopicScanner
from consumer.domain.errors import UnavailableError
from consumer.ports import RawRecord, Span
from consumer.settings import KafkaSettings

_STOP_SECONDS: Final = 5.0
_PART_BYTES: Final = 500_000
"""Of rows in one record, and one row: brokers take records of a million bytes unless they are told otherwise."""


class KafkaArchive:
    """Connects when it is first needed; close it in the end."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._topic = settings.topics.ledger
        self._scanner = TopicScanner(settings)
        self._producer: AIOKafkaProducer | None = None
        self._lock = asyncio.Lock()

    async def aclose(self) -> None:
        await self._scanner.aclose()
        if self._producer:
            # It would wait for a broker that is away for ever, and every record it was given has been waited for.
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await self._producer.stop()

    async def write(self, event_id: str, op_id: str, rows: Mapping[bytes, bytes]) -> Sequence[str]:
        """`PARTITION:OFFSET` of each part. Raises UnavailableError."""
        return await self._send(event_id, op_id, [archive_value(part) for part in _parts(rows)])

    async def forget(self, event_id: str, op_id: str, parts: int) -> None:
        """Nothing of it stays once the topic is compacted. Raises UnavailableError."""
        await self._send(event_id, op_id, [None] * parts)

    async def read(self, event_id: str, op_id: str, places: Sequence[str]) -> Mapping[bytes, bytes]:
        """The rows that lie there. Raises UnavailableError: Kafka does not answer, or has something else there."""
        rows: dict[bytes, bytes] = {}
        for number, place in enumerate(places):
            record = await self._at(place)
            if record is None or record.key != archive_key(event_id, op_id, number) or record.value is None:
                raise UnavailableError(
                    f"The ledger of the archived event {event_id} is not at {place} of {self._topic} any more. If the "
                    "topic was copied or made again, empty Redis: a rebuild takes the ledger from the topic."
                )
            rows |= archived_rows(record.value)
        return rows

    async def _at(self, place: str) -> RawRecord | None:
        partition, offset = map(int, place.split(":"))
        span = {TopicPartition(self._topic, partition): Span(offset, offset + 1)}
        async with aclosing(self._scanner.scan(span, 1)) as batches:
            async for records, _ in batches:
                if records:
                    return records[0]
        return None

    async def _send(self, event_id: str, op_id: str, values: Sequence[bytes | None]) -> Sequence[str]:
        try:
            sender = await self._started()
            sent = [
                await sender.send(self._topic, key=archive_key(event_id, op_id, number), value=value)
                for number, value in enumerate(values)
            ]
            written = await asyncio.gather(*sent)
        except (KafkaError, OSError, TimeoutError) as error:
            raise UnavailableError(f"The ledger topic could not be written: {type(error).__name__}.") from error
        if any(each.offset < 0 for each in written):  # sent twice, and the broker does not say where the first is
            raise UnavailableError("The ledger topic does not say where the archived ledger is.")
        return [f"{each.partition}:{each.offset}" for each in written]

    async def _started(self) -> AIOKafkaProducer:
        async with self._lock:
            if self._producer is None:
                made = producer(self._settings)
                await made.start()
                self._producer = made
        return self._producer


def _parts(rows: Mapping[bytes, bytes]) -> Iterator[dict[bytes, bytes]]:
    part: dict[bytes, bytes] = {}
    size = 0
    for key, row in rows.items():
        if part and size + len(key) + len(row) > _PART_BYTES:
            yield part
            part, size = {}, 0
        part[key] = row
        size += len(key) + len(row)
    yield part
