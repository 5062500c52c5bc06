"""RECORD, DEBOUNCE and CLAIM: recorded changes, and who works on them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from consumer.domain.connections.connection import Request
from consumer.domain.orders.ledger_commands import LedgerCommand
from consumer.domain.planning.control import Control
from consumer.domain.planning.request import SyncRequest
from consumer.domain.push.claim import EventState, Lease, Subject
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Snapshot
from consumer.domain.surveys.survey import Depth


class Change(msgspec.Struct, frozen=True, gc=False):
    """One recorded state: `row` is the encoded resource or request, `stamp` orders it (G3).

    `deleted`: Sessionboard deleted the resource, and the row says so. `org_id`: whose event it is, "" where the record
    names none (M8).
    """

    key: str
    stamp: str
    row: bytes
    deleted: bool = False
    org_id: str = ""


@dataclass(frozen=True, slots=True)
class DueSubject:
    """A subject that is due, and since when (ms) by the index or the queue it was found in."""

    subject: Subject
    due: int


@dataclass(frozen=True, slots=True)
class Due:
    """What is due now, and how long until the next one is (seconds; None: nothing is waiting)."""

    entries: tuple[DueSubject, ...]
    next_in: float | None

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return tuple(entry.subject for entry in self.entries)


@dataclass(frozen=True, slots=True)
class Requested:
    """What was last asked for an organization, by key: the requests, their stamps, and the stamps of what is new."""

    rows: Mapping[str, Request] = field(default_factory=dict)
    stamps: Mapping[str, str] = field(default_factory=dict)
    marks: Mapping[str, str] = field(default_factory=dict)

    @property
    def served(self) -> dict[str, str]:
        """Stamps of what was dealt with before, but for mappings."""
        return {key: at for key, at in self.stamps.items() if key not in self.marks and not key.startswith("mapping/")}


class Inbox(Protocol):
    """Recorded changes and who works on them."""

    async def record(self, subject: Subject, changes: Sequence[Change], *, again: bool = False) -> int:
        """Keep what is newer, mark it dirty, plan the push. Idempotent.

        `again`: also what is as new as what is there, for its mark may have been dropped alone (G6).
        Returns how many were news; a reply that is lost on the way makes it fewer.
        """

    async def withdraw(self, subject: Subject, marks: Sequence[str]) -> frozenset[str]:
        """Keep no profiles of these contacts (Y2, Y3), those that are there included; returns all marks."""

    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        """Ask for a manual sync now, besides those that wait; False when this one waits already or was served."""

    async def remind(self, org_id: str, key: str) -> None:
        """Have a recorded request of an organization dealt with once more; nothing where there is none."""

    async def set_continuous(self, event_id: str, *, on: bool, by: Lease | None = None, ended: bool = False) -> bool:
        """Whether changes of this event make it due by themselves, and surveys come round (C4, M5).

        `by`: the lease of the organization that maps it, and holds its pair; or the event's own, which found no pair:
        that one switches nothing off that was switched on since it was claimed, and returns False. None where no
        other writer can be. `ended`: the
        pair ends; a worker that has the event now may die after it published something, so the event is claimed once
        more when that lease is over. Raises LeaseLostError.
        """

    async def request_survey(self, event_id: str, depth: Depth) -> None:
        """Reconcile the event now, once, also when sync is not continuous."""

    async def request_commands(
        self, event_id: str, commands: Sequence[LedgerCommand], *, at_once: bool = False
    ) -> None:
        """Have the next claim of the event carry these out: with continuous sync, or `at_once`, that is now."""

    async def drop_commands(self, lease: Lease, commands: Sequence[LedgerCommand]) -> None:
        """These commands are over. Raises LeaseLostError."""

    async def put_control(self, control: Control, *, expected: int | None = None, by: Lease | None = None) -> bool:
        """Keep a freeze or an approval; it is on the changelog (U1, U2).

        False when a later revision is there, or with `expected` another one than that, or somebody else than `by` has
        the event. Once more is no harm.
        """

    async def mark_verified(self, lease: Lease, kinds: Collection[Kind]) -> None:
        """These kinds were looked at, and whatever was ours is in the ledger again (G6)."""

    async def due(self, limit: int) -> Due:
        """What to claim, oldest first; without what lies in a queue."""

    async def queued(self, credentials: int, each: int) -> Mapping[str, Sequence[DueSubject]]:
        """Credential -> the first `each` of its queue, oldest first; the credential served least lately comes first."""

    async def queue(self, waiting: Mapping[str, Sequence[DueSubject]]) -> None:
        """Move what is due, and has no place, to the queue of its credential, where any replica finds it."""

    async def leave_queue(self, credential: str, entry: DueSubject) -> None:
        """A claim of this queued subject was tried: it leaves the queue, which comes last among the queues."""

    async def repair_index(self, part: float) -> bool:
        """Have `due` tell of the next ones as their states say, whatever became of the index.

        `part`: this part (0 to 1) of everything ever recorded, though no more than a slice that holds nothing up; it
        goes on after the slice before it, whichever replica had that. Returns True when it has been through all of
        them, and begins again. Raises UnavailableError.
        """

    async def claim(self, subject: Subject, op_id: str) -> Lease | None:
        """Take a due subject for the lease time; None when it is not due or somebody has it."""

    async def renew(self, lease: Lease) -> None:
        """Hold on for another lease time. Raises LeaseLostError."""

    async def complete(
        self,
        lease: Lease,
        marks: Mapping[str, str],
        *,
        retry_in: float | None = None,
        failed: bool = False,
        survey_in: float | None = None,
        rest_in: float | None = None,
    ) -> None:
        """Give the subject back: clear marks whose stamp did not move, plan the next push.

        Args:
            lease: the claim.
            marks: what was dealt with, key -> stamp.
            retry_in: seconds until it is to be claimed again in any case, with the sync request it had.
            failed: count this as a failure in a row, and keep its sync request.
            survey_in: seconds until the next survey, after one was due; infinite for none, None leaves it as it is.
                With `failed` and no `retry_in`: the survey itself failed and is what comes again.
            rest_in: seconds until it is claimed for what its sync request left out, once that is served, sync is
                continuous and nothing else makes it due.

        Raises:
            LeaseLostError: somebody else has it.
        """

    async def defer(self, lease: Lease, seconds: float) -> None:
        """Give an event back untried: it comes again as it was, so much later. Raises LeaseLostError.

        A sync asked for meanwhile is not put off with it.
        """

    async def load(self, event_id: str, *, snapshot: bool = True) -> EventState:
        """Snapshot and dirty marks of an event; without the `snapshot`, which is large, the rest of it."""

    async def snapshot(self, event_id: str) -> Snapshot:
        """The snapshot of an event alone."""

    async def news(self, org_id: str) -> Requested:
        """What was asked for and not dealt with yet; everything, where credentials are among it."""

    async def requests(self, org_id: str) -> Requested:
        """Everything that was asked for an organization."""
