"""What a person does in Swoogo's own pages, and how a test puts records there: no credits, no calls.

Values are JSON values under the attribute names of the API; read-only ones may be set too. `level` and other
choices are given as an id, or as a name that is looked up and added when absent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.swoogo.accounts import DEFAULT_ACCOUNT, Credential
from sandbox.swoogo.answers import ApiError, ControlError
from sandbox.swoogo.backend import Backend
from sandbox.swoogo.definitions import CREATABLE_TYPES, FIELD_KINDS, FieldDefinition
from sandbox.swoogo.resources import RESOURCES, Kind
from sandbox.swoogo.store import Record
from sandbox.swoogo.writes import contact_for, refuse_registered

_SEED_ORDER: tuple[Kind, ...] = (
    "events",
    "locations",
    "tracks",
    "contacts",
    "sessions",
    "speakers",
    "sponsors",
)


def seed(backend: Backend, content: Mapping[str, Any]) -> dict[str, list[int]]:
    """Put credentials, fields, records and links there; returns the ids made, by kind.

    Every part is optional. Credentials are `{key, secret, account?, events?}`; fields
    `{resource, attribute? | name, type?, choices?, required?, read_only?, account?}`; records take their
    attributes, with `id` to choose one; speakers take `sessions` (ids); links are `{speaker_id, session_id}`.
    Raises ControlError.
    """
    unknown = set(content) - {"credentials", "fields", "links", *_SEED_ORDER}
    if unknown:
        raise ControlError(f"a seed has no {', '.join(sorted(unknown))}")
    for entry in content.get("credentials", ()):
        backend.accounts.admit(_credential(entry))
    made: dict[str, list[int]] = {}
    if "fields" in content:
        made["fields"] = [_define(backend, entry).id for entry in content["fields"]]
    for kind in _SEED_ORDER:
        if kind in content:
            made[kind] = [create(backend, kind, entry).id for entry in content[kind]]
    for entry in content.get("links", ()):
        link(backend, entry["speaker_id"], [entry["session_id"]])
    return made


def create(backend: Backend, kind: Kind, values: Mapping[str, Any]) -> Record:
    """A new record. Raises ControlError for an unknown attribute, event or id that is taken."""
    given = dict(values)
    record_id, account = given.pop("id", None), str(given.pop("account", DEFAULT_ACCOUNT))
    linked = given.pop("sessions", []) if kind == "speakers" else []
    event_id = given.pop("event_id", None) if RESOURCES[kind].per_event else None
    if RESOURCES[kind].per_event:
        event = backend.store.get("events", event_id) if isinstance(event_id, int) else None
        if event is None:
            raise ControlError(f"{kind} need an event_id that is there, not {event_id!r}")
        account = event.account
    stamp = backend.stamp()
    stored = {"created_at": stamp, "updated_at": stamp} | _stored(backend, account, kind, given)
    if kind == "sessions" and stored.get("timezone"):
        stored.setdefault("use_event_timezone", False)
    if kind == "speakers" and stored.get("contact_id") is None:
        stored.setdefault("email", "")
        stored["contact_id"] = contact_for(backend, account, stored).id
    try:
        record = backend.store.add(kind, stored, account=account, event_id=event_id, record_id=record_id)
    except ValueError as error:
        raise ControlError(str(error)) from error
    if linked:
        link(backend, record.id, linked)
    return record


def edit(backend: Backend, kind: Kind, record_id: int, values: Mapping[str, Any]) -> Record:
    """Change a record by hand; `updated_at` moves unless it is given. Raises ControlError."""
    record = found(backend, kind, record_id)
    changes = {"updated_at": backend.stamp()} | _stored(backend, record.account, kind, values)
    backend.store.change(record, changes)
    return record


def delete(backend: Backend, kind: Kind, record_id: int) -> None:
    """Delete a record by hand; a session that has registrants stays, with a ControlError."""
    record = found(backend, kind, record_id)
    try:
        refuse_registered(backend, record)
    except ApiError as error:
        raise ControlError(error.answer.body["message"]) from error
    backend.store.remove(record)


def link(backend: Backend, speaker_id: int, session_ids: list[int]) -> None:
    """Put a speaker on sessions of its event by hand. Raises ControlError."""
    speaker = found(backend, "speakers", speaker_id)
    sessions = [found(backend, "sessions", session_id) for session_id in session_ids]
    if any(session.event_id != speaker.event_id for session in sessions):
        raise ControlError(f"speaker {speaker_id} is of another event than one of {session_ids}")
    for session in sessions:
        backend.store.link(speaker_id, session.id)


def unlink(backend: Backend, speaker_id: int, session_ids: list[int]) -> None:
    """Take a speaker off sessions by hand."""
    for session_id in session_ids:
        backend.store.unlink(found(backend, "speakers", speaker_id).id, session_id)


def register(backend: Backend, session_id: int, count: int) -> list[int]:
    """Put new registrants on a session; returns their ids. Raises ControlError."""
    found(backend, "sessions", session_id)
    return [backend.store.register(session_id) for _ in range(count)]


def found(backend: Backend, kind: Kind, record_id: int) -> Record:
    """The record. Raises ControlError when it is not there."""
    record = backend.store.get(kind, record_id)
    if record is None:
        raise ControlError(f"there is no {RESOURCES[kind].singular} {record_id}")
    return record


def kind_of(name: object) -> Kind:
    """The kind a text names. Raises ControlError."""
    for kind in RESOURCES:
        if kind == name:
            return kind
    raise ControlError(f"kind is one of {', '.join(RESOURCES)}, not {name!r}")


def _stored(backend: Backend, account: str, kind: Kind, values: Mapping[str, Any]) -> dict[str, Any]:
    attributes = RESOURCES[kind].attributes
    definitions = {} if kind in {"locations", "tracks"} else backend.definitions.of(account, kind)
    stored: dict[str, Any] = {}
    for name, value in values.items():
        attribute, definition = attributes.get(name), definitions.get(name)
        custom = definition is not None and (definition.is_custom or "." in name)
        if name in {"id", "event_id"} or not (custom or (attribute and attribute.type != "derived")):
            raise ControlError(f"{kind} have no {name} that can be set")
        takes_choice = definition is not None and definition.has_choices
        if definition and definition.has_many:
            stored[name] = [_choice(backend, definition, each) for each in value or ()]
        else:
            stored[name] = _choice(backend, definition, value) if definition and takes_choice else value
    return stored


def _choice(backend: Backend, definition: FieldDefinition, value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, str):
        named = next((choice for choice in definition.choices if choice.name == value), None)
        return (named or backend.definitions.add_choice(definition, value)).id
    if definition.choice(value) is None:
        raise ControlError(f"{value!r} is no choice of {definition.attribute}")
    return int(value)


def _credential(entry: Mapping[str, Any]) -> Credential:
    events = entry.get("events")
    return Credential(
        key=str(entry["key"]),
        secret=str(entry["secret"]),
        account=str(entry.get("account", DEFAULT_ACCOUNT)),
        events=None if events is None else frozenset(int(number) for number in events),
    )


def _define(backend: Backend, entry: Mapping[str, Any]) -> FieldDefinition:
    account, kind = str(entry.get("account", DEFAULT_ACCOUNT)), kind_of(entry.get("resource"))
    if kind not in FIELD_KINDS:
        raise ControlError(f"{kind} have no fields to define")
    known = backend.definitions.of(account, kind).get(str(entry.get("attribute")))
    if known is not None:
        for name in entry.get("choices", ()):
            backend.definitions.add_choice(known, str(name))
        return known
    field_type = entry.get("type", "textInput")
    if field_type not in CREATABLE_TYPES or "name" not in entry:
        raise ControlError(f"a custom field has a name and a type of {', '.join(sorted(CREATABLE_TYPES))}")
    choices = [str(name) for name in entry.get("choices", ())]
    made = backend.definitions.add(account, kind, name=entry["name"], field_type=field_type, choices=choices)
    made.required, made.read_only = bool(entry.get("required")), bool(entry.get("read_only"))
    return made


def alter_field(backend: Backend, entry: Mapping[str, Any]) -> None:
    """Change a field by hand.

    `{resource, attribute, account?}` and of `{name, type, required, read_only, add_choices, remove_choices, remove}`
    what changes; choices by their names. Raises ControlError.
    """
    account, kind = str(entry.get("account", DEFAULT_ACCOUNT)), kind_of(entry.get("resource"))
    definition = backend.definitions.of(account, kind).get(str(entry.get("attribute")))
    if definition is None:
        raise ControlError(f"{kind} have no field {entry.get('attribute')!r}")
    if entry.get("remove"):
        backend.definitions.remove(definition, account)
    for name in ("name", "type", "required", "read_only"):
        setattr(definition, name, entry.get(name, getattr(definition, name)))
    definition.choices = [each for each in definition.choices if each.name not in entry.get("remove_choices", ())]
    for name in entry.get("add_choices", ()):
        backend.definitions.add_choice(definition, str(name))
