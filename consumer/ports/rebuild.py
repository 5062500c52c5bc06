"""REBUILD: noticing that Redis lost something, and what Kafka still knows (G6)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from consumer.domain.connection_state import LoggedState, OrgState, ServedRequest
from consumer.domain.connections.pair import Pair
from consumer.domain.planning.control import Control
from consumer.domain.records.ledger import Entry
from consumer.ports.inbox import Change
from consumer.ports.topics import RawRecord


class TopicPartition(NamedTuple):
    """A partition. `of`: id of the topic that an offset there belongs to, which a topic made again does not share; ""
    where it is not known.
    """

    topic: str
    partition: int
    of: str = ""


Offsets = Mapping[TopicPartition, int]
"""Next offsets."""

EVERY_ORGANIZATION = "*"
"""Owner of a record that concerns whatever is connected or mapped."""


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry as the changelog has it; None: it was forgotten. `at`: ms at which that was published."""

    event_id: str
    key: str
    entry: Entry | None
    at: int


@dataclass(frozen=True, slots=True)
class LoggedDeletion:
    """A contact that Sessionboard deleted, as the snapshot has it; its own topic may have forgotten it (P5)."""

    event_id: str
    change: Change


@dataclass(frozen=True, slots=True)
class PublishedRecord:
    """What the issues topic has of one record: its digest, "" for a null value."""

    event_id: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class NewerRecord:
    """A record that a later version wrote.

    `owners`: the events and organizations that wait until it is read; `what`: `kind/format`.
    """

    owners: tuple[str, ...]
    what: str


Remembered = Logged | LoggedDeletion | Pair | LoggedState | NewerRecord
"""What a record of the changelog says."""


@dataclass(frozen=True, slots=True)
class ScanBatch:
    """Records of some partitions, and how far those were read with them."""

    records: Sequence[RawRecord]
    positions: Offsets


@dataclass(frozen=True, slots=True)
class Marker:
    """What Redis says of itself.

    Attributes:
        generation: "" when Redis has none: it is new, or it was wiped.
        known: the server is the process that was last found to have everything.
        server: id of the server process that answered.
        checked: id of the server process that was last found to have everything.
        lost: a loss was found, and its rebuild has not ended.
        offsets: everything before these is in this Redis.
        deferred: owner -> what of its records a later version has to read, see `NewerRecord`.
        lost_at: ms of the last rebuild that made good a loss; 0 where there was none.
        among: the servers, where one may lose its data while another keeps how far a rebuild is; "" for a single one.
        doubted: first and last hash slots of servers that may lack something; None where that may be any.
        evicted: the server, and how many keys it has dropped because it was full; "" where that is not asked.
    """

    generation: str
    known: bool
    server: str
    checked: str = ""
    lost: bool = False
    offsets: Offsets = field(default_factory=dict)
    deferred: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lost_at: int = 0
    among: str = ""
    doubted: Sequence[tuple[int, int]] | None = None
    evicted: str = ""

    @property
    def complete(self) -> bool:
        """True when nothing can be missing."""
        return bool(self.generation) and self.known and not self.lost

    @property
    def lineage(self) -> str:
        """What the progress of a rebuild belongs to: a rebuild that ends changes it."""
        return f"{self.generation}/{self.checked}" + (f"/{self.among}" if self.among else "")


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """How far a rebuild is. `phase`: ledger, issues, mappings, changes or waiting; `started` in ms.

    `seconds_left` is None while nothing can be said. `trouble`: why it could not go on when it was last tried.
    """

    phase: str
    read: int
    total: int
    started: int
    restored: int = 0
    seconds_left: float | None = None
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Resumed:
    """What former attempts of the same rebuild have reached and read."""

    offsets: Offsets
    states: Collection[OrgState]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild came to, for the marker. `lost_at`: ms; None when nothing was missing."""

    generation: str
    offsets: Offsets
    deferred: Mapping[str, Sequence[str]] = field(default_factory=dict)
    lost_at: int | None = None


class Markers(Protocol):
    """The marker in Redis, and who may rebuild. All raise UnavailableError."""

    async def look(self) -> Marker:
        """What Redis says of itself, now. Raises UnreadableRowError: a later version wrote it."""

    def holds(self, marker: Marker, *tags: str) -> bool:
        """Whether nothing of these can be missing: `event/ID`, `org/ID`, `cred/HASH`, `pairs`, `index`."""

    async def lock(self, owner: str) -> bool:
        """True when `owner` may rebuild; no other one may for a while."""

    async def keep(self, owner: str, progress: RebuildProgress) -> bool:
        """Renew the lock and show the progress; False, with nothing changed, when the lock is not the owner's."""

    async def resume(self, marker: Marker) -> Resumed:
        """What former attempts reached since the marker was last written."""

    async def checkpoint(self, owner: str, marker: Marker, offsets: Offsets, states: Collection[OrgState]) -> bool:
        """Everything before `offsets` is in Redis, these states included.

        False, with nothing changed, when the lock is not the owner's or the server is another process by now.
        """

    async def note_loss(self, owner: str, marker: Marker) -> bool:
        """The rebuild that ends next has to treat it as one after a loss. False as in `checkpoint`."""

    async def commit(self, owner: str, marker: Marker, rebuilt: Rebuilt) -> bool:
        """The rebuild is done, and the lock is given back. False as in `checkpoint`."""

    async def release(self, owner: str) -> None:
        """Give the lock back, with nothing done."""

    async def advance(self, marker: Marker, offsets: Offsets) -> None:
        """Everything before `offsets` is in the Redis that `marker` was read from; nothing when that is another."""

    async def progress(self) -> RebuildProgress | None:
        """The rebuild in progress, anywhere."""


