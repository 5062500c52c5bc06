"""What a create without an answer may have made (G2): a record of its natural key, or one that Swoogo stored otherwise.

Swoogo may store another form of a name than it was sent. So long as an unowned record that came since may be what the
create made, nothing is created again: a person decides which it is.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Final

from consumer.domain.records.digests import is_keyed
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Entry, Remote
from consumer.domain.records.text import resembles

_LISTED_FIRST: Final = frozenset({Kind.SPEAKER, Kind.LOCATION, Kind.TRACK})
"""Kinds of an event that are listed before a record is created: what is newer than that list came since."""


def newest_known(directory: Directory, owned: AbstractSet[int]) -> int:
    """The largest Swoogo id of a kind that is known; what is created from now on gets a larger one.

    `directory`: what was last seen of the kind.
    """
    return max(max(directory.rows, default=0), max(owned, default=0))


def found(entry: Entry, directory: Directory, owned: AbstractSet[int], natural: str = "") -> list[Remote]:
    """Unowned records with the natural key of what was created, oldest id first.

    `natural`: what to look for when the intent does not say.
    """
    natural = entry.natural or natural
    excluded = owned | frozenset(entry.besides)
    matches = [row for row in directory.matching(natural) if row.id not in excluded]
    if matches or entry.newest_known is not None:
        return matches
    # An earlier build noted the name case-folded.
    rows = (row for row in directory.rows.values() if row.id not in excluded)
    return sorted((row for row in rows if row.natural.casefold() == natural.casefold()), key=lambda row: row.id)


def candidates(kind: Kind, entry: Entry, directory: Directory, owned: AbstractSet[int]) -> list[Remote]:
    """Unowned records that may be what was created although their natural key is another, oldest id first.

    Of a session: those of the same date and start that came since. Of a speaker, room or track: whatever came since.
    Sponsors are not listed before one is created, and other events add levels to the account: of these, those whose
    name may be a form of the one that was sent.
    """
    oldest = entry.newest_known or 0
    rows = sorted(directory.rows.values(), key=lambda row: row.id)
    return [
        row
        for row in rows
        if row.id > oldest and row.id not in owned and row.id not in entry.besides and _may_be(kind, entry, row)
    ]


def _may_be(kind: Kind, entry: Entry, row: Remote) -> bool:
    if kind is Kind.SESSION:
        return entry.natural.rsplit("|", 2)[1:] == row.natural.rsplit("|", 2)[1:]
    if is_keyed(entry.natural) or (kind in _LISTED_FIRST and entry.newest_known is not None):
        return True  # a digest shows no likeness
    return resembles(entry.natural, row.natural)
