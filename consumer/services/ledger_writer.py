"""The ledger of an event while it is pushed: the only thing of a push that changes, written through a fence (G4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from consumer.domain.push.claim import Lease
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.ledger import Entry, confirmed_by
from consumer.ports import Clock, LedgerStore


@dataclass(slots=True)
class LedgerWriter:
    """Writes entries for the holder of a lease.

    Attributes:
        entries: the ledger as it is now; later operations see the ids that earlier ones produced.
        digests: nothing of people is written but these (Y3).
        confirmed: ledger key -> ms when Swoogo had confirmed what was last sent of the record.
        found_gone: records that were found deleted in Swoogo.
    """

    store: LedgerStore
    lease: Lease
    clock: Clock
    entries: dict[str, Entry]
    digests: Digests = PLAIN
    confirmed: dict[str, int] = field(default_factory=dict)
    found_gone: int = 0

    async def write(self, entries: Mapping[str, Entry | None]) -> None:
        """Write entries (None forgets one), here and in the store. Raises LeaseLostError, UnavailableError."""
        if not entries:
            return
        # Who wrote it: a reader of the changelog knows by that what a worker wrote that had lost its lease (G4).
        written = {
            key: entry and self.digests.sealed(key, replace(entry, epoch=self.lease.epoch))
            for key, entry in entries.items()
        }
        await self.store.put(self.lease, written)
        now = self.clock.now()
        for key, entry in written.items():
            before = self.entries.pop(key, None)
            if entry is not None:
                self.entries[key] = entry
            if before and before.live and entry and not entry.live:
                self.found_gone += 1
            self.confirmed |= dict.fromkeys(confirmed_by(key, before, entry), now)

    async def flush(self) -> None:
        """Return when the changelog has what was written (G6). Raises UnavailableError."""
        await self.store.flush(self.lease)
