"""The history of event pairs: who belongs to whom, for ever, and what a disconnect sealed (M2, M3, X2).

Ledger data: it outlives the mapping topic's compaction and the loss of Redis. Guarantees: a pair never changes its
partners, and its era only grows, so applying the same history twice, or an old part of it again, changes nothing.
A pair that never synced anything may be voided (M8); what is mapped after that has a higher round, by which the two are
distinguished in whatever order they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

ROUND_FIELDS: Final = frozenset({"round", "voided_at", "reason"})
"""Fields that mean something in format 2 alone."""


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
        round: one more than that of every voided pair that either partner had before; 0 where there was none.
        voided_at: ms when an operator voided it; None: it is for life.
    """

    event_id: str
    swoogo_event_id: int
    org_id: str
    mapped_at: int
    ended_at: int | None = None
    ended_by: PairEnd | None = None
    era: int = 0
    epoch: int = 0
    round: int = 0
    voided_at: int | None = None
    reason: str = ""

    @property
    def format(self) -> int:
        """In which it is written: 2 where a version that knows no rounds would take it for the only pair, else 1."""
        return 2 if self.round or self.voided_at is not None else 1

    def again(self, org_id: str, epoch: int) -> Pair:
        """The pair mapped again: the same partners, the same first time, the same era (M3)."""
        return replace(self, org_id=org_id, ended_at=None, ended_by=None, epoch=epoch)

    def voided(self, at: int, reason: str) -> Pair:
        """The pair as if it had never been."""
        return replace(self, voided_at=at, reason=reason)

    def ended(self, by: PairEnd, at: int, epoch: int, *, era: int = 0) -> Pair:
        """The pair without a mapping. A disconnect seals also those that had ended before (X2); it ends none twice."""
        sealed = replace(self, era=max(self.era, era), epoch=epoch)
        return sealed if self.ended_at is not None else replace(sealed, ended_at=at, ended_by=by)


@dataclass(frozen=True, slots=True)
class Partners:
    """What the history knows of the two events that somebody wants to pair."""

    of_event: Pair | None = None
    of_swoogo_event: Pair | None = None


def not_voidable(pair: Pair | None, swoogo_event_id: int, synced: int) -> str:
    """Why a pair cannot be voided, as a sentence; "" when it can (M2, M8).

    `swoogo_event_id`: the partner that it is to lose; 0 for whichever it has.
    """
    if pair is None:
        return "It has no pair."
    if swoogo_event_id and pair.swoogo_event_id != swoogo_event_id:
        return f"Its Swoogo event is {pair.swoogo_event_id}, not {swoogo_event_id}."
    if pair.ended_at is None:
        return f"It is mapped to Swoogo event {pair.swoogo_event_id}. Remove the mapping first."
    if synced:
        records = "1 record was" if synced == 1 else f"{synced} records were"
        return f"{records} synced to Swoogo event {pair.swoogo_event_id}, so the two belong together for ever."
    return ""
