"""Since when the changes of an event count for the goal of freshness: since it is synced by itself.

What was recorded before, or while nothing but a manual sync would push it, was never promised to be quick.
"""

from __future__ import annotations

from redis.asyncio import Redis

from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.keys import Keys


class RedisFreshness:
    """One key an event."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        """Keep the client; nothing is sent."""
        self._redis = redis
        self._keys = keys

    @guarded
    async def begin(self, event_id: str, now: int) -> int:
        """From `now` (ms) on, unless they count already; returns since when."""
        key = self._keys.event(event_id, "fresh")
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.set(key, now, nx=True)
            pipe.get(key)
            _, since = await pipe.execute()
        return int(since or now)

    @guarded
    async def end(self, event_id: str) -> None:
        """They no longer count."""
        await self._redis.delete(self._keys.event(event_id, "fresh"))
