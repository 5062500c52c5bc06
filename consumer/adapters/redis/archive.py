"""ARCHIVE: events that are over for good lie in Redis as one packed string, until a change brings them back (Y4)."""

from __future__ import annotations

import asyncio
import lzma
import re
import zlib
from collections.abc import Mapping, Sequence
from typing import Final, cast
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.client import guarded, read_hash, read_value
from consumer.adapters.redis.event_stats import EventStats, RedisEventStats
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.errors import UnreadableRowError
from consumer.domain.records.archive import ended_at, stays
from consumer.ports import event_subject

_hash: Final = msgspec.msgpack.Decoder(dict[bytes, bytes])
_SPELLED: Final = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{24}")
"""Ids and digests: most of a ledger, and incompressible but for the way they are spelled."""
_BARE: Final = re.compile(rb"\xff(.{12})|\xfe(.{16})", re.DOTALL)
"""The same as bytes, after one that UTF-8 never has."""
_OP_ID: Final = re.compile(rb'"op_id":"[^"]+"')
_MADE: Final = b'"op_id":"1"'
"""Of a create that was answered only counts that it was this service's (D4)."""
_PRESET: Final = 2
"""Of lzma: more takes three times the CPU for as many bytes."""
_ZLIB: Final = b"\x78"
"""Begins what earlier builds packed."""
_SLICE: Final = 50
_LEASE_MS: Final = 60_000
_WAITS: Final = ("dirty", "requests", "orders", "unlogged", "hints")
GOES: Final = ("issues", "directory", "survey", "fields", "overtaken", "run", "runs", "timeline", "calls")


def packed(rows: Mapping[bytes, bytes]) -> bytes:
    """A hash of UTF-8 texts as one string; it comes back as it was, to the byte."""
    bare = {_SPELLED.sub(_bare, key): _SPELLED.sub(_bare, row) for key, row in sorted(rows.items())}
    return lzma.compress(msgspec.msgpack.encode(bare), preset=_PRESET)


def unpacked(text: bytes) -> dict[bytes, bytes]:
    """What was packed, also by earlier builds."""
    rows = _hash.decode(zlib.decompress(text) if text.startswith(_ZLIB) else lzma.decompress(text))
    return {_BARE.sub(_spelled, key): _BARE.sub(_spelled, row) for key, row in rows.items()}


def _bare(found: re.Match[bytes]) -> bytes:
    digits = found[0].replace(b"-", b"")
    return (b"\xff" if digits == found[0] else b"\xfe") + bytes.fromhex(digits.decode())


def _spelled(found: re.Match[bytes]) -> bytes:
    return (found[1].hex() if found[1] else str(UUID(bytes=found[2]))).encode()


class RedisArchive:
    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        self._redis = redis
        self._keys = keys
        self._scripts = scripts
        self._stats = RedisEventStats(redis, keys, scripts)

    @guarded
    async def over(self, cursor: int, before: int, now: int) -> tuple[int, Sequence[str]]:
        """The next position, and some events of which nothing waits and that ended before `before` (ms).

        The rows of an event are read when it is first looked at, and again when by these it should be over.
        """
        cursor, members = await self._redis.sscan(self._keys.events(), cursor, count=_SLICE)
        events = [member.decode() for member in cast("list[bytes]", members)]
        found = []
        for event_id, stats in (await self._stats.stats_of(events)).items():
            if _rests(stats, now) and (stats.ends is None or stats.ends < before):
                ends = await self._ended_at(event_id)
                if ends is not None and ends < before:
                    found.append(event_id)
        return cursor, found

    async def _ended_at(self, event_id: str) -> int | None:
        try:
            ends = ended_at(codecs.snapshot(await read_hash(self._redis, self._keys.event(event_id, "rows"))))
        except UnreadableRowError:
            return None  # a later version wrote it, and archives it
        if ends is not None:
            await self._redis.hset(self._keys.event(event_id, "figures"), "ends", str(ends))
        return ends

    @guarded
    async def put_away(self, event_id: str, op_id: str, now: int) -> bool:
        """Archive an event under its lease; False when something waits, or somebody has it. Raises UnavailableError."""
        key = {name: self._keys.event(event_id, name) for name in ("state", "archive", "figures", *HELD, *GOES)}
        epoch, _ = await self._scripts.seize_subject(key["state"], op_id=op_id, lease=_LEASE_MS)
        if not epoch:
            return False
        try:
            rows, versions, ledger = [await read_hash(self._redis, key[name]) for name in HELD[:3]]
            kept = sorted(each.encode() for each in stays(codecs.snapshot(rows)))
            done = await self._scripts.archive_event(
                list(key.values()),
                epoch=epoch,
                at=now,
                ledger=await asyncio.to_thread(packed, {name: _OP_ID.sub(_MADE, row) for name, row in ledger.items()}),
                rows=[part for each in kept for part in (each, rows[each], versions.get(each, b""))],
            )
        finally:
            await self._scripts.seize_subject(key["state"], op_id=op_id, lease=0)
        if done:
            await self._redis.sadd(self._keys.archived(), event_id)
            await self._redis.zrem(self._keys.due_of(event_subject(event_id)), str(event_subject(event_id)))
            await self._redis.srem(self._keys.events(), event_id)
            if not await self._redis.hexists(key["state"], "archived"):
                await self._redis.sadd(self._keys.events(), event_id)  # it came back meanwhile
        return done

    @guarded
    async def bring_back(self, event_id: str) -> None:
        """Unpack an archived event; nothing where it is not archived. Raises UnavailableError."""
        names = [self._keys.event(event_id, name) for name in ("state", "archive", "figures", "ledger")]
        at = await self.archived_at(event_id)
        if at is None:
            return
        # First, so that it is among the events whatever breaks off here.
        await self._redis.sadd(self._keys.events(), event_id)
        text = await read_value(self._redis, names[1])
        await self._scripts.bring_back(names, at=at, ledger=unpacked(text) if text else {})
        await self._redis.srem(self._keys.archived(), event_id)

    @guarded
    async def archived_at(self, event_id: str) -> int | None:
        """When it was archived, ms; None when it is not."""
        at = cast("bytes | None", await self._redis.hget(self._keys.event(event_id, "state"), "archived"))
        return int(at) if at else None


HELD: Final = ("rows", "versions", "ledger", *_WAITS)


def _rests(stats: EventStats, now: int) -> bool:
    """Whether nothing waits: also no create without an answer."""
    return not (stats.changes or stats.unlogged or stats.intents or stats.due is not None or stats.held > now)
