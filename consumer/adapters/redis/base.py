"""What everything that keeps or reads something in Redis stands on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeVar

from redis.asyncio import Redis

from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts

_T = TypeVar("_T")

PART: Final = 500
"""Of so many entries a script takes care at once: a millisecond or two in which Redis does nothing else."""


def parts(items: Sequence[_T], size: int = PART) -> list[Sequence[_T]]:
    """The items by so many, in their order; one part without any where there are none."""
    return [items[start : start + size] for start in range(0, len(items) or 1, size)]


class RedisReader:
    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys


class RedisStore(RedisReader):
    """Writes by the scripts as well."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        super().__init__(redis, keys)
        self._scripts = scripts
