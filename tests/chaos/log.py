"""Kafka in memory: at least once, offsets committed by a group, members that are thrown out when they are silent.

What it keeps of the real one is what the service relies on: order within a partition, redelivery of what was not
committed, a commit that is refused after a rebalance, a record that may be there although its sending failed.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final
from zlib import crc32

from tests.chaos.effects import STALL, Effects
from tests.chaos.machine import Process, outside, seconds

_PARTITIONS: Final = 2
_SESSION_SECONDS: Final = 30.0
_BATCH: Final = 50

Handler = Callable[[list[Any]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class LogRecord:
    """A record as a consumer gets it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


@dataclass(slots=True)
class Log:
    """All topics and groups."""

    effects: Effects
    topics: dict[str, list[list[LogRecord]]] = field(
        default_factory=lambda: defaultdict(lambda: [[] for _ in range(_PARTITIONS)])
    )
    groups: dict[str, Group] = field(default_factory=dict)
    still: float = 0.0
    """Until when the broker stands still (SIGSTOP): it takes nothing, gives nothing, and says nothing."""
    delayed: list[tuple[str, bytes | None, bytes | None, Sequence[tuple[str, bytes]]]] = field(default_factory=list)
    """Records it got while it stood still, whose senders have given them up."""

    def stand_still(self) -> None:
        """Stop the broker for a while; members that it then takes for lost have to join again."""
        loop = asyncio.get_running_loop()
        if self.still > loop.time():
            return
        self.still = loop.time() + self.effects.chance.choice((5.0, 20.0, 70.0, 150.0))
        self.effects.tell(f"the broker stands still until {self.still:.3f}")
        forgotten = self.effects.chance.random() < 0.5

        def go_on() -> None:
            late, self.delayed = self.delayed, []
            for record in late:
                self.append(*record)
            for group in self.groups.values() if forgotten else ():
                group.rebalance()

        loop.call_at(self.still, go_on, context=Context())

    async def answers(self, within: float = inf) -> bool:
        """Wait until the broker goes on; False when it does not in so many seconds."""
        loop = asyncio.get_running_loop()
        left = self.still - loop.time()
        if left <= 0:
            return True
        # A moment later than the broker itself.
        await asyncio.sleep(min(left + 0.001, within))
        return self.still <= loop.time()

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Sequence[tuple[str, bytes]] = ()
    ) -> LogRecord:
        """Put a record at the end of its partition."""
        number = crc32(key or b"") % _PARTITIONS
        partition = self.topics[topic][number]
        record = LogRecord(topic, number, len(partition), round(seconds() * 1000), key, value, tuple(headers))
        partition.append(record)
        for group in self.groups.values():
            if group.topic == topic:
                outside(group.news.set)
        return record

    def group(self, name: str, topic: str) -> Group:
        """The consumer group of a topic."""
        return self.groups.setdefault(name, Group(self, name, topic))

    def newest(self, topic: str) -> dict[bytes, bytes]:
        """What compaction leaves: key -> last value, without those that are null."""
        kept: dict[bytes, bytes] = {}
        for record in (record for partition in self.topics[topic] for record in partition):
            kept.pop(record.key or b"", None)
            if record.value is not None:
                kept[record.key or b""] = record.value
        return kept


@dataclass(slots=True)
class Group:
    """Who reads which partition of a topic, and how far the group has come."""

    log: Log
    name: str
    topic: str
    committed: list[int] = field(default_factory=lambda: [0] * _PARTITIONS)
    members: list[Member] = field(default_factory=list)
    generation: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def lag(self) -> int:
        """Records not committed."""
        return sum(len(partition) for partition in self.log.topics[self.topic]) - sum(self.committed)

    def join(self, member: Member) -> None:
        """A member comes; everybody's assignment changes."""
        self.members.append(member)
        self.rebalance()

    def leave(self, member: Member) -> None:
        """A member goes, or is thrown out."""
        if member in self.members:
            self.members.remove(member)
            self.rebalance()

    def rebalance(self) -> None:
        """Deal the partitions again."""
        self.generation += 1
        outside(self.news.set)

    def assigned(self, member: Member) -> list[int]:
        """The partitions of a member."""
        place = self.members.index(member)
        return [number for number in range(_PARTITIONS) if number % len(self.members) == place]

    def rewind(self) -> None:
        """Read the topic again from its beginning."""
        self.committed = [0] * _PARTITIONS
        self.rebalance()


@dataclass(eq=False, slots=True)
class Member:
    """One consumer of one process."""

    group: Group
    process: Process
    handler: Handler
    batch: int

    async def consume(self) -> None:
        """Fetch, handle, commit, until cancelled."""
        group, effects = self.group, self.group.log.effects
        group.join(self)
        generation, positions = -1, dict[int, int]()
        while True:
            if self not in group.members:  # was thrown out while it was silent
                group.join(self)
            if generation != group.generation:
                generation = group.generation
                positions = {number: group.committed[number] for number in group.assigned(self)}
            if not await group.log.answers(_SESSION_SECONDS) or generation != group.generation:
                continue  # dealt again meanwhile: what was this one's then says nothing about news
            batch = self._fetched(positions)
            if not batch:
                group.news.clear()
                await group.news.wait()
                continue
            kind = effects.strike(f"fetch {group.name.rpartition('.')[2]}")
            await effects.before(kind)
            if kind == STALL:
                group.log.stand_still()
            if kind in {"error", STALL}:
                await asyncio.sleep(5.0)
                continue
            await effects.latency(0.05)
            await effects.after(kind)
            try:
                await self.handler(batch)
            except Exception:  # noqa: BLE001, S112 - as NACK_ON_ERROR: back to the first record of the batch
                continue
            for record in batch:
                positions[record.partition] = max(positions[record.partition], record.offset + 1)
            if not await self._commit(generation, positions):
                generation = -1  # read again what the group does not know to be done

    def _fetched(self, positions: dict[int, int]) -> list[LogRecord]:
        partitions = self.group.log.topics[self.group.topic]
        return [record for number, at in positions.items() for record in partitions[number][at : at + self.batch]]

    async def _commit(self, generation: int, positions: dict[int, int]) -> bool:
        group, effects = self.group, self.group.log.effects
        kind = effects.strike(f"commit {group.name.rpartition('.')[2]}")
        await effects.before(kind)
        if kind == STALL:
            group.log.stand_still()
        await group.log.answers()
        taken = generation == group.generation and kind != "error"
        if taken:
            for number, position in positions.items():
                group.committed[number] = position
        await effects.after(kind)
        return taken


async def evict(log: Log, process: Process) -> None:
    """Throw a process that says nothing out of its groups, once its session has ended."""
    await asyncio.sleep(_SESSION_SECONDS)
    if process.dead or process.frozen:
        for group in log.groups.values():
            for member in [each for each in group.members if each.process is process]:
                group.leave(member)
