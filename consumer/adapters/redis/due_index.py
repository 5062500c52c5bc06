"""The due index: where workers look for what is due. A hint; the state hash of a subject is the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from redis.asyncio import Redis

from consumer.adapters.redis.keys import DUE_SHARDS, Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.uninterrupted import Uninterrupted
from consumer.ports import Due, Subject

_FIELDS: Final = ["due", "until", "survey", "hold"]
_AT_ONCE: Final = 200


class DueIndex:
    """The index of all subjects, in shards."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        self._redis = redis
        self._keys = keys
        self._scripts = scripts
        self._uninterrupted = Uninterrupted()

    async def first(self, limit: int) -> Due:
        """What is due, the longest first, from all shards at once."""
        answers = await asyncio.gather(
            *(self._scripts.next_due(self._keys.due(shard), limit) for shard in range(DUE_SHARDS))
        )
        waits = [wait / 1000 for wait, _ in answers if wait >= 0]
        found = sorted(each for _, subjects in answers for each in subjects)
        return Due(tuple(Subject(*name.split("/", 1)) for _, name in found[:limit]), min(waits, default=None))

    async def put(self, subject: Subject, due: int) -> None:
        """Put a subject where it belongs after its state was written; `due` in ms, negative when nothing makes it due.

        Another worker may change the state between that script and our write here, and its own write may come
        first. So a writer of the index reads the state after it (one connection keeps that order), and writes
        again until the two agree: the last to write has read the last state. Also when the caller is broken off: a
        write that came late would leave a subject out that is due.
        """
        await self._uninterrupted.run(self._agree(subject, due))

    async def _agree(self, subject: Subject, due: int) -> None:
        index, state, name = self._keys.due_of(subject), self._keys.subject(subject, "state"), str(subject)
        while True:
            async with self._redis.pipeline(transaction=False) as pipe:
                if due < 0:
                    pipe.zrem(index, name)
                else:
                    pipe.zadd(index, {name: due})
                pipe.hmget(state, _FIELDS)
                _, fields = await pipe.execute()
            actual = _place(*fields)
            if actual == due:
                return
            due = actual

    async def mend(self, subjects: Sequence[Subject]) -> None:
        """Put those where they belong that are somewhere else.

        A worker that stood still before it wrote the index, and was killed as soon as it had, corrects nothing: the
        subject would stay out until something is recorded for it.
        """
        for start in range(0, len(subjects), _AT_ONCE):
            some = subjects[start : start + _AT_ONCE]
            async with self._redis.pipeline(transaction=False) as pipe:
                for subject in some:
                    state = self._keys.subject(subject, "state")
                    pipe.time()
                    pipe.hmget(state, [*_FIELDS, "seen"])
                    pipe.zscore(self._keys.due_of(subject), str(subject))
                answers = await pipe.execute()
            for subject, time, fields, score in zip(some, answers[::3], answers[1::3], answers[2::3], strict=True):
                if int(fields.pop() or 0) > time[0] * 1000 + time[1] // 1000:
                    await self.look_at_clock(subject)
                elif _place(*fields) != (-1 if score is None else int(score)):
                    await self.put(subject, _place(*fields))

    async def look_at_clock(self, subject: Subject) -> None:
        """Move what lies too far ahead since the server's clock was set back; nothing else would look before then."""
        await self.put(subject, await self._scripts.look_at_clock(self._keys.subject(subject, "state")))


def _place(due: bytes | None, held: bytes | None, survey: bytes | None, hold: bytes | None) -> int:
    """Where a subject belongs by its state, ms; negative: nowhere."""
    moments = [int(due)] if due is not None else []
    moments += [max(int(survey), int(hold or 0))] if survey is not None else []
    return max(min(moments), int(held or 0)) if moments else -1
