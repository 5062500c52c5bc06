"""Accepted credentials (sealed, never in clear) and pairs in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from redis.asyncio import Redis

from consumer.adapters.redis import rows
from consumer.adapters.redis.client import guarded, read_hash, read_value
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.connection import Connection, Pairs
from consumer.domain.mapping import EventMapping


class RedisConnections:
    """The only writer of connections, mappings and pairs."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        """Keep the clients; nothing is sent."""
        self._redis = redis
        self._keys = keys
        self._scripts = scripts

    @guarded
    async def connection(self, org_id: str) -> Connection | None:
        """See `ports.Connections`."""
        row = await read_value(self._redis, self._keys.org(org_id, "connection"))
        return rows.connection.decode(row) if row else None

    @guarded
    async def put_connection(self, org_id: str, connection: Connection | None) -> None:
        """See `ports.Connections`."""
        key = self._keys.org(org_id, "connection")
        if connection is None:
            await self._redis.delete(key)
        else:
            await self._redis.set(key, rows.encode(connection))

    @guarded
    async def mapping(self, event_id: str) -> EventMapping | None:
        """See `ports.Connections`."""
        row = await read_value(self._redis, self._keys.event(event_id, "mapping"))
        return rows.mapping.decode(row) if row else None

    @guarded
    async def mappings(self, org_id: str) -> Mapping[str, EventMapping]:
        """See `ports.Connections`."""
        members = cast("set[bytes]", await self._redis.smembers(self._keys.org(org_id, "mappings")))
        found = {event.decode(): await self.mapping(event.decode()) for event in sorted(members)}
        return {event: mapping for event, mapping in found.items() if mapping}

    @guarded
    async def put_mapping(self, org_id: str, event_id: str, mapping: EventMapping | None) -> None:
        """See `ports.Connections`. The set is entered first and left last: it never misses an active pair."""
        key, index = self._keys.event(event_id, "mapping"), self._keys.org(org_id, "mappings")
        if mapping is None:
            await self._redis.delete(key)
            await self._redis.srem(index, event_id)
        else:
            await self._redis.sadd(index, event_id)
            await self._redis.set(key, rows.encode(mapping))

    @guarded
    async def pairs(self) -> Pairs:
        """See `ports.Connections`."""
        swoogo_of = await read_hash(self._redis, self._keys.pairs("swoogo_of"))
        event_of = await read_hash(self._redis, self._keys.pairs("event_of"))
        return Pairs(
            {event.decode(): int(swoogo) for event, swoogo in swoogo_of.items()},
            {int(swoogo): event.decode() for swoogo, event in event_of.items()},
        )

    @guarded
    async def claim_pair(self, event_id: str, swoogo_event_id: int) -> bool:
        """See `ports.Connections`."""
        return await self._scripts.claim_pair(
            self._keys.pairs("swoogo_of"),
            self._keys.pairs("event_of"),
            event_id=event_id,
            swoogo_event_id=swoogo_event_id,
        )
