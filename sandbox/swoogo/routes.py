"""Which method and path does what, and what it costs: 10 credits a list, 1 anything else (`swoogo-api.md` 3, 5).

Paths are looked up with ids replaced by `{id}`, after the optional `/api/v1` prefix and the optional `.json`
suffix are gone (2.1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sandbox.swoogo.answers import Answer
from sandbox.swoogo.backend import Backend, Call
from sandbox.swoogo.definition_writes import create_field, update_field
from sandbox.swoogo.definitions import FIELD_KINDS
from sandbox.swoogo.hook_calls import create_webhook, delete_webhook, get_webhook, list_webhooks, update_webhook
from sandbox.swoogo.image_calls import get_image, put_image
from sandbox.swoogo.links import add_sessions, remove_session, remove_sessions
from sandbox.swoogo.reads import get_field, get_record, list_fields, list_records
from sandbox.swoogo.resources import RESOURCES, Kind
from sandbox.swoogo.switches import Switches
from sandbox.swoogo.writes import create_record, delete_record, update_record

LIST_COST = 10
CALL_COST = 1
TOKEN_PATH = "/oauth2/token"  # noqa: S105 - a path, not a password
_PREFIX = "/api/v1"
_WRITABLE: tuple[Kind, ...] = ("sessions", "speakers", "sponsors", "locations", "tracks")


@dataclass(frozen=True, slots=True)
class Route:
    """One operation; `creates` says that a 2xx answer made a record."""

    handler: Callable[[Backend, Call], Answer]
    kind: Kind
    cost: int = CALL_COST
    creates: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A path taken apart: its template and what stood in the places of ids and words."""

    path: str
    template: str
    dotted_json: bool
    numbers: tuple[int, ...]
    words: tuple[str, ...]


def read_path(path: str) -> Target:
    """Take a request path apart."""
    if path == _PREFIX or path.startswith(_PREFIX + "/"):
        path = path.removeprefix(_PREFIX)
    dotted_json = path.endswith(".json")
    path = path.removesuffix(".json").rstrip("/")
    segments = path.split("/")[1:]
    numbers = tuple(int(segment) for segment in segments if segment.isascii() and segment.isdigit())
    if len(segments) == 4 and segments[0] == "image" and len(numbers) == 1:
        return Target(path, "/image/{type}/{id}/{field}", dotted_json, numbers, (segments[1], segments[3]))
    template = "".join("/{id}" if segment.isascii() and segment.isdigit() else f"/{segment}" for segment in segments)
    return Target(path, template, dotted_json, numbers, ())


@lru_cache(maxsize=64)
def routes(switches: Switches) -> Mapping[str, Mapping[str, Route]]:
    """Template to method to route; only the spellings of deletion and unlink depend on switches."""
    table: dict[str, dict[str, Route]] = {}

    def add(method: str, template: str, route: Route) -> None:
        table.setdefault(template, {})[method] = route

    for kind in RESOURCES:
        add("GET", f"/{kind}", Route(list_records, kind, LIST_COST))
        add("GET", f"/{kind}/{{id}}", Route(get_record, kind))
    for kind in _WRITABLE:
        add("POST", f"/{kind}/create", Route(create_record, kind, creates=True))
        add("PUT", f"/{kind}/update/{{id}}", Route(update_record, kind))
        delete = f"/{kind}/delete/{{id}}" if switches.delete_path == "action" else f"/{kind}/{{id}}"
        add("DELETE", delete, Route(delete_record, kind))
    for kind in FIELD_KINDS:
        add("GET", f"/{kind}/fields", Route(list_fields, kind, LIST_COST))
        add("POST", f"/{kind}/field", Route(create_field, kind))
        add("GET", f"/{kind}/field/{{id}}", Route(get_field, kind))
        add("PUT", f"/{kind}/field/{{id}}", Route(update_field, kind))
    add("GET", "/webhooks", Route(list_webhooks, "events", LIST_COST))
    add("GET", "/webhooks/{id}", Route(get_webhook, "events"))
    add("POST", "/webhooks/create", Route(create_webhook, "events"))
    add("PUT", "/webhooks/update/{id}", Route(update_webhook, "events"))
    delete = "/webhooks/delete/{id}" if switches.delete_path == "action" else "/webhooks/{id}"
    add("DELETE", delete, Route(delete_webhook, "events"))
    add("POST", "/speakers/{id}/session", Route(add_sessions, "speakers"))
    if switches.unlink == "path":
        add("DELETE", "/speakers/{id}/session/{id}", Route(remove_session, "speakers"))
    else:
        add("DELETE", "/speakers/{id}/session", Route(remove_sessions, "speakers"))
    add("PUT", "/image/{type}/{id}/{field}", Route(put_image, "contacts"))
    add("GET", "/image/{type}/{id}/{field}", Route(get_image, "contacts"))
    return table
