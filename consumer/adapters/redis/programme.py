"""The sessions of an event as its programme shows them: the few fields of each that are drawn, and what stands of it.

Reads no people: of an event with thousands of contacts it costs the names of their rows.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, Final, cast

import msgspec
from redis.asyncio import Redis

from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.keys import Keys
from consumer.domain.records.identity import Kind, id_of, key_of

_AT_ONCE: Final = 500
_REMEMBERED: Final = 8
"""Programmes that are kept decoded: those of the pages that are open."""
_SESSIONS: Final = key_of(Kind.SESSION, "").encode()


class PlaceRow(msgspec.Struct):
    name: str = ""
    capacity: int | None = None


class SessionRow(msgspec.Struct):
    """What is drawn of a session. Times are ms."""

    title: str = ""
    status: str = ""
    deleted: bool = False
    starts_at: int | None = None
    ends_at: int | None = None
    room: PlaceRow | None = None
    track: PlaceRow | None = None


class EntryRow(msgspec.Struct):
    """What is drawn of a ledger entry."""

    state: str = ""
    swoogo_id: int | None = None


_session: Final = msgspec.json.Decoder(SessionRow)
_entry: Final = msgspec.json.Decoder(EntryRow)


@dataclass(frozen=True, slots=True, eq=False)
class Programme:
    """All by the id of the session; `dirty`: those with a change that was not pushed.

    `digest`: of all of it, by which two are compared: what is made of a programme need not be made again.
    """

    digest: bytes = b""
    sessions: Mapping[str, SessionRow] = field(default_factory=dict)
    entries: Mapping[str, EntryRow] = field(default_factory=dict)
    dirty: frozenset[str] = frozenset()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Programme) and other.digest == self.digest


class RedisProgramme(RedisReader):
    def __init__(self, redis: Redis, keys: Keys) -> None:
        super().__init__(redis, keys)
        self._last: OrderedDict[str, Programme] = OrderedDict()

    @guarded
    async def of(self, event_id: str) -> Programme:
        """The programme of an event, empty where nothing was recorded. Raises UnavailableError."""
        rows, ledger, dirty = (self._keys.event(event_id, name) for name in ("rows", "ledger", "dirty"))
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hkeys(rows)
            pipe.hkeys(dirty)
            names, changed = await pipe.execute()
        keys = sorted(name for name in names if name.startswith(_SESSIONS))
        if not keys:
            return Programme()
        async with self._redis.pipeline(transaction=False) as pipe:
            for start in range(0, len(keys), _AT_ONCE):
                pipe.hmget(rows, keys[start : start + _AT_ONCE])
                pipe.hmget(ledger, keys[start : start + _AT_ONCE])
            found = cast("list[list[bytes | None]]", await pipe.execute())
        stored = [[row for some in found[at::2] for row in some] for at in (0, 1)]
        marks = sorted(key for key in changed if key.startswith(_SESSIONS))
        said = blake2b(digest_size=16)
        for part in (keys, *stored, marks):
            said.update(b"\x1e".join(each or b"" for each in part) + b"\x1d")
        last = self._last.get(event_id)
        if last is None or last.digest != said.digest():
            changes = frozenset(id_of(key.decode()) for key in marks)
            sessions, entries = _decoded(_session, keys, stored[0]), _decoded(_entry, keys, stored[1])
            last = Programme(said.digest(), sessions, entries, changes)
        self._last[event_id] = last
        self._last.move_to_end(event_id)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
        return last


def _decoded(decoder: msgspec.json.Decoder[Any], keys: list[bytes], rows: list[bytes | None]) -> dict[str, Any]:
    """Id -> row; one that a later version wrote is left out, as in all that is only shown."""
    found = {}
    for key, row in zip(keys, rows, strict=True):
        if row is not None:
            try:
                found[id_of(key.decode())] = decoder.decode(row)
            except msgspec.DecodeError:
                continue
    return found
