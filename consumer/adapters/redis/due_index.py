"""The due index: where workers look for what is due. A hint; the state hash of a subject is the truth.

What is due and finds no place for its credential moves from the index to a queue of that credential, so that it hides
nothing of the others. It is in one of the two at any moment: it enters a queue before it leaves the index, and a worker
takes it out of the queue after a claim has put the index right. Each leaves only with the due time it was found with.
Replicas of a former version know no queues: they claim what is in the index, and put back what is not when they are the
elected one.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Final

from redis.asyncio import Redis

from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.cluster import IN_ORDER
from consumer.adapters.redis.connections import RedisConnections
from consumer.adapters.redis.keys import DUE_SHARDS, Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.server_time import server_times
from consumer.adapters.redis.uninterrupted import Uninterrupted
from consumer.ports import Due, DueSubject, Subject

_FIELDS: Final = ["due", "until", "survey", "hold"]


class DueIndex(RedisStore):
    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        super().__init__(redis, keys, scripts)
        self._credentials_of = RedisConnections(redis, keys, scripts).credentials_of
        self._uninterrupted = Uninterrupted()

    async def first(self, limit: int) -> Due:
        """What is due, the longest first, from all shards at once."""
        answers = await asyncio.gather(
            *(self._scripts.next_due(self._keys.due(shard), limit) for shard in range(DUE_SHARDS))
        )
        waits = [wait / 1000 for wait, _ in answers if wait >= 0]
        found = sorted(each for _, subjects in answers for each in subjects)
        return Due(tuple(_hint(name, due) for due, name in found[:limit]), min(waits, default=None))

    async def queued(self, credentials: int, each: int) -> dict[str, tuple[DueSubject, ...]]:
        """The heads of the queues, the one served least lately first."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for shard in range(DUE_SHARDS):
                pipe.zrange(self._keys.queues(shard), 0, credentials - 1, withscores=True)
            served = sorted((moment, name.decode()) for shard in await pipe.execute() for name, moment in shard)
            names = [name for _, name in served[:credentials]]
            for name in names:
                pipe.zrange(self._keys.queue(name), 0, each - 1, withscores=True)
            found = await pipe.execute()
        return {
            name: tuple(_hint(subject.decode(), due) for subject, due in queue)
            for name, queue in zip(names, found, strict=True)
        }

    async def queue(self, waiting: Mapping[str, Sequence[DueSubject]]) -> None:
        """Move what is due from the index to the queues of their credentials."""
        shards: defaultdict[str, dict[str, tuple[str, Sequence[DueSubject]]]] = defaultdict(dict)
        places: defaultdict[str, list[DueSubject]] = defaultdict(list)
        for credential, entries in waiting.items():
            shards[self._keys.queues_of(credential)][self._keys.queue(credential)] = credential, entries
            for entry in entries:
                places[self._keys.due_of(entry.subject)].append(entry)
        await asyncio.gather(*(self._scripts.queue_due(queues, named) for queues, named in shards.items()))
        await asyncio.gather(*(self._scripts.leave_index(index, entries) for index, entries in places.items()))

    async def leave_queue(self, credential: str, entry: DueSubject) -> None:
        """Take a subject out of its queue after a claim of it was tried."""
        queues, queue = self._keys.queues_of(credential), self._keys.queue(credential)
        await self._scripts.leave_queue(queues, queue, credential, entry)

    async def put(self, subject: Subject, due: int) -> None:
        """Put a subject where it belongs after its state was written; `due` in ms, negative when nothing makes it due.

        Another worker may change the state between that script and our write here, and its own write may come
        first. So a writer of the index reads the state after it (one connection keeps that order; in a cluster
        the one answers before the other is asked), and writes again until the two agree: the last to write has read
        the last state. Also when the caller is broken off: a write that came late would leave a subject out that is
        due.
        """
        await self._uninterrupted.run(self._agree(subject, due))

    async def _agree(self, subject: Subject, due: int) -> None:
        index, state, name = self._keys.due_of(subject), self._keys.subject(subject, "state"), str(subject)
        while True:
            async with self._redis.pipeline(transaction=False, shard_hint=IN_ORDER) as pipe:
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

    async def repair(self, subjects: Sequence[Subject]) -> None:
        """Put those where they belong that are somewhere else: one command each, one more for what may be queued.

        A worker that stood still before it wrote the index, and was killed as soon as it had, corrects nothing: the
        subject would stay out until something is recorded for it.
        """
        shards: defaultdict[str, list[Subject]] = defaultdict(list)
        for subject in subjects:
            shards[self._keys.due_of(subject)].append(subject)
        ordered = [subject for some in shards.values() for subject in some]
        async with self._redis.pipeline(transaction=False) as pipe:
            for index, some in shards.items():
                pipe.zmscore(index, [str(subject) for subject in some])
            for subject in ordered:
                pipe.hmget(self._keys.subject(subject, "state"), [*_FIELDS, "seen"])
            answers = await pipe.execute()
        now = round(min(await server_times(self._redis)) * 1000)  # later than all of `seen`, unless it was set back
        scores = chain.from_iterable(answers[: len(shards)])
        wrong: dict[Subject, int] = {}
        out: list[Subject] = []
        for subject, score, (*fields, seen) in zip(ordered, scores, answers[len(shards) :], strict=True):
            if int(seen or 0) > now:
                await self.look_at_clock(subject)
            elif (due := _place(*fields)) != (-1 if score is None else int(score)):
                wrong[subject] = due
                out += [subject] if score is None and due <= now else []
        for subject in wrong.keys() - await self._queued(out):
            await self.put(subject, wrong[subject])

    async def _queued(self, subjects: Sequence[Subject]) -> set[Subject]:
        """Those that lie in the queue of their credential, or in one of their own, as `Dispatcher` names it."""
        events = [subject.id for subject in subjects if subject.kind == "event"]
        credentials = await self._credentials_of(events) if events else {}
        queues: defaultdict[str, list[Subject]] = defaultdict(list)
        for subject in subjects:
            named = credentials.get(subject.id) if subject.kind == "event" else None
            queues[named or str(subject)].append(subject)
        async with self._redis.pipeline(transaction=False) as pipe:
            for name, some in queues.items():
                pipe.zscore(self._keys.queues_of(name), name)  # else nothing looks at the queue
                pipe.zmscore(self._keys.queue(name), [str(subject) for subject in some])
            answers = await pipe.execute()
        return {
            subject
            for some, known, scores in zip(queues.values(), answers[::2], answers[1::2], strict=True)
            for subject, score in zip(some, scores, strict=True)
            if known is not None and score is not None
        }

    async def look_at_clock(self, subject: Subject) -> None:
        """Move what lies too far ahead since the server's clock was set back; nothing else would look before then."""
        await self.put(subject, await self._scripts.look_at_clock(self._keys.subject(subject, "state")))


def _hint(name: str, due: float) -> DueSubject:
    return DueSubject(Subject(*name.split("/", 1)), int(due))


def _place(due: bytes | None, held: bytes | None, survey: bytes | None, hold: bytes | None) -> int:
    """Where a subject belongs by its state, ms; negative: nowhere."""
    moments = [int(due)] if due is not None else []
    moments += [max(int(survey), int(hold or 0))] if survey is not None else []
    return max(min(moments), int(held or 0)) if moments else -1
