"""Which dead letters are open: for the gauge, `status` and the console, kept up by reading on.

A counter of letters starts at 0 with every process, and does not fall when a letter is resolved.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from sys import intern

from consumer.adapters.kafka.dead_letters import Letter, read_letter
from consumer.adapters.kafka.topic_scan import TopicHistory
from consumer.ports import RawRecord, Span
from consumer.settings import KafkaSettings


@dataclass(frozen=True, slots=True)
class OpenLetter:
    """What is remembered of a letter. `at`: ms since when it is one; `rounds`: replays that failed again."""

    partition: int
    offset: int
    topic: str
    reason: str
    event_id: str
    at: int
    rounds: int

    @property
    def name(self) -> str:
        """`PARTITION:OFFSET`, as the commands take it."""
        return f"{self.partition}:{self.offset}"


class OpenDeadLetters:
    """Remembers open letters by partition and offset, about 300 bytes each. Close it in the end."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._history: TopicHistory | None = None
        self._next: dict[int, int] = {}
        self._open: dict[int, dict[int, OpenLetter]] = defaultdict(dict)

    async def count(self) -> Mapping[str, int]:
        """Topic a letter came from -> how many are open. What was read before is not read again.

        Raises:
            UnavailableError: Kafka did not answer; the next call reads on.
            ConfigurationError: there is no topic of dead letters.
        """
        return Counter(each.topic for each in await self.letters())

    async def letters(self) -> list[OpenLetter]:
        """The open letters, in no order. Raises as `count`."""
        try:
            await self._read_on()
        except BaseException:
            await self.aclose()
            raise
        return [each for letters in self._open.values() for each in letters.values()]

    async def aclose(self) -> None:
        """Disconnect; what is known stays."""
        history, self._history = self._history, None
        if history is not None:
            await history.__aexit__()

    async def _read_on(self) -> None:
        if self._history is None:
            self._history = await TopicHistory(self._settings, self._settings.topics.dead_letters).__aenter__()
        there = await self._history.spans()
        self._forget_deleted(there)
        left = {number: Span(max(span.start, self._next.get(number, 0)), span.end) for number, span in there.items()}
        async for chunk in self._history.read(left):
            for record in chunk.records:
                self._note(record)
            self._next |= chunk.position

    def _forget_deleted(self, there: Mapping[int, Span]) -> None:
        """What retention deleted is no longer open; a topic that ends earlier than it did is another one."""
        for number in {*self._open, *self._next}:
            span = there.get(number)
            if span is None or span.end < self._next.get(number, 0):
                self._open.pop(number, None)
                self._next.pop(number, None)
            else:
                kept = {offset: each for offset, each in self._open[number].items() if offset >= span.start}
                self._open[number] = kept

    def _note(self, record: RawRecord) -> None:
        read = read_letter(record)
        if isinstance(read, Letter):
            origin = read.origin
            self._open[record.partition][record.offset] = OpenLetter(
                record.partition,
                record.offset,
                intern(origin.origin_topic),
                intern(origin.reason.value),
                intern(read.owner[1]),
                record.timestamp,
                origin.round,
            )
            return
        partition, _, offset = read.partition(":")
        if partition.isdecimal() and offset.isdecimal():
            self._open[int(partition)].pop(int(offset), None)
