"""References between records: rooms, tracks and levels by Sessionboard's ids in fields, by Swoogo's on the wire."""

from __future__ import annotations

from typing import Final

from consumer.domain.records.identity import Fields, Kind, key_of
from consumer.domain.records.ledger import Ledger

REFERENCES: Final = (Kind.LOCATION, Kind.TRACK, Kind.LEVEL)
"""Kinds that others refer to; each names the field that does."""


def swoogo_id(ledger: Ledger, kind: Kind, identifier: str) -> int | None:
    """Swoogo's id of a record that is there; None when it is not."""
    entry = ledger.get(key_of(kind, identifier))
    return entry.swoogo_id if entry and entry.live else None


def resolved(fields: Fields, ledger: Ledger) -> dict[str, str]:
    """Without rooms and tracks that did not make it into Swoogo; they stay due (E6)."""
    kept = dict(fields)
    for kind in REFERENCES:
        if kept.get(kind.value) and swoogo_id(ledger, kind, kept[kind.value]) is None:
            del kept[kind.value]
    return kept


def wired(fields: Fields, ledger: Ledger) -> dict[str, str]:
    """Resolved fields with Swoogo's ids in place of Sessionboard's."""
    named = dict(fields)
    for kind in REFERENCES:
        if named.get(kind.value):
            named[kind.value] = str(swoogo_id(ledger, kind, named[kind.value]))
    return named
