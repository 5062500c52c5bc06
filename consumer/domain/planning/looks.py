"""How a kind is read before a plan: with the event, one credit for all such kinds, or as a list, ten credits a page.

No public text says whether an event comes with all its records (`swoogo-api.md` 11.3 nr 15), and a record that is
overlooked is created a second time (G2, P2). So a kind is read with the event only after one comparison with its list,
and only when the records that came cannot be all that fits.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Entry, Ledger, entries_of
from consumer.domain.surveys.survey import SURVEYED

_ROUND: Final = (5, 16)


def with_event(directories: Mapping[Kind, Directory]) -> frozenset[Kind]:
    """Kinds whose records are known to come with the event."""
    return frozenset(kind for kind in SURVEYED if (known := directories.get(kind)) and known.with_event)


def compared(directories: Mapping[Kind, Directory], ledger: Ledger) -> frozenset[Kind]:
    """Kinds whose next list is compared with what comes with the event: not compared yet, and not empty."""
    return frozenset(
        kind
        for kind in SURVEYED
        if directories.get(kind, Directory()).with_event is None
        and any(entry.live for _, entry in entries_of(ledger, kind))
    )


def not_cut_off(count: int, longest: int) -> bool:
    """Whether so many records of a kind can be all that the event has.

    A server that cuts off does so at a fixed number: not below what has come before, and a round one. Where the count
    might be that number, a list decides.

    Args:
        count: records that came with the event.
        longest: the most that ever came with it and were all.
    """
    return count < longest or all(count % each for each in _ROUND)


def absent(entries: Collection[Entry], ids: AbstractSet[int]) -> list[int]:
    """Swoogo ids of live entries that are not among `ids`."""
    live = [each.swoogo_id for each in entries if each.live and each.swoogo_id is not None]
    return [swoogo_id for swoogo_id in live if swoogo_id not in ids]
