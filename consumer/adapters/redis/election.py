"""One replica of all, for what one is enough for."""

from __future__ import annotations

from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts


class RedisElection:
    """A lock that its holder keeps by asking again."""

    def __init__(self, keys: Keys, scripts: Scripts, me: str) -> None:
        self._key = keys.replicas("elected")
        self._scripts = scripts
        self._me = me

    @guarded
    async def elected(self, seconds: float) -> bool:
        """Whether it is this replica, for so many seconds from now on. Raises UnavailableError."""
        return await self._scripts.take_lock(self._key, owner=self._me, milliseconds=round(seconds * 1000))
