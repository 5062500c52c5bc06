"""People's data in Redis beside rows and ledger: issues and runs about a speaker, looked up and erased (Y1, Y2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from consumer.adapters.redis import codecs
from consumer.adapters.redis.client import guarded, read_hash, read_value
from consumer.adapters.redis.stores import Stores
from consumer.adapters.redis.timeline import RedisTimeline
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.issues.issue import Issue
from consumer.domain.records.identity import Kind, key_of
from consumer.ports import Lease, event_subject

_WAIT_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Mentions:
    """What an event holds about speakers: issues by their keys, records on the issues topic, rows of runs.

    `timeline`: lines about them; `calls`: calls that were made for them.
    """

    issues: dict[str, Issue | None]
    published: tuple[str, ...]
    runs: tuple[bytes, ...]
    current: bytes | None
    timeline: int = 0
    calls: int = 0


class RedisPersonalData:
    """Looks up and erases; each write is fenced by a lease, or replaces exactly what was read."""

    def __init__(self, stores: Stores) -> None:
        """Keep the stores; nothing is sent."""
        self._stores = stores
        self._timeline = RedisTimeline(stores.redis, stores.keys, stores.scripts)

    async def seize(self, event_id: str, op_id: str, lease: float, patience: float) -> Lease:
        """Hold an event as a worker does, due or not. Raises UnavailableError: a push goes on for too long."""
        state, deadline = self._stores.keys.event(event_id, "state"), asyncio.get_running_loop().time() + patience
        stores = self._stores
        while True:
            await stores.archive.bring_back(event_id)
            epoch, left = await self._seized(state, op_id, round(lease * 1000))
            if epoch:
                return Lease(event_subject(event_id), epoch, op_id)
            if asyncio.get_running_loop().time() > deadline:
                raise UnavailableError(f"Event {event_id} is being pushed; try again when that is over.")
            await asyncio.sleep(min(left / 1000, _WAIT_SECONDS))

    async def release(self, lease: Lease) -> None:
        await self._seized(self._stores.keys.event(lease.subject.id, "state"), lease.op_id, 0)

    @guarded
    async def _seized(self, state: str, op_id: str, milliseconds: int) -> tuple[int, int]:
        return await self._stores.scripts.seize_subject(state, op_id=op_id, lease=milliseconds)

    @guarded
    async def mentions(self, event_id: str, contacts: Sequence[str]) -> Mentions:
        redis, keys = self._stores.redis, self._stores.keys
        records = {key_of(Kind.SPEAKER, each) for each in contacts}
        stored = await read_hash(redis, keys.event(event_id, "issues"))
        issues = {key.decode(): codecs.issue.known(row) for key, row in stored.items() if _record(key) in records}
        published = await read_hash(redis, keys.event(event_id, "published"))
        runs = await cast("Awaitable[list[bytes]]", redis.lrange(keys.event(event_id, "runs"), 0, -1))
        current = await read_value(redis, keys.event(event_id, "run"))
        return Mentions(
            issues,
            tuple(sorted(key.decode() for key in published if key.decode() in records)),
            tuple(row for row in runs if _without(row, records) != row),
            current if current and _without(current, records) != current else None,
            *await self._timeline.lengths(event_id, records),
        )

    @guarded
    async def forget(self, lease: Lease, contacts: Sequence[str]) -> None:
        """Erase issues, mentions in runs, timelines and calls; a directory that names people in clear goes whole.

        Raises LeaseLostError.
        """
        event_id, redis, keys, scripts = lease.subject.id, self._stores.redis, self._stores.keys, self._stores.scripts
        records = {key_of(Kind.SPEAKER, each) for each in contacts}
        found = await self.mentions(event_id, contacts)
        directory = await read_hash(redis, keys.event(event_id, "directory"))
        row = directory.get(Kind.SPEAKER.value.encode())
        listing = codecs.listing.known(row) if row else None
        clear = [Kind.SPEAKER.value] if listing and listing.rows and listing.form != codecs.KEYED_FORM else []
        for name, fields in (("issues", found.issues), ("published", found.published), ("directory", clear)):
            if fields:
                gone = [part for each in fields for part in (each, b"")]
                names = [keys.event(event_id, each) for each in ("state", name, "figures")]
                if name == "issues":
                    held = await scripts.write_counted(names, epoch=lease.epoch, fields=gone)
                else:
                    held = await scripts.write_fenced(*names[:2], epoch=lease.epoch, fields=gone)
                if not held:
                    raise LeaseLostError.of(lease.subject)
        history = keys.event(event_id, "runs")
        for run in found.runs:
            async with redis.pipeline(transaction=True) as pipe:
                pipe.linsert(history, "BEFORE", run.decode(), _without(run, records).decode())
                pipe.lrem(history, 1, run.decode())
                await pipe.execute()
        await self._timeline.forget(event_id, records)
        if found.current:
            await scripts.swap_equal(
                keys.event(event_id, "run"), before=found.current, after=_without(found.current, records)
            )


def _record(key: bytes) -> str:
    return key.decode().partition("#")[0]


def _without(row: bytes, records: set[str]) -> bytes:
    """The row of a run without its issues about these records; numbers stay."""
    run = codecs.run.known(row)
    if run is None:
        return row
    kept = tuple(each for each in run.told if each.record not in records)
    if len(kept) == len(run.told):
        return row
    run.told = kept
    return codecs.encode(run)
