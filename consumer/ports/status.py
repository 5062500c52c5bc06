"""REPORT: what people read about syncs, records and runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.domain.connections.connection import Announcement
from consumer.domain.issues.issue import Issue
from consumer.domain.push.claim import Lease
from consumer.domain.push.run import Run, RunCalls
from consumer.domain.push.timeline import Happening


class StatusBoard(Protocol):
    """What people read and can look up."""

    async def started(self, run: Run) -> None:
        """A sync began (N1)."""

    async def progress(self, run: Run) -> None:
        """Where it is now."""

    async def moved(self, run: Run) -> None:
        """The same, and said aloud: it goes on for long (N1)."""

    async def ended(self, run: Run, issues: Mapping[str, Issue], lease: Lease) -> str:
        """It ended: keep the run, replace the event's issues, publish what changed of each record's, then the run.

        Returns the id of the run before it that it repeats (`Run.repeats`) and takes the place of, "" when none. Of a
        run whose pair ended no issue stays published. Raises LeaseLostError, UnavailableError.
        """

    async def withdraw(self, event_id: str) -> None:
        """Nothing of the event stays published: its pair has ended (M4, X1). Raises UnavailableError."""

    async def current(self, event_id: str) -> Run | None:
        """The run in progress, or the last one."""

    async def issues(self, event_id: str) -> Mapping[str, Issue]:
        """Issues of the event by their key."""

    async def announce(self, announcement: Announcement) -> None:
        """What became of an integration or a pair (C3, M2, M6)."""


@dataclass(frozen=True, slots=True)
class RecordTimeline:
    """What is known of one record, newest first, and since when (ms) anything is kept of its event; 0: nothing is."""

    happened: Sequence[Happening] = ()
    since: int = 0


class Timeline(Protocol):
    """Bounded, and lost with Redis; what is kept holds no value and no address (Y3)."""

    async def note(
        self,
        lease: Lease,
        run_id: str,
        happened: Mapping[str, Sequence[Happening]],
        calls: RunCalls,
        *,
        instead_of: str = "",
    ) -> None:
        """Add to the timelines of these records, and keep the calls of the run; repeating it changes nothing.

        `instead_of`: a run whose calls are not kept any more.

        Raises LeaseLostError, UnavailableError.
        """

    async def of(self, event_id: str, key: str) -> RecordTimeline:
        """The timeline of one record."""

    async def calls(self, event_id: str, run_id: str) -> RunCalls | None:
        """The calls of a run; None where none are kept of it."""
