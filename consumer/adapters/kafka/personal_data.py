"""People's data on Kafka: which records of which topic hold it, and dead letters rewritten without them (Y1, Y2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from consumer.adapters.kafka.dead_letters import Letter, note_letters
from consumer.adapters.kafka.publish import brief_producer
from consumer.adapters.kafka.topic_scan import TopicHistory, TopicScanner
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.ports import RawRecord
from consumer.settings import KafkaSettings

_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Needles:
    """What tells a person's records: ids stand whole, in quotes or as a part of a key; addresses anywhere."""

    ids: frozenset[str]
    emails: frozenset[str]

    def found_in(self, record: RawRecord) -> bool:
        parts = set((record.key or b"").decode(errors="replace").replace("#", "/").split("/"))
        if parts & self.ids:
            return True
        texts = [record.value or b"", record.key or b"", *(value or b"" for _, value in record.headers)]
        if any(f'"{each}"'.encode() in texts[0] for each in self.ids):
            return True
        return any(each.encode() in text.lower() for each in self.emails for text in texts)


class KafkaPersonalData:
    """Reads topics beside every consumer group."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings

    async def search(self, topics: Iterable[str], needles: Needles) -> dict[str, list[str] | None]:
        """Topic -> `PARTITION:OFFSET` of each record with a value that holds any; None: this login may not read it.

        Raises UnavailableError.
        """
        found: dict[str, list[str] | None] = {}
        for topic in topics:
            try:
                records = await self._records(topic)
            except UnavailableError as error:
                if not isinstance(error.__cause__, TopicAuthorizationFailedError):
                    raise
                found[topic] = None
            else:
                found[topic] = [f"{each.partition}:{each.offset}" for each in records if needles.found_in(each)]
        return found

    async def rewrite_letters(self, needles: Needles) -> int:
        """Take records that hold any off the topic of dead letters; other open letters of their partitions are written
        again first. Returns how many were taken off.

        A crash in between leaves letters twice, which the next call makes good: it writes one for each origin.

        Raises:
            UnavailableError: Kafka did not answer, or refuses to delete records.
        """
        topic = self._settings.topics.dead_letters
        records = await self._records(topic, tombstones=True)
        hit = [each for each in records if needles.found_in(each)]
        partitions = {each.partition for each in hit}
        if not partitions:
            return 0
        opened: dict[str, Letter] = {}
        note_letters(opened, records)
        kept: dict[tuple[int, str, int, int], RawRecord] = {}
        for each in opened.values():
            place, origin = each.record.partition, each.origin
            if place in partitions and not needles.found_in(each.record):
                kept[place, origin.origin_topic, origin.origin_partition, origin.origin_offset] = each.record
        cut: dict[int, int] = defaultdict(int)
        for record in records:
            cut[record.partition] = max(cut[record.partition], record.offset + 1)
        await self._write_again(list(kept.values()))
        scanner = TopicScanner(self._settings)
        try:
            ends = {TopicPartition(topic, each): RecordsToDelete(cut[each]) for each in partitions}
            await (await scanner.admin()).delete_records(ends)
        except KafkaError as error:
            raise UnavailableError(
                f"Dead letters could not be deleted ({type(error).__name__}): it needs the right Delete on {topic}."
            ) from error
        finally:
            await scanner.aclose()
        return len(hit)

    async def _write_again(self, records: Sequence[RawRecord]) -> None:
        async with brief_producer(self._settings, "Dead letters could not be written") as sender:
            for record in records:
                await sender.send_and_wait(
                    record.topic,
                    value=record.value,
                    key=record.key,
                    partition=record.partition,
                    timestamp_ms=record.timestamp if record.timestamp >= 0 else None,
                    headers=[(name, value or b"") for name, value in record.headers],
                )

    async def _records(self, topic: str, *, tombstones: bool = False) -> list[RawRecord]:
        found: list[RawRecord] = []
        try:
            async with TopicHistory(self._settings, topic) as history:
                async for chunk in history.read(await history.spans(), _AT_ONCE):
                    found += [each for each in chunk.records if tombstones or each.value is not None]
        except ConfigurationError:
            return []  # a topic that is not there holds nothing
        return found
