"""Puts into Redis what Kafka remembers, while nobody pushes (G6). Everything may be done again."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Final, cast

from redis.asyncio import Redis

from consumer.adapters.redis import rows
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.pair import Pair
from consumer.domain.record import Kind
from consumer.domain.standing import ServedRequest
from consumer.ports import event_subject, org_subject
from consumer.ports.rebuild import Logged

_ENTRIES_PER_CALL: Final = 500
_LOOKED_AT: Final = (Kind.SESSION, Kind.SPONSOR)
"""Kinds that are otherwise created without a look; the others are always looked for."""


class RedisRestorer:
    """See `ports.rebuild.Restorer`."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, inbox: RedisInbox, window: float) -> None:
        """`window`: seconds of a credit window."""
        self._redis = redis
        self._keys = keys
        self._scripts = scripts
        self._inbox = inbox
        self._window = round(window * 1000)
        self._fenced: set[str] = set()

    def begin(self) -> None:
        """See `ports.rebuild.Restorer`."""
        self._inbox.forget_index()
        self._fenced.clear()

    @guarded
    async def entries(self, event_id: str, logged: Sequence[Logged]) -> int:
        """See `ports.rebuild.Restorer`."""
        state = self._keys.subject(event_subject(event_id), "state")
        names = [state, *(self._keys.event(event_id, name) for name in ("ledger", "unlogged"))]
        changed = 0
        for start in range(0, len(logged), _ENTRIES_PER_CALL):
            arguments: list[str | bytes | int] = []
            for each in logged[start : start + _ENTRIES_PER_CALL]:
                if each.entry is None:
                    arguments += (each.key, b"", 0, each.at)
                else:
                    arguments += (each.key, rows.encode(each.entry), each.entry.epoch, each.entry.at)
            changed += await self._scripts.restore_entries(names, arguments)
        # A record that is in Swoogo makes its event known, also when its changes are long gone from the topics.
        await self._redis.sadd(self._keys.events(), event_id)
        return changed

    @guarded
    async def pair(self, pair: Pair) -> bool:
        """See `ports.rebuild.Restorer`. Of two pairs for one event, the first that was mapped is the one (M2)."""
        records, event_of = self._keys.pairs("records"), self._keys.pairs("event_of")
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(records, pair.event_id)
            pipe.hget(event_of, str(pair.swoogo_event_id))
            pipe.sismember(self._keys.pairs(f"unlogged/{pair.org_id}"), pair.event_id)
            row, holder, unlogged = await pipe.execute()
        held = rows.pair.decode(row) if row else None
        if unlogged and held:
            return False  # newer than the changelog, and about to be written there
        if held and held.swoogo_event_id != pair.swoogo_event_id and held.mapped_at <= pair.mapped_at:
            return False
        if holder and holder.decode() != pair.event_id:
            other = await cast("Awaitable[bytes | None]", self._redis.hget(records, holder.decode()))
            if other and rows.pair.decode(other).mapped_at <= pair.mapped_at:
                return False
        if held and _same(held, pair):
            return False
        # Whoever held the organization when Redis lost this must not write over what comes back (G4). Once is enough,
        # and where epochs are above the server's time more would put the fence above those of the next claims.
        if pair.org_id not in self._fenced:
            await self._scripts.hold_mapping(self._keys.pairs("holders"), org_id=pair.org_id, epoch=None)
            self._fenced.add(pair.org_id)
        async with self._redis.pipeline(transaction=True) as pipe:
            if held and held.swoogo_event_id != pair.swoogo_event_id:
                pipe.hdel(event_of, str(held.swoogo_event_id))
            pipe.hset(records, pair.event_id, rows.encode(pair))
            pipe.hset(event_of, str(pair.swoogo_event_id), pair.event_id)
            await pipe.execute()
        return True

    @guarded
    async def pairs(self) -> Mapping[str, Pair]:
        """See `ports.rebuild.Restorer`."""
        stored = await read_hash(self._redis, self._keys.pairs("records"))
        return {event.decode(): rows.pair.decode(row) for event, row in stored.items()}

    @guarded
    async def settled(self, org_id: str, stamps: Mapping[str, str]) -> None:
        """See `ports.rebuild.Restorer`."""
        subject = org_subject(org_id)
        state, dirty = (self._keys.subject(subject, name) for name in ("state", "dirty"))
        marks = [part for mark in stamps.items() for part in mark]
        due = await self._scripts.forget_marks(state, dirty, marks=marks)
        await self._inbox.index(subject, due)

    @guarded
    async def served(self, event_id: str, requests: Sequence[ServedRequest]) -> int:
        """See `ports.rebuild.Restorer`."""
        subject = event_subject(event_id)
        names = [self._keys.subject(subject, name) for name in ("state", "requests", "served")]
        news = 0
        for start in range(0, len(requests), _ENTRIES_PER_CALL):
            some = requests[start : start + _ENTRIES_PER_CALL]
            known, due = await self._scripts.restore_served(
                names, served=[part for each in some for part in (each.id, each.stamp)]
            )
            news += known
            await self._inbox.index(subject, due)
        return news

    @guarded
    async def doubt(self, credentials: Iterable[str]) -> None:
        """See `ports.rebuild.Restorer`."""
        for credential in credentials:
            await self._scripts.doubt_credits(self._keys.credential(credential, "credits"), window=self._window)

    @guarded
    async def look_first(self, event_id: str) -> None:
        """See `ports.rebuild.Restorer`."""
        key = self._keys.event(event_id, "careful")
        await self._redis.sadd(key, *(kind.value for kind in _LOOKED_AT))

    async def events(self) -> Sequence[str]:
        """See `ports.rebuild.Restorer`."""
        return await self._inbox.events()


def _same(held: Pair, pair: Pair) -> bool:
    """The changelog does not carry the epoch."""
    return rows.encode(held.without_epoch()) == rows.encode(pair.without_epoch())
