"""What stands in Redis, in numbers: for metrics. Only reads, and a little at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec
from redis.asyncio import Redis

from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.keys import DUE_SHARDS, Keys
from consumer.adapters.redis.scripts import Scripts

_counts: Final = msgspec.json.Decoder(dict[str, int])
_NAMES: Final = ("state", "dirty", "ledger", "unlogged", "issues", "run", "survey")
_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Overdue:
    """Due subjects of one kind: how many, and for how many seconds the first has been due."""

    count: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class EventStats:
    """What stands of one event. Moments are ms, None where there is none.

    Attributes:
        failures: pushes in a row that failed.
        changes: recorded and not pushed.
        oldest: publication of the oldest of them.
        surveyed: when the last reconcile had read all it needed.
        left_out: "kind:reason" -> records that the last plan left out.
    """

    continuous: bool = False
    failures: int = 0
    changes: int = 0
    oldest: int | None = None
    intents: int = 0
    unlogged: int = 0
    parked: int = 0
    surveyed: int | None = None
    issues: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


class RedisEventStats:
    """Counts; of a due index at most so many, of events one bounded answer each."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        self._redis = redis
        self._keys = keys
        self._scripts = scripts

    @guarded
    async def due(self, most: int = 1_000) -> Mapping[str, Overdue]:
        """`event` and `org` -> what is due now and not being worked on; of `most` subjects and queues a shard."""
        seconds, micros = await self._redis.time()
        now = seconds * 1000 + micros // 1000
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in range(DUE_SHARDS):
                pipe.zrangebyscore(self._keys.due(shard), "-inf", now, start=0, num=most, withscores=True)
                pipe.zrange(self._keys.queues(shard), 0, most - 1)
            found = await pipe.execute()
            for credential in (name.decode() for shard in found[1::2] for name in shard):
                pipe.zrange(self._keys.queue(credential), 0, 0, withscores=True)
                pipe.zcard(self._keys.queue(credential))
            queues = await pipe.execute()
        due = [(name, moment, 1) for shard in found[::2] for name, moment in shard]
        due += [(*heads[0], length) for heads, length in zip(queues[::2], queues[1::2], strict=True) if heads]
        counts, first = Counter[str](), {"event": now, "org": now}
        for name, moment, count in due:
            kind = name.decode().partition("/")[0]
            counts[kind] += count
            first[kind] = min(first.get(kind, now), int(moment))
        return {kind: Overdue(counts[kind], (now - moment) / 1000) for kind, moment in first.items()}

    @guarded
    async def some_events(self, cursor: int, count: int) -> tuple[int, Sequence[str], int]:
        """About `count` of the events anything was ever recorded for, and how many there are in all.

        The first of the answer is the `cursor` of the next ones; 0 begins, and ends, a pass over all of them.
        """
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.scard(self._keys.events())
            pipe.sscan(self._keys.events(), cursor, count=count)
            known, (following, members) = await pipe.execute()
        return following, [member.decode() for member in members], known

    @guarded
    async def stats_of(self, events: Sequence[str]) -> Mapping[str, EventStats]:
        found: dict[str, EventStats] = {}
        for start in range(0, len(events), _AT_ONCE):
            some = events[start : start + _AT_ONCE]
            found |= zip(some, await asyncio.gather(*map(self._stats_of, some)), strict=True)
        return found

    async def _stats_of(self, event_id: str) -> EventStats:
        row = await self._scripts.event_stats([self._keys.event(event_id, name) for name in _NAMES])
        continuous, failures, changes, oldest, intents, unlogged, parked, surveyed, issues, left_out = row
        return EventStats(
            bool(continuous),
            failures,
            changes,
            oldest if oldest >= 0 else None,
            intents,
            unlogged,
            parked,
            surveyed if surveyed > 0 else None,
            _counts.decode(issues),
            _counts.decode(left_out),
        )
