"""Where an interrupted replay goes on, in Redis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.client import guarded, read_value
from consumer.ports import Span

_KEPT_SECONDS: Final = 7 * 24 * 3600


class _Kept(msgspec.Struct):
    spans: dict[int, Span]
    event_id: str


_decode: Final = msgspec.json.Decoder(_Kept).decode


class RedisReplays(RedisReader):
    @guarded
    async def keep(self, topic: str, spans: Mapping[int, Span], event_id: str) -> None:
        value = msgspec.json.encode(_Kept(dict(spans), event_id))
        await self._redis.set(self._keys.replay(topic), value, ex=_KEPT_SECONDS)

    @guarded
    async def kept(self, topic: str) -> tuple[dict[int, Span], str] | None:
        stored = await read_value(self._redis, self._keys.replay(topic))
        if not stored:
            return None
        found = _decode(stored)
        return found.spans, found.event_id

    @guarded
    async def forget(self, topic: str) -> None:
        await self._redis.delete(self._keys.replay(topic))
