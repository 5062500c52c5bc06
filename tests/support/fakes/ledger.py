"""The ledger in memory, and its changelog as a list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from consumer.domain.ledger import Directory, Entry, Ledger, Remote
from consumer.domain.record import Kind
from consumer.ports import Lease
from tests.support.fakes.inbox import InMemoryInbox


class InMemoryLedger:
    """See `ports.LedgerStore`.

    Attributes:
        entries: event id -> its ledger.
        changelog: what a flush has made safe: (event id, key, entry or None), oldest first.
        failures: errors that the next flushes raise.
        writes: every `put` that was let through, with the lease that did it.
    """

    def __init__(self, inbox: InMemoryInbox) -> None:
        self.entries: dict[str, dict[str, Entry]] = {}
        self.changelog: list[tuple[str, str, Entry | None]] = []
        self.failures: list[Exception] = []
        self.writes: list[tuple[Lease, dict[str, Entry | None]]] = []
        self._inbox = inbox
        self._unlogged: dict[str, set[str]] = {}
        self._directories: dict[str, dict[Kind, Directory]] = {}

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

    async def flush(self, lease: Lease) -> None:
        """See `ports.LedgerStore`."""
        self._inbox.fence(lease)
        if self.failures:
            raise self.failures.pop(0)
        event_id = lease.subject.id
        held = self.entries.get(event_id, {})
        for key in sorted(self._unlogged.pop(event_id, set())):
            self.changelog.append((event_id, key, held.get(key)))

    async def directories(self, event_id: str) -> Mapping[Kind, Directory]:
        """See `ports.LedgerStore`."""
        return dict(self._directories.get(event_id, {}))

    async def put_directory(self, lease: Lease, kind: Kind, directory: Directory) -> None:
        """See `ports.LedgerStore`."""
        self._inbox.fence(lease)
        rows = {row.id: Remote(row.id, row.natural) for row in directory.rows.values()}
        kept = replace(directory, rows=rows, fresh=False)
        self._directories.setdefault(lease.subject.id, {})[kind] = kept
