"""What is recorded, counted: batches and their records, and dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consumer.observability.metrics import recording
from consumer.observability.registry import MetricRegistry
from consumer.ports import DeadLetter, DeadLetters, RawRecord
from consumer.services.record import Recorded, Records


@dataclass(frozen=True, slots=True)
class MeteredRecorder:
    """Counts batches and their records; a few additions a batch, none a record."""

    inner: Records
    meters: MetricRegistry

    async def record(self, batch: Sequence[RawRecord]) -> Recorded:
        topic, outcome = batch[0].topic, "failed"
        try:
            result = await self.inner.record(batch)
            outcome = "recorded"
        finally:
            self.meters.add(recording.RECORD_BATCHES, topic=topic, outcome=outcome)
        known = max(result.received - result.news - result.ignored - result.dead, 0)
        for word, count in (
            ("news", result.news),
            ("known", known),
            ("ignored", result.ignored),
            ("dead", result.dead),
        ):
            if count:
                self.meters.add(recording.RECORDS, count, topic=topic, result=word)
        return result


@dataclass(frozen=True, slots=True)
class MeteredDeadLetters:
    inner: DeadLetters
    meters: MetricRegistry

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        await self.inner.put(letters)
        for letter in letters:
            self.meters.add(recording.DEAD_LETTERS, topic=letter.record.topic, reason=letter.reason)
