"""The marker of a Redis Cluster: which servers were found to have everything, and a mark in each that says up to where.

Each server loses data by itself: it comes back empty, or its replica takes over with the last moments missing. A mark
lies among the data of each server, written after it in the same stream, so what a replica has of the mark says what it
has of the rest. The marks' tags are spread over all slots; they move with their slots.

A server that was not there when the marker was written is trusted as far as its marks go, if one that is gone had all
of its slots: then it is that one's replica, or that one restarted. Any other may have got slots whose data it lost
since, so everything is read. Slots of servers that were there all the time are not doubted. Servers are named by
process and by replication history, which a promotion changes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Mapping
from functools import partial
from hashlib import sha256
from itertools import count
from typing import Final, cast

from redis.exceptions import ClusterDownError

from consumer.adapters.redis.client import guarded
from consumer.adapters.redis.cluster import ClusterRedis
from consumer.adapters.redis.cluster_map import SLOTS, Address, Ranges, SlotMap, covers, slot_of
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.rebuild_marker import RedisMarkers, name_of, place_of, server_name
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.errors import UnavailableError
from consumer.ports.rebuild import Marker, Offsets, Rebuilt, Resumed, TopicPartition

MARKS: Final = 64


def _tags() -> tuple[int, ...]:
    """A number for each 64th of the slots whose tag lies there."""
    found: dict[int, int] = {}
    for number in count():
        found.setdefault(slot_of(f"{{shard/{number}}}") * MARKS // SLOTS, number)
        if len(found) == MARKS:
            return tuple(found[part] for part in range(MARKS))
    raise AssertionError


_TAGS: Final = _tags()
_RENEW_SECONDS: Final = 10.0
_AS: Final = "as"
_DURING: Final = "during"


class ClusterMarkers(RedisMarkers):
    """`about`, lock and progress are one for all servers."""

    def __init__(self, redis: ClusterRedis, keys: Keys, scripts: Scripts) -> None:
        super().__init__(redis, keys, scripts)
        self._cluster = redis
        self._marked = ""
        self._renewed = -_RENEW_SECONDS

    @guarded
    async def look(self) -> Marker:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._renewed + _RENEW_SECONDS:  # slots moved that this process does not use
            self._renewed = loop.time()
            await self._cluster.renew()
        while True:
            known = await self._cluster.map()
            tags = _one_each(known)
            answers, (marker, about), marks = await asyncio.gather(
                self._cluster.everywhere(lambda _, at: at.info("server", "replication")),
                self._hashes([self._keys.generation("marker"), self._keys.generation("about")]),
                self._written(tags.values()),
            )
            if all(info["role"] == "master" for info in answers.values()) and known is await self._cluster.map():
                break
            await self._cluster.renew(known)
        if not known.is_whole:
            raise ClusterDownError("No server has part of the slots.")
        now = {server_name(info): known.primaries[address] for address, info in answers.items()}
        server, held = _text(now), _servers(marker.get("server", ""))
        complete = bool(held) and now.keys() <= held.keys() and all(marks)
        if complete and server != marker["server"]:  # slots moved, or were given away without their keys
            complete = all(await self._written(_TAGS))
        offsets = await self._trusted(marker, held, now) if marker and not complete else None
        wiped = {server_name(answers[at]) for at, mark in zip(tags, marks, strict=True) if not mark}
        doubted = tuple(
            each
            for name, ranges in now.items()
            if name in wiped or not covers(ranges, held.get(name, ()))
            for each in ranges
        )
        return self._marker(
            marker,
            about,
            server=server,
            known=complete,
            offsets=offsets,
            among=server,
            doubted=(doubted or None) if held else None,
        )

    async def _trusted(
        self, marker: Mapping[str, str], held: Mapping[str, Ranges], now: Mapping[str, Ranges]
    ) -> dict[TopicPartition, int]:
        """Up to where every server has everything."""
        gone = [ranges for name, ranges in held.items() if name not in now]
        slots = [slot_of(self._keys.mark(tag)) for tag in _TAGS]
        for ranges in (ranges for name, ranges in now.items() if name not in held):
            has_a_mark = any(first <= slot <= last for slot in slots for first, last in ranges)
            if not has_a_mark or not any(covers(ranges, before) for before in gone):
                return {}
        marks = await self._hashes([self._keys.mark(tag) for tag in _TAGS])
        if any(mark.get(_AS) != _digest(marker.get("server", "")) for mark in marks):
            return {}
        places = [name for name in marker if "/" in name]
        return {place_of(name): min(int(each.get(name, 0)) for each in (marker, *marks)) for name in places}

    async def _hashes(self, keys: Collection[str]) -> list[dict[str, str]]:
        async with self._redis.pipeline(transaction=False) as pipe:
            for key in keys:
                pipe.hgetall(key)
            found = cast("list[dict[bytes, bytes]]", await pipe.execute())
        return [{name.decode(): value.decode() for name, value in each.items()} for each in found]

    async def _written(self, tags: Iterable[int], field: str = _AS) -> list[str]:
        """What a field of these marks says, "" where it is not there."""
        async with self._redis.pipeline(transaction=False) as pipe:
            for tag in tags:
                pipe.hget(self._keys.mark(tag), field)
            return [(each or b"").decode() for each in await pipe.execute()]

    @guarded
    async def resume(self, marker: Marker) -> Resumed:
        """Only where no server was wiped since that was noted: each says of which rebuild it has everything."""
        self._marked = marker.lineage
        if set(await self._written(_TAGS, _DURING)) == {_digest(marker.lineage)}:
            return await super().resume(marker)
        await self._begin(marker)
        return Resumed({}, ())

    @guarded
    async def _begin(self, marker: Marker) -> None:
        await self._redis.delete(*self._named("restored", "standings"))
        async with self._redis.pipeline(transaction=False) as pipe:
            for tag in _TAGS:
                pipe.hset(self._keys.mark(tag), _DURING, _digest(marker.lineage))
            await pipe.execute()
        trusted = [tag for tag in _TAGS if self.holds(marker, f"shard/{tag}")]
        if not all(await self._written(trusted)):
            raise UnavailableError("A server of the cluster was wiped as a rebuild began.")

    async def commit(self, owner: str, marker: Marker, rebuilt: Rebuilt) -> bool:
        if self._marked != marker.lineage:  # a first start, which has nothing to read
            await self._begin(marker)
        if not await self._mark(marker, _DURING, _digest(marker.lineage), rebuilt.offsets):
            return False
        return await super().commit(owner, marker, rebuilt)

    async def advance(self, marker: Marker, offsets: Offsets) -> None:
        """The marker comes last: until it says so, no mark counts that was written for other slots."""
        news = any(offset > marker.offsets.get(place, 0) for place, offset in offsets.items())
        if (news or marker.server != marker.checked) and await self._mark(marker, _AS, "", offsets):
            await super().advance(marker, offsets)

    @guarded
    async def _mark(self, marker: Marker, field: str, value: str, offsets: Offsets) -> bool:
        """Whether every server has it: the ones that answered before, with what the field says still there."""
        fields: list[str | int] = [part for place, offset in offsets.items() for part in (name_of(place), offset)]
        mark = partial(
            self._scripts.mark_shard,
            server=marker.server,
            field=field,
            value=value,
            written=_digest(marker.server),
            fields=fields,
        )
        return all(await asyncio.gather(*(mark(self._keys.mark(tag)) for tag in _TAGS)))


def _one_each(known: SlotMap) -> dict[Address, int]:
    """A tag of each server; those without one have none."""
    found: dict[Address, int] = {}
    for tag in _TAGS:
        owner = known.owner(slot_of(f"{{shard/{tag}}}"))
        if owner:
            found.setdefault(owner, tag)
    return found


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _text(servers: Mapping[str, Ranges]) -> str:
    return ";".join(
        f"{name}={','.join(f'{first}-{last}' for first, last in ranges)}" for name, ranges in sorted(servers.items())
    )


def _servers(text: str) -> dict[str, Ranges]:
    """Nothing where a single server was marked."""
    found: dict[str, Ranges] = {}
    for each in text.split(";"):
        name, is_of_a_cluster, ranges = each.partition("=")
        if is_of_a_cluster:
            pairs = (part.split("-") for part in ranges.split(",") if part)
            found[name] = tuple((int(first), int(last)) for first, last in pairs)
    return found
