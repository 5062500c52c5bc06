"""`/events/EVENT/audit` and `/audit`: who ordered what, when, why, and what came of it (U3)."""

from __future__ import annotations

from consumer.entrypoints.console.page import Ask, Shown
from consumer.entrypoints.documents.audit import AuditDocument, read_audit

_SHOWN = 100


async def show(ask: Ask) -> Shown:
    """Orders that concern no event, or many. Raises UnavailableError."""
    return _shown(ask, await read_audit(ask.stores, None, _SHOWN), "", "")


async def show_event(ask: Ask) -> Shown:
    """Of one event. Raises UnavailableError."""
    event_id = ask.parts["event_id"]
    mapping = await ask.stores.connections.mapping(event_id)
    document = await read_audit(ask.stores, event_id, _SHOWN)
    name, timezone = (mapping.name or event_id, mapping.timezone) if mapping else (event_id, "")
    return _shown(ask, document, name, timezone)


def _shown(ask: Ask, document: AuditDocument, name: str, timezone: str) -> Shown:
    ordered = next((each for each in document.orders if each.id == ask.query.get("ordered")), None)
    facts = {"orders": document.orders, "event_id": document.event_id, "event": name, "ordered": ordered}
    nav = "events" if document.event_id else "audit"
    return Shown("audit.html", "Orders", facts, nav=nav, timezone=timezone, live=ordered is None)
