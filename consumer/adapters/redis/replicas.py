"""Heartbeats of the replicas, so that `status` and `doctor` can tell that none runs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

import msgspec
import structlog
from redis.asyncio import Redis

from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.keys import Keys
from consumer.domain.errors import UnavailableError
from consumer.ports import Clock

ALIVE_MS: Final = 35_000
"""A replica that was silent for longer is taken for dead: three heartbeats and some."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One process. `started` and `seen` (its newest heartbeat) in ms, on the clock of Redis."""

    id: str
    version: str
    role: str
    started: int
    seen: int

    def alive(self, now: int) -> bool:
        """Whether it was heard lately. `now`: ms."""
        return now - self.seen <= ALIVE_MS


_EVERY_SECONDS: Final = 10.0
_KEPT_MS: Final = 86_400_000
"""How long a replica that ended without a word is remembered."""

log = structlog.get_logger("replicas")
_decoder: Final = msgspec.json.Decoder(Replica)


class RedisReplicas:
    """One hash: id -> replica."""

    def __init__(self, redis: Redis, keys: Keys) -> None:
        self._redis = redis
        self._key = keys.replicas()

    @guarded
    async def beat(self, replica: Replica) -> None:
        """Say that it runs. Raises UnavailableError."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(self._key, replica.id, msgspec.json.encode(replica))
            pipe.pexpire(self._key, _KEPT_MS)
            await pipe.execute()

    @guarded
    async def leave(self, identifier: str) -> None:
        """Say that it ended in order. Raises UnavailableError."""
        await self._redis.hdel(self._key, identifier)

    @guarded
    async def all(self) -> tuple[Replica, ...]:
        """Those heard within a day, the one heard last first. Raises UnavailableError."""
        stored = await read_hash(self._redis, self._key)
        found = []
        for row in stored.values():
            with suppress(msgspec.DecodeError):  # a later version may say it otherwise
                found.append(_decoder.decode(row))
        return tuple(sorted(found, key=lambda each: each.seen, reverse=True))

    async def keep_beating(self, replica: Replica, clock: Clock) -> None:
        """Until cancelled: a heartbeat now and then; the first also forgets who was silent for a day."""
        with suppress(UnavailableError):
            for each in await self.all():
                if each.seen < clock.now() - _KEPT_MS:
                    await self.leave(each.id)
        while True:
            with suppress(UnavailableError):
                await self.beat(replace(replica, seen=clock.now()))
            await asyncio.sleep(_EVERY_SECONDS)
