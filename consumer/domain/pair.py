"""The history of event pairs: who belongs to whom, for ever, and what a disconnect sealed (M2, M3, X2).

Ledger data: it outlives the mapping topic's compaction and the loss of Redis. Guarantees: a pair never changes its
partners, and its era only grows, so applying the same history twice, or an old part of it again, changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class PairEnd(StrEnum):
    """How a mapping ended."""

    REMOVED = "removed"
    DISCONNECTED = "disconnected"


@dataclass(frozen=True, slots=True)
class Pair:
    """A Sessionboard event and its one Swoogo event.

    Attributes:
        org_id: the organization that mapped it last.
        mapped_at: ms when the pair was first accepted.
        ended_at: ms when the mapping last ended; None while it is active.
        era: when its organization last disconnected, ms by the message that said so; 0 if it never did. Sessions
            synced in an earlier era are sealed (X2).
        epoch: lease epoch of the organization's worker that wrote it; one that lost its lease has a lower one (G4).
    """

    event_id: str
    swoogo_event_id: int
    org_id: str
    mapped_at: int
    ended_at: int | None = None
    ended_by: PairEnd | None = None
    era: int = 0
    epoch: int = 0

    def again(self, org_id: str, epoch: int) -> Pair:
        """The pair mapped again: the same partners, the same first time, the same era (M3)."""
        return replace(self, org_id=org_id, ended_at=None, ended_by=None, epoch=epoch)

    def without_epoch(self) -> Pair:
        """As the changelog has it."""
        return replace(self, epoch=0)

    def ended(self, by: PairEnd, at: int, epoch: int, *, era: int = 0) -> Pair:
        """The pair without a mapping. A disconnect seals also those that had ended before (X2); it ends none twice."""
        sealed = replace(self, era=max(self.era, era), epoch=epoch)
        return sealed if self.ended_at is not None else replace(sealed, ended_at=at, ended_by=by)


@dataclass(frozen=True, slots=True)
class Partners:
    """What the history knows of the two events that somebody wants to pair."""

    of_event: Pair | None = None
    of_swoogo_event: Pair | None = None
