"""Associations of speakers with sessions in a plan: what is to be added, and what is to be taken away (S7, S8)."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from consumer.domain.planning.draft import Draft
from consumer.domain.planning.plan import Link
from consumer.domain.planning.references import swoogo_id
from consumer.domain.planning.speakers import People
from consumer.domain.records.identity import Kind, id_of, key_of
from consumer.domain.records.ledger import entries_of


def plan_links(draft: Draft, people: People, eligible: set[str], doomed: AbstractSet[str]) -> None:
    """S7, S8: what each speaker's associations lack, and which of ours are no longer so.

    Taking away concerns the session as much as the speaker: it is done also for somebody who has no eligible
    session left and gets no other update (E4). The associations of `doomed` speakers go with them (D4).
    """
    ledger, planned = draft.given.ledger, draft.planned
    held = {key for key, entry in entries_of(ledger, Kind.SPEAKER) if entry.links and entry.live}
    for key in sorted(held | {key_of(Kind.SPEAKER, identifier) for identifier in people.speakers}):
        entry = ledger.get(key)
        ours = entry.links if entry and entry.live else ()
        listed = people.sessions_of.get(id_of(key), ())
        if ours == listed or key in doomed:
            continue
        wanted = listed if key in planned else ()
        add = tuple(session for session in wanted if session not in ours and key_of(Kind.SESSION, session) in planned)
        # With a session that is gone in Swoogo its associations went too (D2): there is nothing to take away.
        left = [session for session in ours if swoogo_id(ledger, Kind.SESSION, session) is not None]
        remove = tuple(session for session in left if session in eligible and session not in listed)
        link = Link(key, add, remove)
        if link.credits and draft.given.parked.get(link.issue_key) != link.fingerprint:
            draft.links.append(link)
