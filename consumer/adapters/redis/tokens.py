"""Access tokens shared between replicas: encrypted at rest, gone when they expire."""

from __future__ import annotations

from typing import Protocol

from redis.asyncio import Redis

from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded, read_value
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts


class Cipher(Protocol):
    def encrypt(self, text: str) -> bytes:
        """Opaque bytes."""

    def decrypt(self, data: bytes) -> str | None:
        """The text, or None when it was encrypted with another key."""


class RedisTokens(RedisStore):
    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, cipher: Cipher) -> None:
        super().__init__(redis, keys, scripts)
        self._cipher = cipher

    @guarded
    async def get(self, credential: str) -> str | None:
        stored = await read_value(self._redis, self._keys.credential(credential, "token"))
        return self._cipher.decrypt(stored) if stored else None

    @guarded
    async def put(self, credential: str, token: str, seconds: float) -> None:
        key = self._keys.credential(credential, "token")
        await self._redis.set(key, self._cipher.encrypt(token), px=max(1, round(seconds * 1000)))

    @guarded
    async def drop(self, credential: str, token: str) -> None:
        key = self._keys.credential(credential, "token")
        stored = await read_value(self._redis, key)
        if stored and self._cipher.decrypt(stored) == token:
            await self._scripts.drop_equal(key, stored)

    @guarded
    async def lock(self, whose: str, owner: str, seconds: float, *, what: str = "token") -> bool:
        key = self._keys.credential(whose, f"{what}-lock")
        return await self._scripts.take_lock(key, owner=owner, milliseconds=max(1, round(seconds * 1000)))

    @guarded
    async def unlock(self, whose: str, owner: str, *, what: str = "token") -> None:
        await self._scripts.drop_equal(self._keys.credential(whose, f"{what}-lock"), owner)
