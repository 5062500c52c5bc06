"""What everything that keeps or reads something in Redis stands on."""

from __future__ import annotations

from redis.asyncio import Redis

from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts


class RedisReader:
    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys


class RedisStore(RedisReader):
    """Writes by the scripts as well."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        super().__init__(redis, keys)
        self._scripts = scripts
