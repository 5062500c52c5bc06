"""`/`: which events need somebody, which go on by themselves, which are right?"""

from __future__ import annotations

from consumer.entrypoints.console.page import Ask, Shown
from consumer.entrypoints.documents.status import read_status


async def show(ask: Ask) -> Shown:
    """All events that the viewer may see. Raises UnavailableError."""
    rows = [row for row in (await read_status(ask.stores)).events if ask.viewer.may_see(row.org_id)]
    facts = {
        "events": [
            {"event_id": r.event_id, "name": r.name, "dirty": r.dirty, "credits_left": r.credits_left} for r in rows
        ]
    }
    return Shown("events.html", "Events", facts)
