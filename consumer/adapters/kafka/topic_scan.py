"""Reads topics from given offsets to given ends, beside every consumer group and without one.

Guarantees: nothing is committed, so the running service reads on where it was; every record that is still on a topic
within its span is given once, each partition in order; a scan ends at its ends or with an error, never before. An open
transaction is recognized by the stable offset, which stands before it, and never by time.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, suppress
from functools import wraps
from typing import Any, Final, ParamSpec, Self, TypeVar

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.reader import raw_record
from consumer.adapters.kafka.security import client_options, explain_connection_error
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.ports import Chunk, RawRecord, Span, Start
from consumer.settings import KafkaSettings

_FETCH_BYTES: Final = 4_194_304
_POLL_MS: Final = 500
_STOP_SECONDS: Final = 5.0
_PATIENCE_SECONDS: Final = 15.0
"""For one answer, and without one record: then the brokers stand still."""

_P = ParamSpec("_P")
_T = TypeVar("_T")

Positions = Mapping[TopicPartition, int]


class OpenTransactionError(UnavailableError):
    """What comes before an end is hidden by a transaction that has not ended."""


def kafka_call(method: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """Bound the time of a call to Kafka, and turn what aiokafka raises into UnavailableError."""

    @wraps(method)
    async def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                return await method(*args, **kwargs)
        except (KafkaError, OSError, TimeoutError) as error:
            raise UnavailableError(f"Kafka did not answer as it should: {type(error).__name__}.") from error

    return call


class TopicScanner:
    """Opens connections when they are first needed; close it in the end."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._admin: AIOKafkaAdminClient | None = None
        self._askers: dict[str, AIOKafkaConsumer] = {}

    async def aclose(self) -> None:
        await self._stack.aclose()

    @kafka_call
    async def partitions(self, topics: Sequence[str]) -> list[TopicPartition]:
        """Every partition of those of the topics that exist. Raises UnavailableError."""
        described = await (await self.admin()).describe_topics(list(topics))
        return [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]

    @kafka_call
    async def firsts(self, partitions: Iterable[TopicPartition]) -> Positions:
        """The oldest offset that is left of each. Raises UnavailableError."""
        return dict(await (await self._asker(committed=True)).beginning_offsets(list(partitions)))

    @kafka_call
    async def ends(self, partitions: Iterable[TopicPartition], *, stable: bool) -> Positions:
        """Where each ends; `stable`: before the first transaction that has not ended. Raises UnavailableError."""
        return dict(await (await self._asker(committed=stable)).end_offsets(list(partitions)))

    @kafka_call
    async def at(self, partitions: Iterable[TopicPartition], moment: int) -> Mapping[TopicPartition, int | None]:
        """The first offset of each that is not older than a moment (ms); None: all are. Raises UnavailableError."""
        asker = await self._asker(committed=True)
        found: Mapping[TopicPartition, Any] = await asker.offsets_for_times(dict.fromkeys(partitions, moment))
        return {each: answer.offset if answer else None for each, answer in found.items()}

    async def scan(
        self, spans: Mapping[TopicPartition, Span], limit: int
    ) -> AsyncGenerator[tuple[list[RawRecord], dict[TopicPartition, int]], None]:
        """At most `limit` records at once, with the next offset of each partition they are read from.

        Raises:
            OpenTransactionError: a transaction hides what comes before an end.
            UnavailableError: Kafka did not answer, or gave nothing for too long.
        """
        left = {each: span for each, span in spans.items() if span.start < span.end}
        if not left:
            return
        consumer = await self._opened(committed=True)
        loop = asyncio.get_running_loop()
        try:
            consumer.assign(list(left))
            at = {each: span.start for each, span in left.items()}
            for each, start in at.items():
                consumer.seek(each, start)
            moved = loop.time()
            while left:
                records, reached = await self._poll(consumer, left, limit)
                if records or reached != {each: at[each] for each in left}:
                    moved = loop.time()
                    at |= reached
                    yield records, {each: min(reached[each], span.end) for each, span in left.items()}
                else:
                    await self._explain_silence(left, at, loop.time() - moved)
                for each in [each for each, span in left.items() if reached[each] >= span.end]:
                    consumer.pause(each)
                    del left[each]
        finally:
            await _stopped(consumer)

    @kafka_call
    async def _poll(
        self, consumer: AIOKafkaConsumer, left: Mapping[TopicPartition, Span], limit: int
    ) -> tuple[list[RawRecord], dict[TopicPartition, int]]:
        """Records within the spans, and the position of each partition: a compacted topic has gaps, also at its end."""
        fetched = await consumer.getmany(*left, timeout_ms=_POLL_MS, max_records=limit)
        records = [
            raw_record(place, each)
            for place, batch in fetched.items()
            for each in batch
            if each.offset < left[place].end
        ]
        return records, {each: await consumer.position(each) for each in left}

    async def _explain_silence(self, left: Mapping[TopicPartition, Span], at: Positions, seconds: float) -> None:
        stable = await self.ends(left, stable=True)
        hidden = [each for each, span in left.items() if at[each] >= stable[each] and stable[each] < span.end]
        if hidden:
            first = hidden[0]
            raise OpenTransactionError(
                f"A transaction on {first.topic} that has not ended hides offsets {at[first]} to "
                f"{left[first].end - 1} of partition {first.partition}; they are read as soon as it ends."
            )
        if seconds > _PATIENCE_SECONDS:
            topics = ", ".join(sorted({each.topic for each in left}))
            raise UnavailableError(f"Kafka gave no record of {topics} for {seconds:.0f} seconds.")

    async def _asker(self, *, committed: bool) -> AIOKafkaConsumer:
        level = _level(committed=committed)
        if level not in self._askers:
            self._askers[level] = asker = await self._opened(committed=committed)
            self._stack.push_async_callback(_stopped, asker)
        return self._askers[level]

    async def _opened(self, *, committed: bool) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **client_options(self._settings),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level=_level(committed=committed),
            max_partition_fetch_bytes=_FETCH_BYTES,
        )
        try:
            await kafka_call(consumer.start)()
        except BaseException:
            await _stopped(consumer)
            raise
        return consumer

    async def admin(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**client_options(self._settings))
            await admin.start()
            self._stack.push_async_callback(admin.close)
            self._admin = admin
        return self._admin


