"""REBUILD: noticing that Redis lost something, and what Kafka still knows (G6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from consumer.domain.ledger import Entry
from consumer.domain.pair import Pair
from consumer.domain.standing import ServedRequest, Standing
from consumer.ports.inbox import Change
from consumer.ports.topics import RawRecord


class Place(NamedTuple):
    """A partition. `of`: id of the topic that an offset there belongs to, which a topic made again does not share; ""
    where nobody said.
    """

    topic: str
    partition: int
    of: str = ""


Offsets = Mapping[Place, int]
"""Next offsets."""


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
class NewerRecord:
    """A record that a later version wrote. `owner`: the event or organization it belongs to; `what`: `kind/format`."""

    owner: str
    what: str


Remembered = Logged | LoggedDeletion | Pair | Standing | NewerRecord
"""What a record of the changelog says."""


@dataclass(frozen=True, slots=True)
class Marker:
    """What Redis says of itself.

    Attributes:
        generation: "" when Redis has none: it is new, or it was wiped.
        known: the server is the process that was last found to have everything.
        server: id of the server process that answered.
        lost: a loss was found, and its rebuild has not ended.
        offsets: everything before these is in this Redis.
    """

    generation: str
    known: bool
    server: str
    lost: bool = False
    offsets: Offsets = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """True when nothing can be missing."""
        return bool(self.generation) and self.known and not self.lost


@dataclass(frozen=True, slots=True)
class RebuildProgress:
    """How far a rebuild is. `phase`: ledger, mappings, changes or waiting; `started` in ms.

    `seconds_left` is None while nothing can be said.
    """

    phase: str
    read: int
    total: int
    started: int
    restored: int = 0
    seconds_left: float | None = None


class Markers(Protocol):
    """The marker in Redis, and who may rebuild."""

    async def look(self) -> Marker:
        """What Redis says of itself, now. Raises UnavailableError."""
        ...

    async def lock(self, owner: str) -> bool:
        """True when `owner` may rebuild; nobody else may for a while."""
        ...

    async def hold(self, owner: str, progress: RebuildProgress) -> bool:
        """Go on for a while and show how far it is; False when the lock was lost, with whatever had been restored."""
        ...

    async def note_loss(self, owner: str) -> None:
        """Whoever finishes this rebuild has to treat it as one after a loss."""
        ...

    async def commit(self, owner: str, generation: str, server: str, offsets: Offsets) -> bool:
        """The rebuild is done, and the lock is given back; False when it was lost meanwhile."""
        ...

    async def release(self, owner: str) -> None:
        """Give the lock back, with nothing done."""
        ...

    async def advance(self, marker: Marker, offsets: Offsets) -> None:
        """Everything before `offsets` is in the Redis that `marker` was read from."""
        ...

    async def progress(self) -> RebuildProgress | None:
        """The rebuild in progress, anywhere."""
        ...


class History(Protocol):
    """What Kafka holds, read without a consumer group. All raise UnavailableError."""

    @property
    def ledger(self) -> str:
        """The changelog's topic."""
        ...

    @property
    def requests(self) -> str:
        """The topic of integrations, pairs and sync requests."""
        ...

    @property
    def resources(self) -> Sequence[str]:
        """The topics of sessions, speakers and sponsors."""
        ...

    async def ends(self) -> Offsets:
        """Where changelog and input topics end."""
        ...

    async def committed(self) -> Offsets:
        """Up to where the consumer groups say that the input topics were recorded, and of which topic that is."""
        ...

    def read(self, starts: Offsets, ends: Offsets) -> AsyncIterator[tuple[int, Sequence[RawRecord]]]:
        """Records of all partitions in `ends`, batch by batch, each with how many offsets were passed."""
        ...

    def remembered(self, record: RawRecord) -> Remembered | None:
        """What a record of the changelog says; None for a null value. Raises PoisonError: it cannot be read."""
        ...

    async def announce(self, generation: str) -> None:
        """Put the marker on the changelog."""
        ...


class Restorer(Protocol):
    """Puts into Redis what Kafka remembers; everything may be done again."""

    def begin(self) -> None:
        """Forget what this process believes to be in Redis."""
        ...

    async def entries(self, event_id: str, logged: Sequence[Logged]) -> int:
        """Keep what is newer; returns how many were."""
        ...

    async def pair(self, pair: Pair) -> bool:
        """Enter a pair of the history; False when it was known as it is."""
        ...

    async def pairs(self) -> Mapping[str, Pair]:
        """The history of pairs by event, with what was entered again."""
        ...

    async def settled(self, org_id: str, stamps: Mapping[str, str]) -> None:
        """These requests were dealt with before the loss."""
        ...

    async def served(self, event_id: str, requests: Sequence[ServedRequest]) -> int:
        """These manual syncs were served before the loss; returns how many were not known to be."""
        ...

    async def doubt(self, credentials: Iterable[str]) -> None:
        """What these credentials spent is not known: one call at a time, until Swoogo says what is left (G5)."""
        ...

    async def look_first(self, event_id: str) -> None:
        """Nothing is created in this event before Swoogo was asked what is there (G2)."""
        ...

    async def events(self) -> Sequence[str]:
        """Every event recorded so far."""
        ...
