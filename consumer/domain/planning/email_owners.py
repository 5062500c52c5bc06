"""Who owns an e-mail address: one Swoogo speaker for each (P2).

The speaker that was synced with an address owns it, also while it takes no part. A deleted contact owns none; a person
who was erased keeps theirs, so that no record is created with it again (Y2).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Self

from consumer.domain.planning.desired import Desired
from consumer.domain.records.identity import Kind, id_of, key_of
from consumer.domain.records.ledger import Ledger, State, entries_of
from consumer.domain.records.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class EmailOwners:
    """Addresses that are taken.

    Attributes:
        ledger: who was synced, and with which address.
        owners: address -> contact that was synced with it.
        vacated: the same of deleted contacts whose speaker is still in Swoogo.
    """

    ledger: Ledger
    owners: Mapping[str, str]
    vacated: Mapping[str, str]

    @classmethod
    def of(cls, snapshot: Snapshot, ledger: Ledger, leaving: AbstractSet[str]) -> Self:
        """The owners by ledger and snapshot. Speakers in `leaving` (keys) keep their address until they are deleted."""
        owners: dict[str, str] = {}
        vacated: dict[str, str] = {}
        for key, entry in entries_of(ledger, Kind.SPEAKER):
            if not entry.live and entry.state is not State.INTENT and not entry.erased:
                continue
            contact = snapshot.contacts.get(id_of(key))
            deleted = contact is not None and contact.deleted and key not in leaving and not entry.erased
            (vacated if deleted else owners)[entry.natural] = id_of(key)
        return cls(ledger, owners, vacated)

    def owner(self, email: str, claimant: str) -> str | None:
        """Who keeps a claimant from an address; None when it is free for them.

        A synced survivor of a merge gets the address of the other contact. For somebody who would be created with it,
        it is free once that one's speaker is inherited or deleted: else Swoogo would get a second speaker with it.
        """
        entry = self.ledger.get(key_of(Kind.SPEAKER, claimant))
        return self.owners.get(email) or (None if entry and entry.live else self.vacated.get(email))

    def seniority(self, claimant: str, email: str) -> tuple[int, str]:
        """Sorts first who was synced with this e-mail, then who was synced, then the smaller id."""
        entry = self.ledger.get(key_of(Kind.SPEAKER, claimant))
        if entry is None or entry.state is State.GONE:
            return 2, claimant
        return (0 if entry.natural == email else 1), claimant


def drop_duplicates(wanted: dict[str, Desired], owners: EmailOwners) -> dict[str, str]:
    """P2: one speaker per e-mail; the one synced before wins, else the smaller id. Removes the losers from `wanted`.

    Returns loser -> winner.
    """
    found: dict[str, str] = {}
    # A loser keeps the former address, which another one may have claimed.
    while losers := _losers(wanted, owners):
        for loser in losers:
            del wanted[loser]
        found |= losers
    return found


def _losers(wanted: Mapping[str, Desired], owners: EmailOwners) -> dict[str, str]:
    claims: dict[str, list[str]] = defaultdict(list)
    for identifier, desired in wanted.items():
        claims[desired.natural].append(identifier)
    losers: dict[str, str] = {}
    for email, claimants in claims.items():
        # Synced before, and without a part now: the address stays theirs.
        kept = {each: owner for each in claimants if (owner := owners.owner(email, each)) and owner not in wanted}
        losers |= kept
        left = [each for each in claimants if each not in kept]
        if len(left) > 1:
            winner = min(left, key=lambda name: owners.seniority(name, email))
            losers |= {loser: winner for loser in left if loser != winner}
    return losers
