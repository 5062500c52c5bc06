"""The marker in Redis that tells whether anything is missing, the lock of a rebuild, and how far that is (G6).

The marker names the server process that was last found to have everything. A wiped Redis has no marker; a restarted
one, a promoted replica or a restored copy answers under another process id, and is compared with Kafka before anything
is pushed. One that evicted keys since, because it was full and its policy was changed, counts as wiped. All questions
go out together, so an answer after a claim covers what happened before it.

What later versions need beside it is in `about`, as the first version reads every field of the marker as an offset.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final

import msgspec
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded, read_hash, read_value
from consumer.adapters.redis.cluster_map import Ranges, slot_of
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.connection_state import ConnectionState, OrgState, PairState
from consumer.domain.errors import UnreadableRowError
from consumer.ports.rebuild import Marker, Offsets, RebuildProgress, Rebuilt, Resumed, TopicPartition

FORMAT: Final = 1
LOCK_SECONDS: Final = 30.0
_LOCK_MS: Final = round(LOCK_SECONDS * 1000)
_FIELDS: Final = frozenset({"id", "server", "lost", "owner"})
_LINEAGE: Final = "lineage"

_progress: Final = msgspec.json.Decoder(RebuildProgress)
_deferred: Final = msgspec.json.Decoder(dict[str, list[str]])
_connection: Final = msgspec.json.Decoder(ConnectionState)
_pair: Final = msgspec.json.Decoder(PairState)


class RedisMarkers(RedisStore):
    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, *, replicas: bool = False) -> None:
        """`replicas`: one of them may take over, and lead back to a process that was the primary before."""
        super().__init__(redis, keys, scripts)
        self._sections = ("server", "replication") if replicas else ("server",)

    @guarded
    async def look(self) -> Marker:
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(self._keys.generation("marker"))
            pipe.hgetall(self._keys.generation("about"))
            pipe.info(*self._sections)
            pipe.info("stats")
            stored, noted, info, stats = await pipe.execute()
        server = server_name(info)
        held = {name.decode(): value.decode() for name, value in stored.items()}
        about = {name.decode(): value.decode() for name, value in noted.items()}
        evicted = f"{server}/{int(stats.get('evicted_keys', 0))}"
        marker = self._marker(held, about, server=server, known=held.get("server") == server)
        if has_evicted(about.get("evicted", ""), evicted):
            # Whichever keys these were, Redis cannot be believed to have anything.
            return replace(marker, generation="", offsets={}, evicted=evicted)
        return replace(marker, evicted=evicted)

    def _marker(
        self,
        held: Mapping[str, str],
        about: Mapping[str, str],
        *,
        server: str,
        known: bool,
        offsets: Offsets | None = None,
        among: str = "",
        doubted: Ranges | None = None,
    ) -> Marker:
        if (format_ := int(about.get("format", FORMAT))) > FORMAT:
            raise UnreadableRowError(
                f"The marker in Redis has format {format_}, which a later version wrote; this replica does nothing "
                "until all run that version."
            )
        return Marker(
            generation=held.get("id", ""),
            known=known,
            server=server,
            checked=held.get("server", ""),
            lost="lost" in held,
            offsets={place_of(name): int(value) for name, value in held.items() if name not in _FIELDS}
            if offsets is None
            else offsets,
            deferred=_deferred.decode(about.get("deferred", "{}")),
            lost_at=int(about.get("lost_at", 0)),
            among=among,
            doubted=doubted,
        )

    def holds(self, marker: Marker, *tags: str) -> bool:
        if marker.complete or marker.doubted is None:
            return marker.complete
        return not any(first <= slot_of(tag) <= last for tag in tags for first, last in marker.doubted)

    @guarded
    async def lock(self, owner: str) -> bool:
        return await self._scripts.take_lock(self._keys.generation("lock"), owner=owner, milliseconds=_LOCK_MS)

    @guarded
    async def keep(self, owner: str, progress: RebuildProgress) -> bool:
        return await self._scripts.keep_rebuild(
            self._named("lock", "progress"), owner=owner, milliseconds=_LOCK_MS, progress=codecs.encode(progress)
        )

    @guarded
    async def resume(self, marker: Marker) -> Resumed:
        restored = await read_hash(self._redis, self._keys.generation("restored"))
        if restored.pop(_LINEAGE.encode(), b"").decode() != marker.lineage:
            return Resumed({}, ())
        states = await read_hash(self._redis, self._keys.generation("standings"))
        return Resumed(
            {place_of(name.decode()): int(offset) for name, offset in restored.items()},
            [
                (_connection if name.startswith(b"connection/") else _pair).decode(value)
                for name, value in states.items()
            ],
        )

    @guarded
    async def checkpoint(self, owner: str, marker: Marker, offsets: Offsets, states: Collection[OrgState]) -> bool:
        fields = [part for each, offset in offsets.items() for part in (name_of(each), str(offset))]
        return await self._scripts.checkpoint_rebuild(
            self._named("lock", "restored", "standings"),
            owner=owner,
            server=marker.server,
            lineage=marker.lineage,
            states=[(_state_name(each), each.epoch, codecs.encode(each)) for each in states],
            fields=fields,
        )

    @guarded
    async def note_loss(self, owner: str, marker: Marker) -> bool:
        return await self._write(owner, marker, ["lost", "1"], (), done=False)

    @guarded
    async def commit(self, owner: str, marker: Marker, rebuilt: Rebuilt) -> bool:
        fields = ["id", rebuilt.generation, "server", marker.server]
        for each, offset in rebuilt.offsets.items():
            fields += [name_of(each), str(offset)]
        about = ["format", str(FORMAT), "deferred", msgspec.json.encode(rebuilt.deferred).decode()]
        about += ["evicted", marker.evicted]
        if rebuilt.lost_at is not None:
            about += ["lost_at", str(rebuilt.lost_at)]
        return await self._write(owner, marker, fields, about, done=True)

    async def _write(
        self, owner: str, marker: Marker, fields: Collection[str], about: Collection[str], *, done: bool
    ) -> bool:
        return await self._scripts.commit_rebuild(
            self._named("marker", "lock", "progress", "restored", "standings", "about"),
            owner=owner,
            server=marker.server,
            done=done,
            about=about,
            fields=fields,
        )

    @guarded
    async def release(self, owner: str) -> None:
        await self._scripts.drop_equal(self._keys.generation("lock"), owner)

    @guarded
    async def advance(self, marker: Marker, offsets: Offsets) -> None:
        known = marker.offsets
        fields = [
            part
            for each, offset in offsets.items()
            if offset > known.get(each, 0)
            for part in (name_of(each), str(offset))
        ]
        if fields or marker.server != marker.checked:
            await self._scripts.advance_marker(
                self._keys.generation("marker"),
                server=marker.server,
                checked=marker.checked,
                generation=marker.generation,
                fields=fields,
            )

    @guarded
    async def progress(self) -> RebuildProgress | None:
        stored = await read_value(self._redis, self._keys.generation("progress"))
        return _progress.decode(stored) if stored else None

    def _named(self, *names: str) -> list[str]:
        return [self._keys.generation(name) for name in names]


def server_name(info: Mapping[str, Any]) -> str:
    """The process; and its history, where that was asked for: it is another one after each promotion."""
    return ":".join(str(info[each]) for each in ("run_id", "master_replid") if each in info)


def has_evicted(noted: str, now: str) -> bool:
    """Whether a server (process/count) has evicted keys since that was noted."""
    before, _, known = noted.rpartition("/")
    server, _, count = now.rpartition("/")
    return int(count) > (int(known) if before == server else 0)


def name_of(place: TopicPartition) -> str:
    """As it is kept."""
    return f"{place.topic}/{place.partition}" + (f"/{place.of}" if place.of else "")


@lru_cache(10_000)  # the same ones some times a second
def place_of(name: str) -> TopicPartition:
    """Of a name that `name_of` made."""
    topic, partition, *of = name.split("/")
    return TopicPartition(topic, int(partition), *of)


def _state_name(state: OrgState) -> str:
    match state:
        case ConnectionState():
            return f"connection/{state.org_id}"
        case PairState():
            return f"mapping/{state.org_id}/{state.event_id}"
