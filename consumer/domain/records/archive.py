"""ARCHIVE: when an event is over for good, and what of its snapshot stays (Y4).

What Sessionboard deleted stays, so that nothing of it comes back. Of the rest a change brings what it needs itself: the
ledger knows what is in Swoogo, and a plan touches no record of which it has no state.
"""

from __future__ import annotations

from consumer.domain.records.identity import Source, key_of
from consumer.domain.records.snapshot import Snapshot


def ended_at(snapshot: Snapshot) -> int | None:
    """When its last session ends, ms; None while none has a time."""
    moments = [each.ends_at or each.starts_at for each in snapshot.sessions.values()]
    return max((moment for moment in moments if moment is not None), default=None)


def stays(snapshot: Snapshot) -> frozenset[str]:
    """Keys of the rows that an archived event keeps."""
    held = (
        (Source.SESSION, snapshot.sessions),
        (Source.CONTACT, snapshot.contacts),
        (Source.SPONSOR, snapshot.sponsors),
    )
    return frozenset(key_of(source, each.id) for source, rows in held for each in rows.values() if each.deleted)
