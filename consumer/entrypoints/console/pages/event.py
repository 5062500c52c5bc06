"""`/events/EVENT`: is everything right in Swoogo, what needs a hand, when will it be done?"""

from __future__ import annotations

from consumer.entrypoints.console.page import Ask, MissingError, Shown
from consumer.entrypoints.documents.status import read_event


async def show(ask: Ask) -> Shown:
    """One event. Raises MissingError, UnavailableError."""
    document = await read_event(ask.stores, ask.parts["event_id"], 5)
    if document is None:
        raise MissingError
    row = document.event
    facts = {"name": row.name or row.event_id, "changes": row.dirty, "issues": document.issues}
    return Shown("event.html", row.name or row.event_id, facts)
