"""What stands of all events together: the elected replica counts it, slice by slice; all read it as one document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, cast

import msgspec
import structlog
from redis.asyncio import Redis

from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.client import guarded, read_value
from consumer.adapters.redis.event_stats import EventStats, RedisEventStats
from consumer.adapters.redis.keys import DUE_SHARDS, Keys
from consumer.domain.errors import UnavailableError
from consumer.ports import Clock

_SLICE: Final = 500
_PART: Final = 1_000
"""Events looked at for one document at most: beyond that its sums are those of the last whole pass."""
_SUBJECTS, _QUEUES = 1_000, 250
"""Looked at of a shard of the due index."""
_RECOUNTED: Final = 400
"""One event in so many is counted row by row, another one with each pass."""
_FRESH_MS: Final = 60_000
_KEPT_SECONDS: Final = 3_600

log = structlog.get_logger("fleet")


class Waiting(msgspec.Struct):
    """Subjects of a kind that are due and not worked on, since when (ms) the first of them is, and its id."""

    count: int
    first: int
    subject: str = ""


class Fleet(msgspec.Struct, omit_defaults=True):
    """All events. Moments are ms, None where there is none; `at`: when it was written.

    `known`: anything was ever recorded for them. `changes`, `oldest` and `surveyed` are of continuously synced events.
    """

    at: int = 0
    known: int = 0
    archived: int = 0
    continuous: int = 0
    failing: int = 0
    changes: int = 0
    oldest: int | None = None
    surveyed: int | None = None
    intents: int = 0
    unlogged: int = 0
    parked: int = 0
    issues: dict[str, int] = {}
    left_out: dict[str, int] = {}
    due: dict[str, Waiting] = {}

    def add(self, each: EventStats) -> None:
        self.failing += each.failures > 0
        self.intents += each.intents
        self.unlogged += each.unlogged
        self.parked += each.parked
        for mine, its in ((self.issues, each.issues), (self.left_out, each.left_out)):
            for name, count in its.items():
                mine[name] = mine.get(name, 0) + count
        if each.continuous:
            self.continuous += 1
            self.changes += each.changes
            self.oldest = _earlier(self.oldest, each.oldest)
            self.surveyed = _earlier(self.surveyed, each.surveyed)

    def add_sums(self, sums: Mapping[str, int]) -> None:
        """More events, added up by Redis; see `RedisEventStats.sums_of`."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + sums.get(name, 0))
        self.oldest = _earlier(self.oldest, sums.get("oldest"))
        self.surveyed = _earlier(self.surveyed, sums.get("surveyed"))
        for mine, of in ((self.issues, "issue/"), (self.left_out, "left_out/")):
            for name in (name.removeprefix(of) for name in sums if name.startswith(of)):
                mine[name] = mine.get(name, 0) + sums[of + name]


_NUMBERS: Final = ("failing", "continuous", "changes", "unlogged", "intents", "parked")
_document: Final = msgspec.json.Decoder(Fleet)


class RedisFleet(RedisReader):
    def __init__(self, redis: Redis, keys: Keys, stats: RedisEventStats, clock: Clock) -> None:
        super().__init__(redis, keys)
        self._stats = stats
        self._clock = clock
        self._cursor = 0
        self._passes = 0
        self._sums = Fleet()

    @guarded
    async def read(self) -> Fleet | None:
        """What was counted last; None before the first time. Raises UnavailableError: that was too long ago."""
        row = await read_value(self._redis, self._keys.replicas("fleet"))
        held = _document.decode(row) if row else None
        if held and self._clock.now() - held.at > _FRESH_MS:
            raise UnavailableError("No replica has counted the events for a minute.")
        return held

    @guarded
    async def count(self) -> None:
        """Look at the next events, and write the document. For the elected replica. Raises UnavailableError."""
        looked, whole = 0, False
        while looked < _PART and not whole:
            self._cursor, members = await self._redis.sscan(self._keys.events(), self._cursor, count=_SLICE)
            events = [member.decode() for member in cast("list[bytes]", members)]
            added, left = await self._stats.sums_of(events)
            self._sums.add_sums(added)
            for each in (await self._stats.stats_of(left)).values():
                self._sums.add(each)
            for event_id in events[self._passes % _RECOUNTED :: _RECOUNTED]:
                if await self._stats.recount(event_id):
                    log.warning("fleet.recounted", event_id=event_id)
            looked, whole = looked + len(events), not self._cursor
        row = await read_value(self._redis, self._keys.replicas("fleet"))
        sums = self._sums if whole or not row else _document.decode(row)
        if whole:
            self._sums, self._passes = Fleet(), self._passes + 1
        known = await self._redis.scard(self._keys.events())
        archived = await self._redis.scard(self._keys.archived())
        shown = msgspec.structs.replace(
            sums, at=self._clock.now(), known=known, archived=archived, due=await self.due()
        )
        await self._redis.set(self._keys.replicas("fleet"), msgspec.json.encode(shown), ex=_KEPT_SECONDS)

    @guarded
    async def due(self) -> dict[str, Waiting]:
        """`event` and `org` -> what is due now and not being worked on; of so many subjects and queues a shard."""
        seconds, micros = await self._redis.time()
        now = seconds * 1000 + micros // 1000
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in range(DUE_SHARDS):
                pipe.zrangebyscore(self._keys.due(shard), "-inf", now, start=0, num=_SUBJECTS, withscores=True)
                pipe.zrange(self._keys.queues(shard), 0, _QUEUES - 1)
            found = await pipe.execute()
            for credential in (name.decode() for shard in found[1::2] for name in shard):
                pipe.zrange(self._keys.queue(credential), 0, 0, withscores=True)
                pipe.zcard(self._keys.queue(credential))
            queues = await pipe.execute()
        due = [(name, moment, 1) for shard in found[::2] for name, moment in shard]
        due += [(*heads[0], length) for heads, length in zip(queues[::2], queues[1::2], strict=True) if heads]
        counts, first = Counter[str](), {"event": (now, ""), "org": (now, "")}
        for name, moment, count in due:
            kind, _, subject = name.decode().partition("/")
            counts[kind] += count
            first[kind] = min(first.get(kind, (now, "")), (int(moment), subject))
        return {kind: Waiting(counts[kind], *found) for kind, found in first.items()}


def _earlier(one: int | None, other: int | None) -> int | None:
    return min((each for each in (one, other) if each is not None), default=None)
