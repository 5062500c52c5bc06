"""Create, update and delete of records.

A write answers the record as it is afterwards. Fields that are unknown or not writable are dropped without
a word (`swoogo-api.md` 2.2). An update is partial (7.4).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.swoogo.answers import Answer, invalid, refusal
from sandbox.swoogo.backend import Backend, Call, accessible
from sandbox.swoogo.forms import SEVERAL, read_record_form
from sandbox.swoogo.rendering import custom_fields, written
from sandbox.swoogo.resources import PERSONAL, RESOURCES, Attribute, Kind
from sandbox.swoogo.store import Record
from sandbox.swoogo.values import read_custom, read_value

_DROPPED = object()


def create_record(backend: Backend, call: Call) -> Answer:
    """`POST /{resource}/create`."""
    form = read_record_form(call, backend.switches)
    number = form.get("event_id", "")
    if not number.isdigit():
        raise invalid(("event_id", "Event ID cannot be blank." if not number else "Event ID must be an integer."))
    event = accessible(backend, call, "events", int(number))
    values = _checked(backend, call, form, event.id, None)
    if call.kind == "sessions":
        _settle_zone(form, values, str(event.values["timezone"]))
    if call.kind == "speakers":
        values["contact_id"] = contact_for(backend, event.account, values).id
    stamp = backend.stamp()
    values |= {"created_at": stamp, "updated_at": stamp}
    record = backend.store.add(call.kind, values, account=event.account, event_id=event.id)
    answer = written(backend, record, "created")
    if backend.switches.create_answer == "id_only":
        answer = {"id": record.id}
    return Answer(backend.switches.create_status, answer)


def update_record(backend: Backend, call: Call) -> Answer:
    """`PUT /{resource}/update/{id}`."""
    record = accessible(backend, call, call.kind, call.numbers[0])
    form = read_record_form(call, backend.switches)
    if call.kind == "sessions" and backend.switches.session_update_needs_name:
        absent = [name for name in ("event_id", "name") if name not in form]
        if absent:
            raise invalid(*((name, f"{_title(name)} cannot be blank.") for name in absent))
    values = _checked(backend, call, form, record.event_id, record)
    if call.kind == "sessions":
        event = backend.store.get("events", record.event_id or 0)
        _settle_zone(form, values, str(event.values["timezone"]) if event else "UTC")
    changes = {name: value for name, value in values.items() if record.values.get(name) != value}
    if changes or backend.switches.noop_updates_timestamp:
        backend.store.change(record, changes | {"updated_at": backend.stamp()})
    return Answer(200, written(backend, record))


def delete_record(backend: Backend, call: Call) -> Answer:
    """A deletion; path and status are switches. A session that has registrants stays (`swoogo-api.md` 7.5)."""
    record = accessible(backend, call, call.kind, call.numbers[0])
    refuse_registered(backend, record)
    backend.store.remove(record)
    return deleted(backend)


def deleted(backend: Backend) -> Answer:
    """What a deletion or an unlink answers."""
    return Answer(204) if backend.switches.delete_status == 204 else Answer(200, {"success": True})


def refuse_registered(backend: Backend, record: Record) -> None:
    """Raise the business-rule 400 for a session that has registrants (`swoogo-api.md` 4, 7.5)."""
    if record.kind == "sessions" and backend.store.registrants_of(record.id):
        raise refusal(400, "This session cannot be deleted because it has registrants.")


def contact_for(backend: Backend, account: str, values: Mapping[str, Any]) -> Record:
    """The account's contact with the speaker's email, made when there is none (`swoogo-api.md` 8.1)."""
    store = backend.store
    known = store.with_key("contacts", account, values["email"])
    if known and (contact := store.get("contacts", known[0])) is not None:
        return contact
    personal = {name: values[name] for name in PERSONAL if name in values}
    stamp = backend.stamp()
    personal |= {"email": values["email"], "created_at": stamp, "updated_at": stamp}
    return store.add("contacts", personal, account=account)


def _checked(
    backend: Backend, call: Call, form: Mapping[str, str], event_id: int | None, record: Record | None
) -> dict[str, Any]:
    """The values a form sets, or a 422 with everything that is wrong with it."""
    values: dict[str, Any] = {}
    problems: list[tuple[str, str]] = []
    for name, text in form.items():
        try:
            value = _read(backend, call, event_id, name, text)
        except ValueError as error:
            problems.append((name, f"{_title(name)} {error}"))
        else:
            if value is not _DROPPED:
                values[name] = value
    wrong = {name for name, _ in problems}
    problems.extend(
        (attribute.name, f"{_title(attribute.name)} cannot be blank.")
        for attribute in RESOURCES[call.kind].attributes.values()
        if _is_required(backend, call.kind, attribute)
        and attribute.name not in wrong
        and _is_blank(values, attribute.name, record)
    )
    problems.extend(
        (definition.attribute, f"{definition.name} cannot be blank.")
        for definition in custom_fields(backend, call.reader.account, call.kind)
        if definition.required and _is_blank(values, definition.attribute, record)
    )
    problems.extend(_taken(backend, call.kind, values, event_id, record))
    if problems:
        raise invalid(*problems)
    return values


def _read(backend: Backend, call: Call, event_id: int | None, name: str, text: str) -> Any:
    attribute = RESOURCES[call.kind].attributes.get(name)
    definition = None
    if attribute is None or attribute.type == "choice":
        definition = backend.definitions.of(call.reader.account, call.kind).get(name)
    if attribute is None and (definition is None or not (definition.is_custom or "." in name)):
        return _DROPPED
    if definition is not None and (definition.read_only or definition.type in {"upload", "address"}):
        return _DROPPED
    if attribute is not None and not _is_writable(backend, call.kind, attribute):
        return _DROPPED
    if text == "" or text == "null":
        clears = (text == "") == (backend.switches.clear_with == "empty")
        return None if clears else _DROPPED
    if definition is not None:
        return read_custom(definition, text, "," if backend.switches.choices_form == "comma" else SEVERAL)
    return text if attribute is None else read_value(backend, attribute, event_id, text)


def _is_writable(backend: Backend, kind: Kind, attribute: Attribute) -> bool:
    if kind == "speakers" and attribute.name == "profile_picture":
        return backend.switches.profile_picture_write == "url"
    return attribute.writable


def _is_required(backend: Backend, kind: Kind, attribute: Attribute) -> bool:
    if kind == "sessions" and attribute.name == "date":
        return backend.switches.session_date_required
    return attribute.required


def _is_blank(values: Mapping[str, Any], name: str, record: Record | None) -> bool:
    if name in values:
        return values[name] is None or not str(values[name]).strip()
    return record is None


def _taken(
    backend: Backend, kind: Kind, values: Mapping[str, Any], event_id: int | None, record: Record | None
) -> list[tuple[str, str]]:
    switches = backend.switches
    if kind == "speakers" and switches.speaker_email_unique == "refused":
        name = "email"
    elif kind in {"tracks", "locations", "sponsors"} and switches.names_unique == "refused":
        name = "name"
    else:
        return []
    if not values.get(name) or event_id is None:
        return []
    others = [n for n in backend.store.with_key(kind, event_id, values[name]) if record is None or n != record.id]
    return [(name, f'{_title(name)} "{values[name]}" has already been taken.')] if others else []


def _settle_zone(form: Mapping[str, str], values: dict[str, Any], event_zone: str) -> None:
    """A zone sent without the flag decides the flag; without a zone the event's is inherited (7.3)."""
    if values.get("timezone") and "use_event_timezone" not in form:
        values["use_event_timezone"] = values["timezone"] == event_zone


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize().replace("Event id", "Event ID")