class RebuildSource(Protocol):
    """What Kafka holds, read without a consumer group. All raise UnavailableError."""

    @property
    def ledger(self) -> str:
        """The changelog's topic."""

    @property
    def issues(self) -> str:
        """The topic that has what stands for each record."""

    @property
    def requests(self) -> str:
        """The topic of integrations, pairs and sync requests."""

    @property
    def resources(self) -> Sequence[str]:
        """The topics of sessions, speakers and sponsors."""

    async def ends(self) -> Offsets:
        """Where the topics end.

        Changelog and issues with what open transactions hide, as both must be whole; input topics without, as that
        comes through the consumer groups.
        """

    async def committed(self) -> Offsets:
        """Up to where the consumer groups say that the input topics were recorded, and of which topic that is."""

    def scan(self, starts: Offsets, ends: Offsets) -> AsyncGenerator[ScanBatch, None]:
        """Records of all partitions in `ends`, each partition in order; the last batch has reached all ends.

        Raises:
            UnavailableError: Kafka stands still, or an open transaction hides what comes before an end.
        """

    def remembered(self, record: RawRecord) -> Remembered | None:
        """What a record of the changelog says; None for a null value. Raises PoisonError: it cannot be read."""

    def published(self, record: RawRecord) -> PublishedRecord | None:
        """What a record of the issues topic says; None: it is none of ours."""

    def understands(self, what: str) -> bool:
        """Whether this version reads a `NewerRecord.what`."""

    async def announce(self, generation: str) -> None:
        """Put the marker on the changelog."""


class Restorer(Protocol):
    """Puts into Redis what Kafka remembers; everything may be done again. All raise UnavailableError."""

    async def begin(self, owner: str) -> None:
        """Forget what this process believes to be in Redis; pairs are taken from this owner alone from now on."""

    async def end(self, owner: str) -> None:
        """Take no pairs from this owner any more."""

    async def entries(self, event_id: str, logged: Sequence[Logged]) -> int:
        """Keep what is newer; returns how many were."""

    async def pair(self, owner: str, pair: Pair) -> bool:
        """Enter a pair of the history; False when it was known as it is. Raises UnavailableError: not by this owner."""

    async def pairs(self) -> Mapping[str, Pair]:
        """The history of pairs by event, with what was entered again."""

    async def requests_served(self, org_id: str, stamps: Mapping[str, str]) -> None:
        """These requests were dealt with before the loss."""

    async def served(self, event_id: str, requests: Sequence[ServedRequest]) -> int:
        """These manual syncs were served before the loss; returns how many were not known to be."""

    async def controls(self, event_id: str, controls: Sequence[Control]) -> int:
        """Keep the later revision of each; returns how many were news (U1, U2)."""

    async def published(self, event_id: str, records: Mapping[str, str]) -> None:
        """The issues topic has these: record key -> digest, "" where nothing stands (N2)."""

    async def doubt(self, credentials: Iterable[str]) -> None:
        """What these credentials spent is not known: one call at a time, until Swoogo says what is left (G5)."""

    async def look_first(self, event_id: str) -> None:
        """Nothing is created in this event before Swoogo was asked what is there (G2)."""

    async def events(self) -> Sequence[str]:
        """Every event recorded so far."""
