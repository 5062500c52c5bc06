"""One topic read again, from a position to where it ends now, for the commands that do so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Self

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.security import explain_connection_error
from consumer.adapters.kafka.topic_scan import TopicScanner
from consumer.domain.errors import ConfigurationError
from consumer.ports import Chunk, Span, Start
from consumer.settings import KafkaSettings


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
