"""Every address of the console, who may call it, whether it is an order; and the links that lead out of it.

Tests of access, of writes while orders are off, and of organizations are generated from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from consumer.domain.connections.mapping import EventMapping
from consumer.entrypoints.console.viewer import Role
from consumer.settings import ConsoleSettings


@dataclass(frozen=True, slots=True)
class Page:
    """One address.

    Attributes:
        name: by which templates link to it, see `path_of`.
        path: with `{event_id}` where it is about one event: the app then checks whose event that is.
        target: `module:function` in `pages`, imported when the console starts.
        methods: GET, or POST for an order.
        order: it changes something: refused while orders are off, whatever the role.
    """

    name: str
    path: str
    target: str
    least: Role = Role.VIEWER
    methods: tuple[str, ...] = ("GET",)
    order: bool = False


ROUTES: Final = (
    Page("events", "/", "events:show"),
    Page("event", "/events/{event_id}", "event:show"),
    Page("operations", "/operations", "operations:show", Role.OPERATOR),
    Page("letters", "/operations/letters", "operations:show_letters", Role.OPERATOR),
    Page("letter", "/operations/letters/{letter}", "operations:show_letter", Role.OPERATOR),
    Page("parked", "/operations/parked", "operations:show_parked", Role.OPERATOR),
    Page("retry", "/operations/retry", "retry:show", Role.OPERATOR),
    Page("event_audit", "/events/{event_id}/audit", "orders:show_event_audit"),
    Page("order", "/events/{event_id}/orders/{kind}", "orders:ask", Role.ADMIN, ("GET", "POST"), order=True),
    Page("audit", "/audit", "orders:show_audit", Role.OPERATOR),
    Page("plan", "/events/{event_id}/plan", "plan:show"),
    Page("fields", "/events/{event_id}/fields", "fields:show"),
    Page("run", "/events/{event_id}/runs/{run_id}", "run:show"),
    Page("record", "/events/{event_id}/records/{kind}/{record_id:path}", "record:show"),
    Page("retry_many", "/operations/retry/order", "retry:give", Role.OPERATOR, ("POST",), order=True),
)

_PATHS: Final = {page.name: page.path for page in ROUTES}


def path_of(name: str, **parts: object) -> str:
    """The address of a page, each part quoted; "" when there is no page of this name."""
    path = _PATHS.get(name, "")
    for part, value in parts.items():
        path = path.replace(f"{{{part}:path}}", quote(str(value))).replace(f"{{{part}}}", quote(str(value), safe=""))
    return path


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
