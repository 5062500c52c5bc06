"""Records as JSON, with the asymmetries of the real API.

Lists give numbers as numbers; get-one and the answer to a create give a session's capacity as text, and the
answer to a session create gives booleans as 0 and 1 (`swoogo-api.md` 2.8, 7.1, 7.3). Choices read as
`{id, value}`. Locations and tracks never show their event (7.6).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sandbox.swoogo.backend import Backend
from sandbox.swoogo.definitions import ADDRESS_PARTS, FieldDefinition
from sandbox.swoogo.resources import RESOURCES, Kind
from sandbox.swoogo.store import Record

_Computed = Callable[[Backend, Record], Any]
Shape = Literal["list", "one", "created"]
TRUNCATED = 20
"""How many records a truncated event expand shows: the default page size."""


def render(backend: Backend, record: Record, names: Iterable[str], shape: Shape = "list") -> dict[str, Any]:
    """The named attributes of a record; names it does not have are left out."""
    attributes = RESOURCES[record.kind].attributes
    answer: dict[str, Any] = {}
    for name in names:
        attribute = attributes.get(name)
        if attribute is None:
            definition = _custom(backend, record).get(name) if name.startswith("c_") else None
            if definition is not None:
                answer[name] = _custom_value(definition, record.values.get(name))
            continue
        if attribute.hidden:
            continue
        if attribute.type == "address":
            # PHP writes an empty map as [] (`swoogo-api.md` 2.8).
            parts = {part: record.values.get(f"{name}.{part}") for part in ADDRESS_PARTS}
            answer[name] = parts if any(parts.values()) else []
            continue
        computed = _COMPUTED.get((record.kind, name))
        if computed is not None:
            answer[name] = computed(backend, record)
        elif attribute.type == "choice":
            answer[name] = _choice(backend, record, name)
        else:
            answer[name] = _plain(record, name, attribute.type, shape)
    return answer


def standard(backend: Backend, record: Record, shape: Shape = "one") -> dict[str, Any]:
    """All standard attributes."""
    return render(backend, record, RESOURCES[record.kind].standard, shape)


def written(backend: Backend, record: Record, shape: Shape = "one") -> dict[str, Any]:
    """The answer to a write; that to a session create nests its custom fields (`swoogo-api.md` 7.3)."""
    answer, more = standard(backend, record, shape), render(backend, record, _more(backend, record))
    if shape == "created" and record.kind == "sessions":
        return answer | {"custom_fields": more or []}
    return answer | more


def full_speaker(backend: Backend, speaker: Record) -> dict[str, Any]:
    """A speaker with its sessions, as the answer to a link shows it (`swoogo-api.md` 8.1)."""
    return standard(backend, speaker) | expanded(backend, speaker, ["sessions"])


def all_names(backend: Backend, record: Record) -> list[str]:
    """What `fields=*` stands for: standard and custom attributes (`swoogo-api.md` 2.5)."""
    return [*RESOURCES[record.kind].standard, *_more(backend, record)]


def _more(backend: Backend, record: Record) -> list[str]:
    """Addresses and custom fields."""
    attributes = RESOURCES[record.kind].attributes.values()
    return [*(each.name for each in attributes if each.type == "address"), *_custom(backend, record)]


def expanded(backend: Backend, record: Record, names: Iterable[str]) -> dict[str, Any]:
    """The expansions of a record (`swoogo-api.md` 2.6); names its kind does not have are ignored."""
    answer: dict[str, Any] = {}
    for name in names:
        if name not in RESOURCES[record.kind].expands:
            continue
        if record.kind == "events":
            _expand_event(backend, record, name, answer)
        elif record.kind == "speakers":
            ids = backend.store.sessions_of(record.id)
            answer[name] = _standards(backend, "sessions", ids)
        else:
            answer[name] = _expand_session(backend, record, name)
    return answer


def _expand_event(backend: Backend, event: Record, name: str, answer: dict[str, Any]) -> None:
    if name in {"sessions", "speakers", "sponsors"}:
        kind: Kind = name  # type: ignore[assignment]
        mode = backend.switches.event_expand
        if mode != "absent":
            ids = sorted(backend.store.of_event(event.id, kind))
            names = all_names if backend.switches.expand_custom else None
            answer[name] = _standards(backend, kind, ids if mode == "complete" else ids[:TRUNCATED], names)
    elif name == "translations":
        # PHP writes an empty map as [] (`swoogo-api.md` 2.8).
        answer[name] = []
    elif name == "folder":
        folder_id = event.values.get("folder_id")
        answer[name] = {"id": folder_id, "name": f"Folder {folder_id}"} if folder_id else None
    else:
        answer[name] = None


def _expand_session(backend: Backend, session: Record, name: str) -> Any:
    if name == "speakers":
        return _standards(backend, "speakers", backend.store.speakers_of(session.id))
    if name in {"location", "track"}:
        target = _referred(backend, session, name)
        return None if target is None else standard(backend, target, "list")
    if name == "registrantCount":
        return len(backend.store.registrants_of(session.id))
    return 0 if name == "reservedCount" else []


def _standards(
    backend: Backend, kind: Kind, ids: Iterable[int], names: Callable[[Backend, Record], list[str]] | None = None
) -> list[dict[str, Any]]:
    records = [record for record in (backend.store.get(kind, number) for number in ids) if record is not None]
    if not names or not records:
        return [standard(backend, record, "list") for record in records]
    asked = names(backend, records[0])
    return [render(backend, record, asked) for record in records]


def custom_fields(backend: Backend, account: str, kind: Kind) -> list[FieldDefinition]:
    """The custom fields of a kind; places have none."""
    return [] if kind in {"locations", "tracks"} else backend.definitions.custom(account, kind)


def _custom(backend: Backend, record: Record) -> dict[str, FieldDefinition]:
    return {each.attribute: each for each in custom_fields(backend, record.account, record.kind)}


def _plain(record: Record, name: str, attribute_type: str, shape: Shape) -> Any:
    value = record.values.get(name)
    if record.kind == "sessions" and shape != "list":
        if name == "capacity" and value is not None:
            return str(value)
        if shape == "created" and attribute_type == "flag":
            return int(bool(value))
    return value


def _choice(backend: Backend, record: Record, name: str) -> dict[str, Any] | None:
    definition = backend.definitions.of(record.account, record.kind).get(name)
    choice = definition.choice(record.values.get(name)) if definition else None
    if choice is not None:
        return {"id": choice.id, "value": choice.name}
    # A sponsor's level may be null (9.1); a speaker's empty gender is an object of nulls (8.1).
    return None if record.kind == "sponsors" else {"id": None, "value": None}


def _custom_value(definition: FieldDefinition, value: Any) -> Any:
    if definition.has_many:
        chosen = [definition.choice(each) for each in value or ()]
        return [{"id": choice.id, "value": choice.name} for choice in chosen if choice]
    if not definition.has_choices:
        return "" if value is None else value
    choice = definition.choice(value)
    return {"id": choice.id, "value": choice.name} if choice else {"id": None, "value": None}


def _referred(backend: Backend, session: Record, name: str) -> Record | None:
    kind: Kind = "locations" if name == "location" else "tracks"
    number = session.values[f"{name}_id"]
    return None if number is None else backend.store.get(kind, number)


def _referred_name(name: str) -> _Computed:
    def compute(backend: Backend, session: Record) -> Any:
        target = _referred(backend, session, name)
        return None if target is None else target.values["name"]

    return compute


def session_zone(backend: Backend, session: Record) -> str:
    """The zone a session's times are in: its own, or its event's (`swoogo-api.md` 7.3)."""
    own = session.values["timezone"]
    if own and not session.values["use_event_timezone"]:
        return str(own)
    event = backend.store.get("events", session.event_id or 0)
    return str(event.values["timezone"]) if event is not None else "UTC"


def _times(backend: Backend, session: Record) -> str | None:
    day, start, end = (session.values[name] for name in ("date", "start_time", "end_time"))
    return None if not day or not start else _times_text(day, start, end, session_zone(backend, session))


@lru_cache(maxsize=8192)
def _times_text(day: str, start: str, end: str | None, zone: str) -> str:
    moments = [datetime.fromisoformat(f"{day}T{time}").replace(tzinfo=ZoneInfo(zone)) for time in (start, end) if time]
    return f"{' - '.join(f'{moment:%I:%M %p}' for moment in moments)} ({moments[0]:%Z})"


def _slug(text: object) -> str:
    return re.sub(r"[^a-z0-9]+", "-", str(text or "").lower()).strip("-")


def _link(record: Record) -> str:
    singular = RESOURCES[record.kind].singular
    name = record.values.get("name") or f"{record.values.get('first_name')} {record.values.get('last_name')}"
    return f"https://demo.swoogo.com/event-{record.event_id}/{singular}/{record.id}/{_slug(name)}"


def _picture(backend: Backend, speaker: Record) -> Any:
    own = speaker.values["profile_picture"]
    if own or not backend.switches.contact_picture_on_speaker:
        return own
    contact = backend.store.get("contacts", speaker.values["contact_id"] or 0)
    return None if contact is None else contact.values["profile_picture"]


_COMPUTED: Mapping[tuple[Kind, str], _Computed] = {
    ("sessions", "times_with_timezone"): _times,
    ("sessions", "timezone"): session_zone,
    ("sessions", "location"): _referred_name("location"),
    ("sessions", "track"): _referred_name("track"),
    ("sessions", "session_included"): lambda _, session: session.values["selection_control"] == "included",
    ("sessions", "direct_link"): lambda _, session: _link(session),
    ("sessions", "virtual_link"): lambda _, session: (
        f"https://demo.swoogo.com/event-{session.event_id}/v/s-{session.id}"
    ),
    ("speakers", "direct_link"): lambda _, speaker: _link(speaker),
    ("speakers", "profile_picture"): _picture,
    ("sponsors", "direct_link"): lambda _, sponsor: _link(sponsor),
}
