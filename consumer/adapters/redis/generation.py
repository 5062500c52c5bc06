"""The marker in Redis that tells whether anything is missing, and the lock of who rebuilds (G6).

The marker names the server process that was last found to have everything. A wiped Redis has no marker; a restarted
one, a promoted replica or a restored copy answers under another process id, and is compared with Kafka before anything
is pushed. Both questions go out together, so whoever asks after a claim cannot miss what happened before it.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from consumer.adapters.redis import rows
from consumer.adapters.redis.client import guarded, read_value
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.ports.rebuild import Marker, Offsets, Place, RebuildProgress

_LOCK_MS: Final = 30_000
_FIELDS: Final = frozenset({"id", "server", "lost", "owner"})

_progress: Final = msgspec.json.Decoder(RebuildProgress)


class RedisMarkers:
    """See `ports.rebuild.Markers`."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        """Keep the clients; nothing is sent."""
        self._redis = redis
        self._keys = keys
        self._scripts = scripts

    @guarded
    async def look(self) -> Marker:
        """See `ports.rebuild.Markers`."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(self._keys.generation("marker"))
            pipe.info("server")
            stored, info = await pipe.execute()
        server = _run_id(info)
        held = {name.decode(): value.decode() for name, value in stored.items()}
        return Marker(
            generation=held.get("id", ""),
            known=held.get("server") == server,
            server=server,
            lost="lost" in held,
            offsets={_place(name): int(value) for name, value in held.items() if name not in _FIELDS},
        )

    @guarded
    async def lock(self, owner: str) -> bool:
        """See `ports.rebuild.Markers`."""
        return await self._scripts.take_lock(self._keys.generation("lock"), owner=owner, milliseconds=_LOCK_MS)

    @guarded
    async def hold(self, owner: str, progress: RebuildProgress) -> bool:
        """See `ports.rebuild.Markers`."""
        lock = self._keys.generation("lock")
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(lock)
            pipe.pexpire(lock, _LOCK_MS)
            pipe.set(self._keys.generation("progress"), rows.encode(progress), px=_LOCK_MS)
            holder, *_ = await pipe.execute()
        return bool(holder == owner.encode())

    @guarded
    async def note_loss(self, owner: str) -> None:
        """See `ports.rebuild.Markers`."""
        await self._commit(owner, [b"lost", b"1"], done=False)

    @guarded
    async def commit(self, owner: str, generation: str, server: str, offsets: Offsets) -> bool:
        """See `ports.rebuild.Markers`."""
        fields = ["id", generation, "server", server]
        for place, offset in offsets.items():
            fields += [_name(place), str(offset)]
        return await self._commit(owner, fields, done=True)

    async def _commit(self, owner: str, fields: list[Any], *, done: bool) -> bool:
        names = ("marker", "lock", "progress")
        return await self._scripts.commit_generation(
            [self._keys.generation(name) for name in names], owner=owner, done=done, fields=fields
        )

    @guarded
    async def release(self, owner: str) -> None:
        """See `ports.rebuild.Markers`."""
        await self._scripts.drop_equal(self._keys.generation("lock"), owner)

    @guarded
    async def advance(self, marker: Marker, offsets: Offsets) -> None:
        """See `ports.rebuild.Markers`. The server is asked once more in the same breath: a copy put in its place in
        the meantime has another id, and keeps the marker that it came with.
        """
        key = self._keys.generation("marker")
        known = marker.offsets
        news: dict[Any, Any] = {_name(each): end for each, end in offsets.items() if end > known.get(each, 0)}
        if not news:
            return
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping=news)
            pipe.info("server")
            _, info = await pipe.execute()
        if _run_id(info) != marker.server:
            former: dict[Any, Any] = {_name(each): known.get(each, 0) for each in offsets}
            await self._redis.hset(key, mapping={**former, "server": ""})

    @guarded
    async def progress(self) -> RebuildProgress | None:
        """See `ports.rebuild.Markers`."""
        stored = await read_value(self._redis, self._keys.generation("progress"))
        return _progress.decode(stored) if stored else None


def _run_id(info: Any) -> str:
    return str(info["run_id"])


def _name(place: Place) -> str:
    return f"{place.topic}/{place.partition}" + (f"/{place.of}" if place.of else "")


def _place(name: str) -> Place:
    topic, partition, *of = name.split("/")
    return Place(topic, int(partition), *of)
