"""The log read again: by a rebuild, and by the archive of ledgers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import astuple
from typing import Any, Final

from consumer.adapters.kafka.rebuild_source import KafkaRebuildSource
from consumer.domain.errors import UnavailableError
from consumer.ports import RawRecord, Span
from consumer.ports.rebuild import Offsets, ScanBatch, TopicPartition
from consumer.settings import KafkaSettings
from tests.chaos.effects import STALL
from tests.chaos.log import Log
from tests.chaos.machine import current

_SCAN_SECONDS: Final = 15.0
_REBUILD_BATCH: Final = 20
_RESOURCES: Final = ("sessions", "speakers", "sponsors")


class LogSource(KafkaRebuildSource):
    """Reads the log where the real one reads Kafka."""

    def __init__(self, settings: KafkaSettings, producer: Any, log: Log) -> None:
        super().__init__(settings, producer)
        self._log = log
        self._group_id = settings.group_id
        self._inputs = {name: getattr(settings.topics, name) for name in ("mappings", *_RESOURCES)}

    async def aclose(self) -> None:
        """Nothing to close."""

    async def ends(self) -> Offsets:
        """See `ports.rebuild.RebuildSource`."""
        await strike(self._log, "ends")
        return {
            TopicPartition(topic, number): len(partition)
            for topic in (self.ledger, self.issues, *self._inputs.values())
            for number, partition in enumerate(self._log.topics[topic])
        }

    async def committed(self) -> Offsets:
        """See `ports.rebuild.RebuildSource`."""
        await strike(self._log, "committed")
        groups = [self._log.groups.get(f"{self._group_id}.{name}") for name in self._inputs]
        return {
            TopicPartition(group.topic, number): offset
            for group in groups
            if group
            for number, offset in enumerate(group.committed)
            if offset
        }

    async def scan(self, starts: Offsets, ends: Offsets) -> AsyncGenerator[ScanBatch, None]:
        """See `ports.rebuild.RebuildSource`. A few records at once, so that a rebuild breaks off in between too.

        Topics have been compacted by then: of people, only the newest value of a key is left, and no null (P5).
        """
        for place, end in ends.items():
            start = starts.get(place, 0)
            while start < end:
                await strike(self._log, "records")
                await self._log.effects.latency(0.05)
                first, start = start, min(start + _REBUILD_BATCH, end)
                found = self._log.topics[place.topic][place.partition][first:start]
                if place.topic == self._inputs["speakers"]:
                    left = self._log.newest(place.topic)
                    found = [each for each in found if each.value and left.get(each.key or b"") == each.value]
                yield ScanBatch([RawRecord(*astuple(record)) for record in found], {place: start})


class LogScanner:
    """Reads single records of the log where `TopicScanner` reads Kafka."""

    def __init__(self, log: Log) -> None:
        self._log = log

    async def scan(
        self, spans: Mapping[Any, Span], _: int
    ) -> AsyncGenerator[tuple[list[RawRecord], dict[Any, int]], None]:
        """See `TopicScanner`."""
        for place, span in spans.items():
            await strike(self._log, "archive")
            found = self._log.topics[place.topic][place.partition][span.start : span.end]
            yield [RawRecord(*astuple(record)) for record in found], {place: span.end}

    async def aclose(self) -> None:
        """Nothing to close."""


async def strike(log: Log, what: str) -> None:
    """What breaks while something is read again. Raises UnavailableError when the broker does not answer."""
    kind = log.effects.strike(f"scan {what}") if current() else ""
    await log.effects.before(kind)
    if kind == STALL:
        log.stand_still()
    if kind == "error" or not await log.answers(_SCAN_SECONDS):
        raise UnavailableError("Kafka does not answer.")
