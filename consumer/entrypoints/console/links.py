"""Links out of the console, by the address patterns of the settings."""

from __future__ import annotations

from urllib.parse import quote

from consumer.domain.connections.mapping import EventMapping
from consumer.settings import ConsoleSettings


def _filled(pattern: str, **parts: object) -> str:
    for name, value in parts.items():
        pattern = pattern.replace(f"{{{name}}}", quote(str(value), safe=""))
    return pattern


def event_links(settings: ConsoleSettings, mapping: EventMapping | None) -> tuple[str, str]:
    """The event in Sessionboard and in Swoogo; "" where no pattern is set."""
    if mapping is None:
        return "", ""
    return (
        _filled(settings.sessionboard_event, org=mapping.org_id, event=mapping.event_id),
        _filled(settings.swoogo_event, event=mapping.swoogo_event_id),
    )


def record_links(
    settings: ConsoleSettings, mapping: EventMapping | None, kind: str, identifier: str, swoogo_id: int | None = None
) -> tuple[str, str]:
    """A record in Sessionboard and in Swoogo; "" where no pattern is set, or it is not there."""
    if mapping is None:
        return "", ""
    there = settings.swoogo_record if swoogo_id is not None else ""
    return (
        _filled(settings.sessionboard_record, org=mapping.org_id, event=mapping.event_id, kind=kind, id=identifier),
        _filled(there, event=mapping.swoogo_event_id, kind=kind, id=swoogo_id),
    )
