"""The register of pairs in Redis, each change of it handed to the changelog (M2).

Written only by the holder of the organization's lease; a writer that lost it has a lower epoch than the newest that was
here, and is refused (G4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol, cast

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.uninterrupted import Uninterrupted
from consumer.domain.connections.pair import Pair, PairEnd, Partners
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.ports import Lease


class PairLog(Protocol):
    def write_pairs(self, pairs: Sequence[Pair]) -> Awaitable[None]:
        """Return when all are safe. Raises UnavailableError."""


class RedisPairs(RedisStore):
    """The only writer of pairs."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, changelog: PairLog) -> None:
        super().__init__(redis, keys, scripts)
        self._changelog = changelog
        self._uninterrupted = Uninterrupted()

    @guarded
    async def all(self) -> Mapping[str, Pair]:
        stored = await read_hash(self._redis, self._keys.pairs("records"))
        return {event.decode(): codecs.pair.decode(row) for event, row in stored.items()}

    @guarded
    async def events(self) -> frozenset[str]:
        """Ids of all events that were ever mapped."""
        names = cast("list[bytes]", await self._redis.hkeys(self._keys.pairs("records")))
        return frozenset(name.decode() for name in names)

    @guarded
    async def pair(self, event_id: str) -> Pair | None:
        row = await self._row(event_id)
        return codecs.pair.decode(row) if row else None

    @guarded
    async def partners(self, event_id: str, swoogo_event_id: int) -> Partners:
        own = await self.pair(event_id)
        holder = await cast(
            "Awaitable[bytes | None]", self._redis.hget(self._keys.pairs("event_of"), str(swoogo_event_id))
        )
        if holder is None:
            return Partners(own)
        return Partners(own, own if holder.decode() == event_id else await self.pair(holder.decode()))

    @guarded
    async def fence(self, lease: Lease) -> None:
        org_id = lease.subject.id
        if not await self._scripts.hold_mapping(self._keys.pairs("holders"), org_id=org_id, epoch=lease.epoch):
            raise LeaseLostError.of(lease.subject)

    async def claim(self, lease: Lease, event_id: str, swoogo_event_id: int, at: int) -> Pair | None:
        org_id = lease.subject.id

        def entered(known: Pair | None, round_: int) -> Pair | None:
            if known is None:
                return Pair(event_id, swoogo_event_id, org_id, mapped_at=at, epoch=lease.epoch, round=round_)
            taken = known.ended_at is None and known.org_id != org_id
            if taken or known.voided_at is not None or known.swoogo_event_id != swoogo_event_id:
                return None
            return known.again(org_id, lease.epoch)

        return await self._change(lease, event_id, swoogo_event_id, entered, row=b"")

    async def end(self, lease: Lease, event_id: str, by: PairEnd, at: int, *, era: int = 0) -> None:

        def ended(known: Pair | None, _: int) -> Pair | None:
            return known.ended(by, at, lease.epoch, era=era) if known and known.org_id == lease.subject.id else None

        await self._change(lease, event_id, 0, ended)

    async def void(self, pair: Pair, at: int, reason: str) -> bool:
        """Until the changelog has it, the row stays, so neither partner is free."""
        row = await self._marked(pair, at, reason)
        if row is None:
            return False
        await self._uninterrupted.run(self._flush(pair.org_id))
        return await self._taken_back(pair, row)

    @guarded
    async def _marked(self, pair: Pair, at: int, reason: str) -> bytes | None:
        """The row that says it is voided; None when the pair is another than the one read."""
        row = await self._row(pair.event_id)
        if row is None or codecs.pair.decode(row) != pair:
            return None
        if pair.voided_at is not None:
            return row  # by somebody who was broken off; it may still wait for the changelog
        marked = codecs.encode_pair(pair.voided(at, reason))
        newest = await self._newest(pair.org_id)
        return marked if await self._write(pair, row, marked, newest) > 0 else None

    @guarded
    async def _taken_back(self, pair: Pair, row: bytes) -> bool:
        return await self._scripts.void_pair(
            *(self._keys.pairs(name) for name in ("records", "event_of", f"unlogged/{pair.org_id}", "voided")),
            event_id=pair.event_id,
            swoogo_event_id=pair.swoogo_event_id,
            row=row,
            round_=pair.round,
        )

    async def flush(self, lease: Lease) -> None:
        """Also to the end when the caller is broken off: what is on its way to the changelog
        cannot be called back.
        """
        await self._uninterrupted.run(self._flush(lease.subject.id))

    async def _flush(self, org_id: str) -> None:
        """Until all rows are on the changelog as they are in Redis.

        A worker that lost the lease meanwhile may have sent a row after the next holder's newer one, and the changelog
        keeps the last: so what was sent is compared afterwards, and sent again as it is by then (G4, G6).
        """
        left = True
        while left and (stored := await self._unlogged(org_id)):
            try:
                await self._changelog.write_pairs([codecs.pair.decode(row) for row in stored.values()])
            except UnavailableError:
                await self._not_logged(org_id, stored)  # it may come late all the same
                raise
            left = await self._logged(org_id, stored)

    @guarded
    async def _change(
        self,
        lease: Lease,
        event_id: str,
        swoogo_event_id: int,
        wanted: Callable[[Pair | None, int], Pair | None],
        row: bytes | None = None,
    ) -> Pair | None:
        """Write what `wanted` makes of the pair; None when it makes nothing of it or the partner is taken.

        `wanted` also gets the round of a pair that begins now, with this Swoogo event. `row`: what is
        likely there, of a pair that was never voided.
        """
        while True:
            round_ = 0
            if row is None:
                row, round_ = await self._row(event_id) or b"", await self._round(event_id, swoogo_event_id)
            pair = wanted(codecs.pair.decode(row) if row else None, round_)
            if pair is None:
                if await self._newest(lease.subject.id) > lease.epoch:
                    raise LeaseLostError.of(lease.subject)
                return None
            written = await self._write(pair, row, codecs.encode_pair(pair), lease.epoch)
            if written == -2:
                raise LeaseLostError.of(lease.subject)
            if written:
                return pair if written > 0 else None
            row = None

    async def _write(self, pair: Pair, before: bytes, after: bytes, epoch: int) -> int:
        names = ("records", "event_of", f"unlogged/{pair.org_id}", "holders", "voided")
        return await self._scripts.write_pair(
            *(self._keys.pairs(name) for name in names),
            event_id=pair.event_id,
            swoogo_event_id=pair.swoogo_event_id,
            before=before,
            after=after,
            org_id=pair.org_id,
            epoch=epoch,
            round_=pair.round,
        )

    async def _newest(self, org_id: str) -> int:
        held = await cast("Awaitable[bytes | None]", self._redis.hget(self._keys.pairs("holders"), org_id))
        return int(held or 0)

    async def _round(self, event_id: str, swoogo_event_id: int) -> int:
        """Of a pair of these two that begins now."""
        names = [f"event/{event_id}", f"swoogo/{swoogo_event_id}"]
        found = await cast("Awaitable[list[bytes | None]]", self._redis.hmget(self._keys.pairs("voided"), names))
        return max((int(each) + 1 for each in found if each is not None), default=0)

    async def _row(self, event_id: str) -> bytes | None:
        return await cast("Awaitable[bytes | None]", self._redis.hget(self._keys.pairs("records"), event_id))

    @guarded
    async def _unlogged(self, org_id: str) -> dict[str, bytes]:
        key = self._keys.pairs(f"unlogged/{org_id}")
        members = sorted(await cast("Awaitable[set[bytes]]", self._redis.smembers(key)))
        if not members:
            return {}
        found = await cast("Awaitable[list[bytes | None]]", self._redis.hmget(self._keys.pairs("records"), members))
        return {event.decode(): row for event, row in zip(members, found, strict=True) if row}

    @guarded
    async def _logged(self, org_id: str, stored: Mapping[str, bytes]) -> bool:
        return await self._scripts.tick_off_pairs(
            self._keys.pairs("records"),
            self._keys.pairs(f"unlogged/{org_id}"),
            fields=[part for item in stored.items() for part in item],
        )

    @guarded
    async def _not_logged(self, org_id: str, stored: Mapping[str, bytes]) -> None:
        await self._redis.sadd(self._keys.pairs(f"unlogged/{org_id}"), *stored)
