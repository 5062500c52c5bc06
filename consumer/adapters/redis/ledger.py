"""LEDGER in Redis: fenced writes, and every change of an entry handed to the changelog."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Final, Protocol, cast
from weakref import WeakValueDictionary

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.archive import RedisArchive
from consumer.adapters.redis.base import PART, parts
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.uninterrupted import Uninterrupted
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.fields.definitions import KeptDefinitions
from consumer.domain.records.digests import is_keyed
from consumer.domain.records.identity import Kind, stamp
from consumer.domain.records.ledger import Directory, Entry, Ledger, State
from consumer.domain.surveys.survey import SurveyState
from consumer.ports import Lease

_KINDS: Final = frozenset(kind.value for kind in Kind)


class Changelog(Protocol):
    def write(self, event_id: str, entries: Mapping[str, Entry | None]) -> Awaitable[None]:
        """Return when all entries are safe; None forgets a key. Raises UnavailableError."""

    def note(self, event_id: str, deletions: Mapping[str, str]) -> Awaitable[None]: ...


class RedisLedger:
    """The only writer of ledger and directories."""

    def __init__(
        self, redis: Redis, keys: Keys, scripts: Scripts, changelog: Changelog, archive: RedisArchive | None = None
    ) -> None:
        """`archive`: where the ledgers of archived events are found."""
        self._redis = redis
        self._archive = archive
        self._keys = keys
        self._scripts = scripts
        self._changelog = changelog
        self._flushes: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._uninterrupted = Uninterrupted()

    @guarded
    async def load(self, event_id: str) -> Ledger:
        key = self._keys.event(event_id, "ledger")
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(self._keys.event(event_id, "state"), "archived")
            pipe.hgetall(key)
            archived, stored = cast("tuple[bytes | None, dict[bytes, bytes]]", await pipe.execute())
        if archived and self._archive:  # it may come back in between
            kept = await self._archive.ledger(event_id)
            stored = {**kept, **stored} if kept else await read_hash(self._redis, key)
        return dict(codecs.ledger_entry(key.decode(), row) for key, row in stored.items())

    async def put(self, lease: Lease, entries: Mapping[str, Entry | None]) -> None:
        """The same script notes what the changelog lacks, so a crash forgets nothing."""
        await self._put(lease, entries)
        intents = {key: entry for key, entry in entries.items() if entry and entry.state is State.INTENT}
        if intents:
            # G6: a create that may be sent is on the changelog first, as it was put: Redis may know less by now.
            await self._uninterrupted.run(self._log_intents(lease, intents))

    async def _log_intents(self, lease: Lease, intents: Mapping[str, Entry]) -> None:
        """A replica may have taken over meanwhile that lacks them, and a rebuild may have read the changelog before.

        So they are put once more: Redis has them now, or whatever is promoted later finds them on the changelog.
        """
        stored = {key: codecs.encode(entry) for key, entry in intents.items()}
        async with self._order(lease.subject.id):
            try:
                await self._changelog.write(lease.subject.id, intents)
            finally:
                await self._check_lease(lease, stored, again=intents)

    async def _check_lease(
        self, lease: Lease, stored: Mapping[str, bytes], again: Mapping[str, Entry] | None = None
    ) -> None:
        """Raises LeaseLostError when these were sent, with whatever answer, by somebody who has no lease any more.

        They may have come after what the next holder wrote: that is sent on once more. `again`: put meanwhile.
        """
        try:
            await self._put(lease, again or {})
        except LeaseLostError:
            await self._logged(lease, stored)
            raise

    @guarded
    async def _put(self, lease: Lease, entries: Mapping[str, Entry | None]) -> None:
        fields: list[str | bytes] = []
        for key, entry in entries.items():
            fields += (key, b"" if entry is None else codecs.encode(entry))
        await self._write_entries(lease, fields)

    @guarded
    async def _still_held(self, lease: Lease) -> None:
        """Raises LeaseLostError."""
        await self._write_entries(lease, [])

    def _order(self, event_id: str) -> asyncio.Lock:
        """One write to the changelog at a time for an event, so that it keeps the order of its entries."""
        return self._flushes.setdefault(event_id, asyncio.Lock())

    async def flush(self, lease: Lease) -> None:
        await self._uninterrupted.run(self._flush(lease))

    async def _flush(self, lease: Lease) -> None:
        event_id = lease.subject.id
        async with self._order(event_id):
            stored = await self._unlogged(event_id)
            entries = {name: codecs.entry.decode(row) if row else None for name, row in stored.items()}
            if entries:
                try:
                    await self._changelog.write(event_id, entries)
                except UnavailableError:
                    await self._check_lease(lease, stored)
                    raise
            await self._logged(lease, stored)

    @guarded
    async def requeue_changelog(self, lease: Lease) -> None:
        state, ledger, unlogged = (self._keys.event(lease.subject.id, name) for name in ("state", "ledger", "unlogged"))
        for names in parts(cast("list[bytes]", await self._redis.hkeys(ledger))):
            if not await self._scripts.requeue_changelog(state, unlogged, epoch=lease.epoch, names=names):
                raise LeaseLostError.of(lease.subject)

    async def log_deletions(self, lease: Lease, deletions: Mapping[str, int]) -> None:
        stamps = {contact: stamp(version, version, 0) for contact, version in deletions.items()}
        if stamps:
            await self._changelog.note(lease.subject.id, stamps)

    @guarded
    async def _unlogged(self, event_id: str) -> dict[str, bytes]:
        members = cast("set[bytes]", await self._redis.smembers(self._keys.event(event_id, "unlogged")))
        if not members:
            return {}
        names = sorted(members)
        found = cast("list[bytes | None]", await self._redis.hmget(self._keys.event(event_id, "ledger"), names))
        return {name.decode(): row or b"" for name, row in zip(names, found, strict=True)}

    @guarded
    async def _logged(self, lease: Lease, stored: Mapping[str, bytes]) -> None:
        """Entries written again while the changelog was being written stay for the next flush."""
        names = [self._keys.event(lease.subject.id, name) for name in ("state", "ledger", "unlogged")]
        held = [
            await self._scripts.ack_outbox(*names, epoch=lease.epoch, fields=fields)
            for fields in parts([part for pair in stored.items() for part in pair], 2 * PART)
        ]
        if not all(held):
            raise LeaseLostError.of(lease.subject)

    @guarded
    async def directories(self, event_id: str) -> Mapping[Kind, Directory]:
        stored = await read_hash(self._redis, self._keys.event(event_id, "directory"))
        found = {kind.decode(): codecs.listing.known(row) for kind, row in stored.items() if kind.decode() in _KINDS}
        # One that cannot be read, or whose keys cannot tell look-alikes apart (P2), is listed again when it is needed.
        return {
            Kind(kind): Directory(codecs.remotes(listed), at=listed.at, with_event=listed.with_event)
            for kind, listed in found.items()
            if listed and listed.form in {codecs.KEY_FORM, codecs.KEYED_FORM}
        }

    @guarded
    async def put_directory(self, lease: Lease, kind: Kind, directory: Directory) -> None:
        naturals = {row.id: row.natural for row in directory.rows.values()}
        form = codecs.KEYED_FORM if any(map(is_keyed, naturals.values())) else codecs.KEY_FORM
        listed = codecs.Listing(directory.at, naturals, directory.with_event, form)
        await self._write(lease, "directory", [kind.value, codecs.encode(listed)])

    @guarded
    async def survey(self, event_id: str) -> SurveyState:
        row = await self._redis.hget(self._keys.event(event_id, "survey"), "last")
        return (codecs.survey.known(row) if row else None) or SurveyState()

    @guarded
    async def put_survey(self, lease: Lease, memory: SurveyState) -> None:
        shown: list[str | bytes] = ["read_at", str(memory.read_at), "every", str(memory.every)]
        await self._write(lease, "survey", ["last", codecs.encode(memory), *shown])

    @guarded
    async def definitions(self, event_id: str) -> KeptDefinitions | None:
        row = await self._redis.hget(self._keys.event(event_id, "fields"), "kept")
        return codecs.definitions.known(row) if row else None

    @guarded
    async def put_definitions(self, lease: Lease, kept: KeptDefinitions | None) -> None:
        await self._write(lease, "fields", ["kept", codecs.encode(kept) if kept else b""])

    @guarded
    async def forget_swoogo(self, lease: Lease) -> None:
        """A former holder of the event writes neither of them again."""
        await self._still_held(lease)
        await self._redis.delete(
            *(self._keys.event(lease.subject.id, name) for name in ("directory", "survey", "fields"))
        )

    async def _write_entries(self, lease: Lease, fields: list[str | bytes]) -> None:
        names = [self._keys.event(lease.subject.id, name) for name in ("state", "ledger", "figures", "unlogged")]
        for some in parts(fields, 2 * PART):
            if not await self._scripts.write_counted(names, epoch=lease.epoch, fields=some):
                raise LeaseLostError.of(lease.subject)

    async def _write(self, lease: Lease, name: str, fields: list[str | bytes]) -> None:
        state = self._keys.subject(lease.subject, "state")
        target = self._keys.event(lease.subject.id, name)
        if not await self._scripts.write_fenced(state, target, epoch=lease.epoch, fields=fields):
            raise LeaseLostError.of(lease.subject)
