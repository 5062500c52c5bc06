"""Puts into Redis what Kafka remembers, while no push runs (G6). Everything may be done again."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Final, cast

import structlog
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import PART, RedisStore, parts
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.connection_state import ServedRequest
from consumer.domain.connections.pair import Pair
from consumer.domain.errors import UnavailableError
from consumer.domain.planning.control import Control
from consumer.domain.records.identity import Kind, id_of
from consumer.domain.records.withdrawal import erased
from consumer.ports import event_subject, org_subject
from consumer.ports.rebuild import Logged

log = structlog.get_logger("rebuild")

_LOOKED_AT: Final = (Kind.SESSION, Kind.SPONSOR)
"""Kinds that are otherwise created without a look; the others are always looked for."""


class RedisRestorer(RedisStore):
    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, inbox: RedisInbox, window: float) -> None:
        """`window`: seconds of a credit window."""
        super().__init__(redis, keys, scripts)
        self._inbox = inbox
        self._window = round(window * 1000)
        self._archive = inbox.archive

    @guarded
    async def begin(self, owner: str) -> None:
        self._inbox.forget_index()
        key = self._keys.pairs("rebuilder")
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.delete(key)
            pipe.hset(key, "owner", owner)
            await pipe.execute()

    @guarded
    async def end(self, owner: str) -> None:
        """One that began since has put another owner there."""
        key = self._keys.pairs("rebuilder")
        if await cast("Awaitable[bytes | None]", self._redis.hget(key, "owner")) == owner.encode():
            await self._redis.delete(key)

    @guarded
    async def entries(self, event_id: str, logged: Sequence[Logged]) -> int:
        state = self._keys.subject(event_subject(event_id), "state")
        names = [state, *(self._keys.event(event_id, name) for name in ("ledger", "unlogged", "figures"))]
        gone = [id_of(each.key) for each in logged if each.entry and each.entry.erased]
        if gone:
            # Before any row comes: nothing of a person who was erased comes back (Y2).
            await self._inbox.withdraw(event_subject(event_id), [erased(each) for each in gone])
        archived = await self._archive.archived_at(event_id)
        if archived is not None:
            if max((each.at for each in logged), default=0) <= archived:
                await self._redis.sadd(self._keys.archived(), event_id)
                return 0  # its archived ledger has them
            await self._archive.bring_back(event_id)
        changed = 0
        for some in parts(logged):
            arguments: list[str | bytes | int] = []
            for each in some:
                if each.entry is None:
                    arguments += (each.key, b"", 0, each.at)
                else:
                    arguments += (each.key, codecs.encode(each.entry), each.entry.epoch, each.entry.at)
            changed += await self._scripts.restore_entries(names, arguments)
        # A record that is in Swoogo makes its event known, also when its changes are long gone from the topics.
        await self._redis.sadd(self._keys.events(), event_id)
        return changed

    @guarded
    async def pair(self, owner: str, pair: Pair) -> bool:
        """Of two pairs for one event, the higher round counts, then the
        first that was mapped (M2, M8).
        """
        entered = await self._scripts.restore_pair(
            [
                self._keys.pairs("records"),
                self._keys.pairs("event_of"),
                self._keys.pairs(f"unlogged/{pair.org_id}"),
                self._keys.pairs("holders"),
                self._keys.pairs("rebuilder"),
                self._keys.pairs("voided"),
            ],
            owner=owner,
            event_id=pair.event_id,
            swoogo_event_id=pair.swoogo_event_id,
            org_id=pair.org_id,
            row=codecs.encode_pair(pair),
        )
        if entered < 0:
            raise UnavailableError("Redis was lost again during the rebuild, or another replica rebuilds.")
        return bool(entered)

    @guarded
    async def pairs(self) -> Mapping[str, Pair]:
        stored = await read_hash(self._redis, self._keys.pairs("records"))
        return {event.decode(): codecs.pair.decode(row) for event, row in stored.items()}

    @guarded
    async def requests_served(self, org_id: str, stamps: Mapping[str, str]) -> None:
        subject = org_subject(org_id)
        state, dirty = (self._keys.subject(subject, name) for name in ("state", "dirty"))
        for marks in parts([part for mark in stamps.items() for part in mark], 2 * PART):
            due = await self._scripts.forget_marks(state, dirty, marks=marks)
        await self._inbox.index(subject, due)

    @guarded
    async def served(self, event_id: str, requests: Sequence[ServedRequest]) -> int:
        subject = event_subject(event_id)
        names = [self._keys.subject(subject, name) for name in ("state", "requests", "served")]
        news = 0
        for some in parts(requests):
            known, due = await self._scripts.restore_served(
                names, served=[part for each in some for part in (each.id, each.stamp)]
            )
            news += known
            await self._inbox.index(subject, due)
        return news

    @guarded
    async def controls(self, event_id: str, controls: Sequence[Control]) -> int:
        known = (await self._inbox.load(event_id, snapshot=False)).controls.held
        news = [each for each in controls if each.name not in known or known[each.name].revision < each.revision]
        changed = sum([await self._inbox.put_control(each) for each in news])
        await self._redis.sadd(self._keys.events(), event_id)
        return changed

    @guarded
    async def published(self, event_id: str, records: Mapping[str, str]) -> None:
        target = self._keys.event(event_id, "published")
        async with self._redis.pipeline(transaction=True) as pipe:
            for key, digest in records.items():
                if digest:
                    pipe.hset(target, key, digest)
                else:
                    pipe.hdel(target, key)
            await pipe.execute()

    @guarded
    async def doubt(self, credentials: Iterable[str]) -> None:
        doubted = list(credentials)
        if doubted:
            log.info("rebuild.credits_unknown", credentials=len(doubted), seconds=round(self._window / 1000))
        for credential in doubted:
            await self._scripts.invalidate_credits(self._keys.credential(credential, "credits"), window=self._window)

    @guarded
    async def look_first(self, event_id: str) -> None:
        key = self._keys.event(event_id, "careful")
        await self._redis.sadd(key, *(kind.value for kind in _LOOKED_AT))

    async def events(self) -> Sequence[str]:
        members = cast("set[bytes]", await self._redis.smembers(self._keys.events()))
        return sorted(member.decode() for member in members)
