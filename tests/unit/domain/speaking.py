"""What the tests of speakers share."""

from __future__ import annotations

from collections.abc import Mapping

from consumer.domain.planning.desired import TextLimits
from consumer.domain.planning.speakers import People, select_speakers
from consumer.domain.records.ledger import Entry
from consumer.domain.records.snapshot import Contact, Role, Session
from tests.support.builders import a_snapshot


def chosen(
    *resources: Session | Contact,
    ledger: Mapping[str, Entry] | None = None,
    roles: frozenset[Role] = frozenset({Role.SPEAKER}),
    accepted_only: bool = False,
    leaving: frozenset[str] = frozenset(),
) -> People:
    """The people of an event all of whose sessions are eligible."""
    snapshot = a_snapshot(*resources)
    return select_speakers(
        snapshot,
        snapshot.sessions.values(),
        ledger or {},
        roles=roles,
        accepted_only=accepted_only,
        limits=TextLimits(),
        leaving=leaving,
    )


def left_out(people: People) -> dict[str, str]:
    return {skip.key.partition("/")[2]: skip.label for skip in people.skips}
