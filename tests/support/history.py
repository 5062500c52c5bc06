"""What Kafka holds, as a list: for rebuilds without a broker."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from consumer.adapters.kafka.changelog import ledger_value, pair_value, remembered, state_record, understands
from consumer.adapters.kafka.status_messages import published_record
from consumer.domain.connection_state import Generation, LoggedState
from consumer.domain.connections.pair import Pair
from consumer.domain.errors import UnavailableError
from consumer.domain.records.ledger import Entry
from consumer.ports import RawRecord
from consumer.ports.rebuild import Offsets, PublishedRecord, Remembered, ScanBatch, TopicPartition
from consumer.settings import Topics
from sandbox.conference.records import Record

_TOPICS = Topics()


@dataclass
class ListedHistory:
    """See `ports.rebuild.RebuildSource`: one partition a topic.

    Attributes:
        made: topic -> the id that offsets are committed with.
        before_read: awaited once, before the next batch.
        batch: records at once.
        give: no more batches of all scans together, then Kafka stands still; None: as many as there are.
        kinds: what a later version reads besides.
    """

    records: dict[str, list[RawRecord]] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    made: dict[str, str] = field(default_factory=dict)
    reads: list[tuple[str, int, int]] = field(default_factory=list)
    announced: list[str] = field(default_factory=list)
    before_read: Callable[[], Awaitable[None]] | None = None
    batch: int = 100_000
    give: int | None = None
    kinds: frozenset[str] = frozenset()
    ledger: str = _TOPICS.ledger
    issues: str = _TOPICS.issues
    requests: str = _TOPICS.mappings
    resources: Sequence[str] = (_TOPICS.sessions, _TOPICS.speakers, _TOPICS.sponsors)

    def add(self, topic: str, key: bytes, value: bytes | None, at: int = 1) -> None:
        """One more record."""
        log = self.records.setdefault(topic, [])
        log.append(RawRecord(topic, 0, len(log), at, key, value))

    def publish(self, *records: Record) -> None:
        """Records of Sessionboard, as it publishes them without a timestamp, which a consumer group has taken in."""
        for record in records:
            self.add(record.topic, record.key, record.value, at=0)
            self.taken[record.topic] = len(self.records[record.topic])

    def log_entry(self, event_id: str, key: str, entry: Entry | None, at: int = 1) -> None:
        """An entry on the changelog."""
        self.add(self.ledger, f"{event_id}/{key}".encode(), ledger_value(key, entry) if entry else None, at)

    def log_pair(self, pair: Pair) -> None:
        """A pair on the changelog."""
        self.add(self.ledger, f"{pair.event_id}/pair/{pair.swoogo_event_id}".encode(), pair_value(pair))

    def log_state(self, state: LoggedState) -> None:
        """A state on the changelog."""
        self.add(self.ledger, *state_record(state))

    async def ends(self) -> Offsets:
        """See `ports.rebuild.RebuildSource`."""
        return {
            TopicPartition(topic, 0): len(self.records.get(topic, []))
            for topic in (self.ledger, self.issues, self.requests, *self.resources)
            if topic != self.issues or topic in self.records
        }

    async def committed(self) -> Offsets:
        """See `ports.rebuild.RebuildSource`."""
        return {TopicPartition(topic, 0, self.made.get(topic, "")): offset for topic, offset in self.taken.items()}

    async def scan(self, starts: Offsets, ends: Offsets) -> AsyncGenerator[ScanBatch, None]:
        """See `ports.rebuild.RebuildSource`."""
        for place, end in ends.items():
            start = starts.get(place, 0)
            if start < end:
                self.reads.append((place.topic, start, end))
            while start < end:
                hook, self.before_read = self.before_read, None
                if hook:
                    await hook()
                if self.give == 0:
                    raise UnavailableError(f"Kafka gave no record of {place.topic} for 15 seconds.")
                self.give = None if self.give is None else self.give - 1
                first, start = start, min(start + self.batch, end)
                yield ScanBatch(self.records[place.topic][first:start], {place: start})

    def remembered(self, record: RawRecord) -> Remembered | None:
        """See `ports.rebuild.RebuildSource`."""
        return remembered(record)

    def published(self, record: RawRecord) -> PublishedRecord | None:
        """See `ports.rebuild.RebuildSource`."""
        return published_record(record)

    def understands(self, what: str) -> bool:
        """See `ports.rebuild.RebuildSource`."""
        return understands(what) or what in self.kinds

    async def announce(self, generation: str) -> None:
        """See `ports.rebuild.RebuildSource`."""
        self.announced.append(generation)
        self.log_state(Generation(generation))
