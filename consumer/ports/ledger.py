"""LEDGER: what is known to be in Swoogo, and every pair that ever was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from consumer.domain.connection_state import LoggedState
from consumer.domain.connections.pair import Pair, PairEnd, Partners
from consumer.domain.fields.definitions import KeptDefinitions
from consumer.domain.push.claim import Lease
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Entry, Ledger
from consumer.domain.surveys.survey import SurveyState


class LedgerStore(Protocol):
    """The ledger of an event; the only writer of its keys, and of its changelog."""

    async def load(self, event_id: str) -> Ledger:
        """All entries of an event."""

    async def put(self, lease: Lease, entries: Mapping[str, Entry | None]) -> None:
        """Write entries (None forgets one), fenced by the lease. Intents are on the changelog when it returns (G6).

        Raises LeaseLostError; UnavailableError when an intent could not be written there: nothing may be sent.
        """

    async def flush(self, lease: Lease) -> None:
        """Return when the changelog holds everything put so far, by this worker or one that died.

        Raises UnavailableError.
        """

    async def requeue_changelog(self, lease: Lease) -> None:
        """Have the next flush write every entry (G6).

        A worker that lost its lease may have sent an old entry after the newest one, and compaction keeps the last; a
        topic may have been deleted. Raises LeaseLostError, UnavailableError.
        """

    async def log_deletions(self, lease: Lease, deletions: Mapping[str, int]) -> None:
        """Write to the changelog which contacts were deleted: contact id -> version of the deletion, ms (P5).

        A former version did not, and a topic may have been deleted. Raises UnavailableError.
        """

    async def directories(self, event_id: str) -> Mapping[Kind, Directory]:
        """What Swoogo was last seen to hold; never fresh."""

    async def put_directory(self, lease: Lease, kind: Kind, directory: Directory) -> None:
        """Remember a listing. Raises LeaseLostError."""

    async def survey(self, event_id: str) -> SurveyState:
        """What the last survey of the event left; empty when there was none."""

    async def put_survey(self, lease: Lease, memory: SurveyState) -> None:
        """Remember a survey. Raises LeaseLostError."""

    async def definitions(self, event_id: str) -> KeptDefinitions | None:
        """The fields that the maps of the event target; None when none are kept, or a later version wrote them."""

    async def put_definitions(self, lease: Lease, kept: KeptDefinitions | None) -> None:
        """Remember them; None forgets them. Raises LeaseLostError."""

    async def forget_swoogo(self, lease: Lease) -> None:
        """Forget what was seen in the Swoogo event: the event may get another one. Raises LeaseLostError."""


class PairRegister(Protocol):
    """Every pair that ever was (M2). Ledger data: on the changelog before it counts. Leases are of an organization."""

    async def all(self) -> Mapping[str, Pair]:
        """All pairs by event id."""

    async def pair(self, event_id: str) -> Pair | None:
        """The pair of an event, active or ended."""

    async def partners(self, event_id: str, swoogo_event_id: int) -> Partners:
        """What is known of two events that are to be paired."""

    async def fence(self, lease: Lease) -> None:
        """From now on no older lease of the organization changes a pair (G4). To be called before they are read.

        Raises LeaseLostError.
        """

    async def claim(self, lease: Lease, event_id: str, swoogo_event_id: int, at: int) -> Pair | None:
        """Enter a pair for ever, or take up again one that ended; None when either partner has another, or it is being
        taken back.

        Raises LeaseLostError.
        """

    async def end(self, lease: Lease, event_id: str, by: PairEnd, at: int, *, era: int = 0) -> None:
        """The pair of this organization is no longer mapped; an `era` seals what was synced in earlier ones (X2).

        Raises LeaseLostError.
        """

    async def void(self, pair: Pair, at: int, reason: str) -> bool:
        """Take back a pair that ended; its partners are free when this returns, and the changelog says so before (M8).

        To be called by the holder of the event, with the pair as it was read. False when it is another by now; it is
        not taken back then. Raises UnavailableError: to be tried again.
        """

    async def flush(self, lease: Lease) -> None:
        """Return when the changelog has every pair of the organization as it is. Raises UnavailableError."""


class StateLog(Protocol):
    """Where it is kept how the connections of an organization stand, besides Redis (G6)."""

    async def write_states(self, states: Sequence[LoggedState]) -> None:
        """Return when all are safe. Raises UnavailableError."""
