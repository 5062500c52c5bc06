"""REPORT, record by record: what happened to each, and the calls of each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from consumer.domain.push.calls import RunCalls
from consumer.domain.push.claim import Lease
from consumer.domain.push.timeline import Happening


@dataclass(frozen=True, slots=True)
class RecordTimeline:
    """What is known of one record, newest first, and since when (ms) anything is kept of its event; 0: nothing is."""

    happened: Sequence[Happening] = ()
    since: int = 0


class Timeline(Protocol):
    """Bounded, and lost with Redis; what is kept holds no value and no address (Y3)."""

    async def note(
        self, lease: Lease, run_id: str, happened: Mapping[str, Sequence[Happening]], calls: RunCalls
    ) -> None:
        """Add to the timelines of these records, and keep the calls of the run; repeating it changes nothing.

        Raises LeaseLostError, UnavailableError.
        """

    async def of(self, event_id: str, key: str) -> RecordTimeline:
        """The timeline of one record."""

    async def calls(self, event_id: str, run_id: str) -> RunCalls | None:
        """The calls of a run; None where none are kept of it."""
