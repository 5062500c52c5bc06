"""Records as they come from Kafka, and where undecodable ones go."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from consumer.domain.planning.request import SyncRequest
from consumer.domain.push.claim import Subject
from consumer.ports.inbox import Change


class RawRecord(msgspec.Struct, frozen=True, gc=False):
    """A Kafka record as it came. A struct, as are the others that each record needs: made ten times as fast."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


class Peeked(msgspec.Struct, frozen=True, gc=False):
    """A record whose envelope was read: whose change it is, and how new.

    `subject` is None when the owner has to be looked up (a null value on a mapping key names no organization).
    `change`: what reading it gives, where the decoder knows that already.
    """

    subject: Subject | None
    key: str
    stamp: str
    record: RawRecord
    action: str = ""
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An undecodable record, as it came, and why."""

    record: RawRecord
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Start:
    """Where to begin to read a topic again: at an offset (of one partition or of each), or at a moment.

    `time`: ms; the first record that is not older. It counts more than the offset.
    """

    offset: int = 0
    partition: int | None = None
    time: int | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """Offsets of one partition: from `start` up to, and without, `end`."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some records of a span, and the offset that comes next in each partition they are read from."""

    records: tuple[RawRecord, ...]
    position: Mapping[int, int]


class History(Protocol):
    """One topic, read again beside every consumer group."""

    def read(self, spans: Mapping[int, Span], limit: int = 500) -> AsyncIterator[Chunk]:
        """The records of the spans by partition, each partition in order. Raises UnavailableError."""


class Decoder(Protocol):
    """From bytes to the domain, in two steps so that superseded records of a batch are never read whole."""

    def peek(self, record: RawRecord) -> Peeked | None:
        """Read the envelope; None when the record is not for this service. Raises PoisonError."""

    def read(self, peeked: Peeked) -> Change | SyncRequest:
        """Validate the resource. Raises PoisonError."""


class DeletionLog(Protocol):
    """Contacts that Sessionboard deleted, for as long as the changelog lasts (P5).

    Their own topic forgets a null value; a session may carry a copy of the person for ever.
    """

    async def note(self, event_id: str, deletions: Mapping[str, str]) -> None:
        """Return when the deletions are safe: contact id -> stamp. Once more is no harm. Raises UnavailableError."""


class DeadLetters(Protocol):
    """The topic of unreadable records."""

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """Publish and wait until they are safe."""
