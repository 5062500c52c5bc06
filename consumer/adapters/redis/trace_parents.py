"""The way back to the traces of changes that wait, beside their dirty marks; written only while tracing is on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.client import guarded

_SECONDS: Final = 86_400
"""A change that waits longer has lost its trace; nothing else."""


class RedisTraceParents(RedisReader):
    """One hash an event: record key -> `traceparent` of its newest change."""

    @guarded
    async def keep(self, event_id: str, parents: Mapping[str, str]) -> None:
        """Remember the newest of each record key."""
        key = self._keys.event(event_id, "traces")
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, items=[part for pair in parents.items() for part in pair])
            pipe.expire(key, _SECONDS)
            await pipe.execute()

    @guarded
    async def take(self, event_id: str, keys: Sequence[str]) -> Mapping[str, str]:
        """Those of these keys, which are forgotten by it."""
        key = self._keys.event(event_id, "traces")
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(key, list(keys))
            pipe.hdel(key, *keys)
            found, _ = await pipe.execute()
        return {name: parent.decode() for name, parent in zip(keys, found, strict=True) if parent}
