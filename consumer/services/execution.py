"""PUSH, what its operations share: where they call, what they write to, and what they note.

The ledger is the only thing of a push that changes, written through a fence (G4).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from consumer.domain.errors import RetryableError, SwoogoSyncError
from consumer.domain.issues.issue import Issue
from consumer.domain.planning.plan import Operation, SetImage
from consumer.domain.push.claim import Lease
from consumer.domain.push.execution import ExecutionResult, too_many_failures
from consumer.domain.push.run import Run
from consumer.domain.records.digests import PLAIN, Digests
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, confirmed_by
from consumer.ports import Clock, LedgerStore, Swoogo, Work
from consumer.services.images import ImageQueue


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


@dataclass(slots=True)
class AskedSessions:
    """Sessions that were asked for singly in one push, so that several speakers ask once.

    Attributes:
        there: Swoogo id -> whether the session is in Swoogo.
        asking: held while sessions are asked for.
    """

    there: dict[int, bool] = field(default_factory=dict)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def gone(self) -> set[int]:
        """Swoogo ids of those that are not there."""
        return {number for number, there in self.there.items() if not there}


@dataclass(slots=True)
class Execution:
    """The calls of one push. See `domain.push.execution.ExecutionResult` for what is noted.

    Attributes:
        run: counts what is done, so that people can follow it.
        max_missing_share: share of a kind (0..1) that may be found gone at once and is believed to be.
        slots: how many calls may be on the wire at once.
        missing: records Swoogo answered 404 for, to be looked up once at the end, and that answer as an issue.
        asked_sessions: since one that is gone may keep a speaker from others.
        rechecks: images to be asked for once more.
        server_failures: operations that Swoogo failed at, and how.
        repeated: records whose create went unanswered before.
        deleting: held while associations with a deleted session are forgotten.
    """

    work: Work
    swoogo: Swoogo
    images: ImageQueue
    ledger: LedgerWriter
    clock: Clock
    run: Run
    max_missing_share: float
    slots: asyncio.Semaphore
    attempted: set[str] = field(default_factory=set)
    sent: dict[str, set[str]] = field(default_factory=dict)
    issues: list[Issue] = field(default_factory=list)
    failures: list[RetryableError] = field(default_factory=list)
    server_failures: list[tuple[Operation, RetryableError]] = field(default_factory=list)
    repeated: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    performed: int = 0
    image_failed: bool = False
    images_in: float | None = None
    missing: dict[Kind, dict[str, Issue]] = field(default_factory=dict)
    asked_sessions: AskedSessions = field(default_factory=AskedSessions)
    rechecks: Sequence[SetImage] = ()
    deleting: asyncio.Lock = field(default_factory=asyncio.Lock)

    def work_on(self, key: str) -> Work:
        """Whom a call for this record is made for."""
        return replace(self.work, record=key)

    @property
    def hopeless(self) -> bool:
        """Whether so much failed for now that the rest is put off."""
        return too_many_failures(len(self.failures), self.performed)

    def result(self, error: SwoogoSyncError | None = None) -> ExecutionResult:
        """What was done so far; `error` ended it."""
        return ExecutionResult(
            dict(self.ledger.entries),
            frozenset(self.attempted),
            {key: frozenset(names) for key, names in self.sent.items()},
            tuple(self.issues),
            tuple(self.failures),
            frozenset(self.unanswered),
            self.performed,
            self.image_failed,
            self.images_in,
            dict(self.ledger.confirmed),
            self.ledger.found_gone,
            error,
        )
