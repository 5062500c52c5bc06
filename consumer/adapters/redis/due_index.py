"""The due index: where workers look for what is due. A hint; the state hash of a subject is the truth."""

from __future__ import annotations

import asyncio

from redis.asyncio import Redis

from consumer.adapters.redis.keys import DUE_SHARDS, Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.ports import Due, Subject


class DueIndex:
    """The index of all subjects, in shards."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        """Keep the clients; nothing is sent."""
        self._redis = redis
        self._keys = keys
        self._scripts = scripts
        self._under_way: set[asyncio.Task[None]] = set()

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
        first. So whoever writes the index reads the state after it (one connection keeps that order), and writes
        again until the two agree: the last to write has read the last state. Also when the caller is broken off: a
        write that came late would leave a subject out that is due.
        """
        task = asyncio.create_task(self._agree(subject, due))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        await asyncio.shield(task)

    async def _agree(self, subject: Subject, due: int) -> None:
        index, state, name = self._keys.due_of(subject), self._keys.subject(subject, "state"), str(subject)
        while True:
            async with self._redis.pipeline(transaction=False) as pipe:
                if due < 0:
                    pipe.zrem(index, name)
                else:
                    pipe.zadd(index, {name: due})
                pipe.hmget(state, ["due", "until", "survey", "hold"])
                _, (planned, held, survey, hold) = await pipe.execute()
            moments = [int(planned)] if planned is not None else []
            moments += [max(int(survey), int(hold or 0))] if survey is not None else []
            actual = max(min(moments), int(held or 0)) if moments else -1
            if actual == due:
                return
            due = actual
