"""Accepted credentials (sealed, never in clear) and active pairs in Redis, and who asked for what."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final, cast

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded, read_value
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import LeaseLostError, UnreadableRowError
from consumer.domain.push.claim import org_subject
from consumer.ports import Lease

_SLICE: Final = 500

_REFUSAL_CLAIM_MS: Final = 30_000
"""After that, another push reports the refusal: the one that claimed it has died."""


class RedisConnections(RedisStore):
    """The only writer of connections and mappings."""

    @guarded
    async def connection(self, org_id: str) -> Connection | None:
        row = await read_value(self._redis, self._keys.org(org_id, "connection"))
        return codecs.connection.decode(row) if row else None

    @guarded
    async def organizations(self) -> tuple[str, ...]:
        """Ids of all that have a credential or asked for anything, sorted. Walks all keys: for people, not for work."""
        found: set[str] = set()
        for name in ("connection", "rows"):
            before, _, after = self._keys.org("*", name).partition("*")
            async for key in self._redis.scan_iter(match=f"{before}*{after}", count=1_000):
                found.add(key.decode().removeprefix(before).removesuffix(after))
        return tuple(sorted(found))

    @guarded
    async def put_connection(self, org_id: str, connection: Connection | None, *, by: Lease | None = None) -> None:
        key, value = self._keys.org(org_id, "connection"), codecs.encode(connection) if connection else b""
        await self._write(key, value, by, self._keys.org(org_id, "state"), "epoch")

    @guarded
    async def mapping(self, event_id: str) -> EventMapping | None:
        row = await read_value(self._redis, self._keys.event(event_id, "mapping"))
        return codecs.mapping.decode(row) if row else None

    @guarded
    async def credentials_of(self, events: Sequence[str]) -> Mapping[str, str]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for event_id in events:
                pipe.get(self._keys.event(event_id, "mapping"))
            rows = await pipe.execute()
        found: dict[str, str] = {}
        for event_id, row in zip(events, rows, strict=True):
            with suppress(UnreadableRowError):  # reported when it is worked on; the others go on
                found |= {event_id: codecs.mapping.decode(row).credential} if row else {}
        return found

    @guarded
    async def mappings(self, org_id: str, events: Collection[str] | None = None) -> Mapping[str, EventMapping]:
        if events is None:
            events = await self._events_of(org_id)
        found: dict[str, EventMapping] = {}
        names = sorted(events)
        for start in range(0, len(names), _SLICE):
            some = names[start : start + _SLICE]
            async with self._redis.pipeline(transaction=False) as pipe:
                for event_id in some:
                    pipe.get(self._keys.event(event_id, "mapping"))
                rows = await pipe.execute()
            found |= {event: codecs.mapping.decode(row) for event, row in zip(some, rows, strict=True) if row}
        # Among them are events that this organization let go; another one may have taken them over.
        return {event: mapping for event, mapping in found.items() if mapping.org_id == org_id}

    async def _events_of(self, org_id: str) -> set[str]:
        members = cast("set[bytes]", await self._redis.smembers(self._keys.org(org_id, "mappings")))
        return {event.decode() for event in members}

    @guarded
    async def fence(
        self, org_id: str, events: Collection[str], *, by: Lease | None = None, others: bool = True
    ) -> None:
        for event_id in sorted({*events, *(await self._events_of(org_id) if others else ())}):
            holders = self._keys.event(event_id, "holders")
            if not await self._scripts.hold_mapping(holders, org_id=org_id, epoch=by.epoch if by else None):
                raise LeaseLostError.of(org_subject(org_id))

    @guarded
    async def put_mapping(
        self, org_id: str, event_id: str, mapping: EventMapping | None, *, by: Lease | None = None
    ) -> None:
        """The set is entered first and never left: it must not miss an active pair.

        A worker that lost the lease just before leaving it would take out a pair that was activated since.
        """
        index, holders = self._keys.org(org_id, "mappings"), self._keys.event(event_id, "holders")
        if mapping:
            await self._redis.sadd(index, event_id)
        value = codecs.encode(mapping) if mapping else b""
        await self._write(self._keys.event(event_id, "mapping"), value, by, holders, org_id)

    async def _write(self, key: str, value: bytes, by: Lease | None, epochs: str, field: str) -> None:
        """Write or delete a value, for the newest lease only."""
        if by is None:
            await (self._redis.set(key, value) if value else self._redis.delete(key))
        elif not await self._scripts.write_held(
            key, epochs, field=field, epoch=by.epoch, value=value, org_id=by.subject.id
        ):
            raise LeaseLostError.of(by.subject)

    @guarded
    async def replace_mapping(self, before: EventMapping, after: EventMapping) -> bool:
        key = self._keys.event(before.event_id, "mapping")
        return await self._scripts.swap_equal(key, before=codecs.encode(before), after=codecs.encode(after))

    @guarded
    async def add_requester(self, event_id: str, org_id: str) -> None:
        await self._redis.sadd(self._keys.event(event_id, "asked"), org_id)

    @guarded
    async def requesters_of(self, event_id: str) -> frozenset[str]:
        members = cast("set[bytes]", await self._redis.smembers(self._keys.event(event_id, "asked")))
        return frozenset(member.decode() for member in members)

    @guarded
    async def claim_refusal_report(self, org_id: str, credential: str, op_id: str) -> bool:
        """A repeat after a lost reply finds its own claim."""
        key, claim = self._keys.org(org_id, "refused"), _refusal_claim(credential, op_id)
        held = await read_value(self._redis, key) or b""
        if held != claim and held.partition(b" ")[0] == credential.encode():
            return False
        return await self._scripts.swap_expiring(key, before=held, after=claim, milliseconds=_REFUSAL_CLAIM_MS)

    @guarded
    async def confirm_refusal_report(self, org_id: str, credential: str, op_id: str) -> None:
        claim = _refusal_claim(credential, op_id)
        await self._scripts.swap_equal(self._keys.org(org_id, "refused"), before=claim, after=credential.encode())

    @guarded
    async def refused_credential(self, org_id: str) -> str:
        """The credential that Swoogo refuses, as far as that is reported or being reported; "" for none."""
        held = await read_value(self._redis, self._keys.org(org_id, "refused")) or b""
        return held.partition(b" ")[0].decode()

    @guarded
    async def forget_refusal(self, org_id: str) -> None:
        await self._redis.delete(self._keys.org(org_id, "refused"))


def _refusal_claim(credential: str, op_id: str) -> bytes:
    return f"{credential} {op_id}".encode()