def _level(*, committed: bool) -> str:
    return "read_committed" if committed else "read_uncommitted"


async def _stopped(consumer: AIOKafkaConsumer) -> None:
    # Bounded: when the assignment changed a moment ago, aiokafka's fetcher swallows the first cancellation.
    with suppress(TimeoutError):
        async with asyncio.timeout(_STOP_SECONDS):
            await consumer.stop()


class TopicHistory:
    """One topic, opened for reading. Use as an async context manager."""

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        """Nothing is sent yet. Raises ConfigurationError about a certificate."""
        self.topic = topic
        self._settings = settings
        self._scanner = TopicScanner(settings)

    async def __aenter__(self) -> Self:
        """Connect. Raises UnavailableError."""
        try:
            await self._scanner.admin()
        except (KafkaError, OSError, TimeoutError) as error:
            await self._scanner.aclose()
            raise await explain_connection_error(self._settings, error) from error
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._scanner.aclose()

    async def spans(self, start: Start | None = None) -> dict[int, Span]:
        """What there is to read now, by partition; partitions with nothing to read are left out.

        What an open transaction hides is none of it.

        Args:
            start: where to begin; the oldest record that is left when None.

        Raises:
            ConfigurationError: there is no such topic.
            UnavailableError: Kafka did not answer.
        """
        partitions = sorted(await self._scanner.partitions([self.topic]))
        if not partitions:
            raise ConfigurationError(f"Kafka has no topic {self.topic}.")
        first = await self._scanner.firsts(partitions)
        last = await self._scanner.ends(partitions, stable=True)
        begin = await self._begin(start or Start(), partitions, last)
        return {
            each.partition: Span(max(begin[each], first[each]), last[each])
            for each in partitions
            if each in begin and max(begin[each], first[each]) < last[each]
        }

    async def read(self, spans: Mapping[int, Span], limit: int = 500) -> AsyncIterator[Chunk]:
        """The records of the spans, at most `limit` at once. Raises UnavailableError."""
        wanted = {TopicPartition(self.topic, number): span for number, span in spans.items()}
        async with aclosing(self._scanner.scan(wanted, limit)) as batches:
            async for records, reached in batches:
                yield Chunk(tuple(records), {each.partition: offset for each, offset in reached.items()})

    async def _begin(
        self, start: Start, partitions: list[TopicPartition], last: Mapping[TopicPartition, int]
    ) -> dict[TopicPartition, int]:
        chosen = [each for each in partitions if start.partition in {None, each.partition}]
        if start.time is None:
            return dict.fromkeys(chosen, start.offset)
        found = await self._scanner.at(chosen, start.time)
        return {each: last[each] if (offset := found.get(each)) is None else offset for each in chosen}
