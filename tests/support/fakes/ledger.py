"""The ledger in memory, and its changelog as a list."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace

from consumer.domain.fields.definitions import KeptDefinitions
from consumer.domain.records.identity import Kind, stamp
from consumer.domain.records.ledger import Directory, Entry, Ledger, Remote, State
from consumer.domain.surveys.survey import SurveyState
from consumer.ports import Lease
from tests.support.fakes.inbox import InMemoryInbox


class ListedChangelog:
    """The changelog as a list of (event id, key, entry or None), and deletions: (event id, contact id) -> stamp.

    `failures`: what the next writes raise. `during_write` is awaited once, before a write has its effect.
    """

    def __init__(self) -> None:
        self.written: list[tuple[str, str, Entry | None]] = []
        self.deletions: dict[tuple[str, str], str] = {}
        self.failures: list[Exception] = []
        self.during_write: Callable[[], Awaitable[None]] | None = None

    async def write(self, event_id: str, entries: Mapping[str, Entry | None]) -> None:
        """See `adapters.redis.ledger.Changelog`."""
        if self.failures:
            raise self.failures.pop(0)
        hook, self.during_write = self.during_write, None
        if hook:
            await hook()
        self.written += [(event_id, key, entry) for key, entry in entries.items()]

    async def note(self, event_id: str, deletions: Mapping[str, str]) -> None:
        """See `ports.DeletionLog`."""
        if self.failures:
            raise self.failures.pop(0)
        self.deletions |= {(event_id, contact): stamped for contact, stamped in deletions.items()}


class InMemoryLedger:
    """See `ports.LedgerStore`.

    Attributes:
        entries: event id -> its ledger.
        writes: every `put` that was let through, with the lease that did it.
    """

    def __init__(self, inbox: InMemoryInbox, changelog: ListedChangelog | None = None) -> None:
        self.entries: dict[str, dict[str, Entry]] = {}
        self.changelog = changelog or ListedChangelog()
        self.writes: list[tuple[Lease, dict[str, Entry | None]]] = []
        self._inbox = inbox
        self._flushing = asyncio.Lock()
        self._unlogged: dict[str, set[str]] = {}
        self._directories: dict[str, dict[Kind, Directory]] = {}
        self._surveys: dict[str, SurveyState] = {}
        self._definitions: dict[str, KeptDefinitions] = {}

    async def load(self, event_id: str) -> Ledger:
        """See `ports.LedgerStore`."""
        return dict(self.entries.get(event_id, {}))

    async def put(self, lease: Lease, entries: Mapping[str, Entry | None]) -> None:
        """See `ports.LedgerStore`."""
        self._inbox.fence(lease)
        self.writes.append((lease, dict(entries)))
        event_id = lease.subject.id
        held = self.entries.setdefault(event_id, {})
        for key, entry in entries.items():
            if entry is None:
                held.pop(key, None)
            else:
                held[key] = entry
        self._unlogged.setdefault(event_id, set()).update(entries)
        intents = {key: entry for key, entry in entries.items() if entry and entry.state is State.INTENT}
        if intents:
            await self.changelog.write(event_id, intents)
            self._inbox.fence(lease)
            self.entries.setdefault(event_id, {}).update(intents)

    async def flush(self, lease: Lease) -> None:
        """See `ports.LedgerStore`."""
        async with self._flushing:
            self._inbox.fence(lease)
            event_id = lease.subject.id
            held, unlogged = self.entries.get(event_id, {}), self._unlogged.setdefault(event_id, set())
            sent = {key: held.get(key) for key in sorted(unlogged)}
            if sent:
                await self.changelog.write(event_id, sent)
            self._inbox.fence(lease)
            unlogged -= {key for key, entry in sent.items() if held.get(key) == entry}

    async def requeue_changelog(self, lease: Lease) -> None:
        """See `ports.LedgerStore`."""
        self._inbox.fence(lease)
        self._unlogged.setdefault(lease.subject.id, set()).update(self.entries.get(lease.subject.id, {}))

    async def log_deletions(self, lease: Lease, deletions: Mapping[str, int]) -> None:
        """See `ports.LedgerStore`."""
        stamps = {contact: stamp(version, version, 0) for contact, version in deletions.items()}
        await self.changelog.note(lease.subject.id, stamps)

    async def directories(self, event_id: str) -> Mapping[Kind, Directory]:
        """See `ports.LedgerStore`."""
        return dict(self._directories.get(event_id, {}))

    async def put_directory(self, lease: Lease, kind: Kind, directory: Directory) -> None:
        """See `ports.LedgerStore`."""
        self._inbox.fence(lease)
        rows = {row.id: Remote(row.id, row.natural) for row in directory.rows.values()}
        kept = replace(directory, rows=rows, fresh=False)
        self._directories.setdefault(lease.subject.id, {})[kind] = kept

    async def survey(self, event_id: str) -> SurveyState:
        """See `ports.LedgerStore`."""
        return self._surveys.get(event_id, SurveyState())

    async def put_survey(self, lease: Lease, memory: SurveyState) -> None:
        """See `ports.LedgerStore`."""
        self._inbox.fence(lease)
        self._surveys[lease.subject.id] = memory

    async def definitions(self, event_id: str) -> KeptDefinitions | None:
        """See `ports.LedgerStore`."""
        return self._definitions.get(event_id)

    async def put_definitions(self, lease: Lease, kept: KeptDefinitions | None) -> None:
        """See `ports.LedgerStore`."""
        self._inbox.fence(lease)
        if kept is None:
            self._definitions.pop(lease.subject.id, None)
        else:
            self._definitions[lease.subject.id] = kept

    async def forget_swoogo(self, lease: Lease) -> None:
        """See `ports.LedgerStore`."""
        self._inbox.fence(lease)
        self._directories.pop(lease.subject.id, None)
        self._surveys.pop(lease.subject.id, None)
        self._definitions.pop(lease.subject.id, None)
