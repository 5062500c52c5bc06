"""The dead letters as operators see them: which are open, and what becomes of one (decision 0028).

A letter is resolved by a record on the same partition of the same topic that names it, so nothing else has to be kept,
and both are deleted together when their time is over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.adapters.kafka.publish import brief_producer
from consumer.adapters.kafka.topic_scan import TopicHistory
from consumer.ports import RawRecord, Span
from consumer.settings import KafkaSettings
from schemas.dead_letter import HEADER_PREFIX, ROUND, SETTLED, SETTLES, DeadLetterHeaders
from schemas.keys import parse_control_key

_WITHHELD: Final = f"{HEADER_PREFIX}withheld"
_TRUNCATED: Final = f"{HEADER_PREFIX}truncated"


@dataclass(frozen=True, slots=True)
class Letter:
    """One dead letter: where it lies, as it lies there, and where it came from."""

    record: RawRecord
    origin: DeadLetterHeaders

    @property
    def name(self) -> str:
        """`PARTITION:OFFSET`, as the commands take it."""
        return f"{self.record.partition}:{self.record.offset}"

    @property
    def incomplete(self) -> str:
        """Why the original bytes are not all here, as a sentence; "" when they are."""
        names = {name for name, _ in self.record.headers}
        if _WITHHELD in names:
            origin = self.origin
            place = f"{origin.origin_partition}:{origin.origin_offset}"
            return (
                f"its value may hold credentials and was not kept; it lies on {origin.origin_topic} at {place}. Once "
                f"the service can read it: swoogo-sync replay {origin.origin_topic} --from {place}; else have it "
                "published again, with sealed credentials."
            )
        if _TRUNCATED in names:
            return "its value was too large to keep; have it published again."
        return ""

    @property
    def original(self) -> RawRecord:
        """The record that could not be read, as far as it was kept."""
        at, held = self.origin, self.record
        return RawRecord(
            at.origin_topic, at.origin_partition, at.origin_offset, at.origin_timestamp, held.key, held.value
        )

    @property
    def owner(self) -> tuple[str, str]:
        """Organization and event, as far as the key says whose it is; "" for what it does not."""
        try:
            key = parse_control_key(self.record.key or b"")
        except ValueError:
            return "", ""
        if key.scope in {"integration", "disconnect"}:
            return key.id, ""
        return "", key.id.partition("/")[0] if key.scope in {"mapping", "sync"} else key.scope

    @property
    def headers(self) -> tuple[tuple[str, bytes | None], ...]:
        return tuple(each for each in self.record.headers if not each[0].startswith(HEADER_PREFIX))


def read_letter(record: RawRecord) -> Letter | str:
    """A dead letter; or the name of the one that this record resolves, "" for a record that is neither."""
    named = dict(record.headers)
    if SETTLES in named:
        return (named[SETTLES] or b"").decode(errors="replace")
    try:
        return Letter(record, DeadLetterHeaders.from_headers(record.headers))
    except ValueError:
        return ""


def note_letters(opened: dict[str, Letter], records: Iterable[RawRecord]) -> None:
    """Enter letters by name, and take out those that later records resolve."""
    for record in records:
        read = read_letter(record)
        if isinstance(read, Letter):
            opened[read.name] = read
        else:
            opened.pop(read, None)


class DeadLetterQueue:
    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._topic = settings.topics.dead_letters

    async def open(self) -> list[Letter]:
        """Open dead letters, oldest first. Raises UnavailableError, ConfigurationError."""
        found: dict[str, Letter] = {}
        async with TopicHistory(self._settings, self._topic) as history:
            async for chunk in history.read(await history.spans()):
                note_letters(found, chunk.records)
        return sorted(found.values(), key=lambda each: (each.record.timestamp, each.record.partition))

    async def some(self, places: Sequence[tuple[int, int]]) -> list[Letter]:
        """The letters at these partitions and offsets, whether they are open or not; what is none is left out.

        Raises UnavailableError, ConfigurationError.
        """
        found: list[Letter] = []
        async with TopicHistory(self._settings, self._topic) as history:
            spans = await history.spans()
            for partition, offset in places:
                span = spans.get(partition)
                if span and span.start <= offset < span.end:
                    async for chunk in history.read({partition: Span(offset, offset + 1)}, 1):
                        found += [read for each in chunk.records if isinstance(read := read_letter(each), Letter)]
        return found

    async def superseded(self, letters: Sequence[Letter]) -> set[str]:
        """Names of those whose key has a newer record on its topic, or a newer letter among these.

        Putting such a one back would change nothing now (G3), but the topic is compacted: it would in time be all that
        is left under its key, and a rebuild would believe it (G6).
        """
        old: set[str] = set()
        by_topic: dict[str, list[Letter]] = defaultdict(list)
        for letter in letters:
            by_topic[letter.origin.origin_topic].append(letter)
        for topic, group in by_topic.items():
            spans: dict[int, int] = {}
            offsets: dict[tuple[int, bytes], list[Letter]] = defaultdict(list)
            for letter in group:
                partition, offset = letter.origin.origin_partition, letter.origin.origin_offset
                spans[partition] = min(spans.get(partition, offset + 1), offset + 1)
                if letter.record.key is not None:
                    offsets[partition, letter.record.key].append(letter)
            async with TopicHistory(self._settings, topic) as history:
                whole = await history.spans()
                wanted = {
                    number: Span(max(start, whole[number].start), whole[number].end)
                    for number, start in spans.items()
                    if number in whole
                }
                async for chunk in history.read(wanted, 2_000):
                    for record in chunk.records:
                        older = offsets.get((record.partition, record.key or b""), ())
                        old |= {each.name for each in older if each.origin.origin_offset < record.offset}
        return old

    async def replay(self, letters: Sequence[Letter]) -> set[str]:
        """Put letters back, or only resolve those whose key has a newer record: the names of these.

        Raises UnavailableError.
        """
        old = await self.superseded(letters)
        await self.resolve([each for each in letters if each.name in old], "superseded", put_back=False)
        await self.resolve([each for each in letters if each.name not in old], "replayed", put_back=True)
        return old

    async def resolve(self, letters: Sequence[Letter], how: str, *, put_back: bool) -> None:
        """Put letters back where they came from, where that is asked for, and mark them as resolved.

        A crash in between leaves a letter open that was put back; doing it again changes nothing (G3).

        Args:
            letters: oldest first.
            how: `replayed`, `superseded` or `discarded`.
            put_back: with the partition, key, headers and time of the original, and the round that begins with it.
        """
        async with brief_producer(self._settings, "Dead letters could not be resolved") as sender:
            for letter in letters:
                if put_back:
                    origin = letter.origin
                    await sender.send_and_wait(
                        origin.origin_topic,
                        value=letter.record.value,
                        key=letter.record.key,
                        partition=origin.origin_partition,
                        timestamp_ms=origin.origin_timestamp if origin.origin_timestamp >= 0 else None,
                        headers=[
                            *((name, value or b"") for name, value in letter.headers),
                            (ROUND, str(origin.round + 1).encode()),
                        ],
                    )
                await sender.send_and_wait(
                    self._topic,
                    value=None,
                    key=letter.record.key,
                    partition=letter.record.partition,
                    headers=[(SETTLES, letter.name.encode()), (SETTLED, how.encode())],
                )
