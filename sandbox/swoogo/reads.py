"""Lists and get-one calls of every resource."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from sandbox.swoogo.answers import Answer, invalid, refusal
from sandbox.swoogo.backend import Backend, Call, accessible
from sandbox.swoogo.definitions import FieldDefinition
from sandbox.swoogo.query import Query, parse_query
from sandbox.swoogo.rendering import all_names, custom_fields, expanded, render
from sandbox.swoogo.resources import RESOURCES, Kind
from sandbox.swoogo.search import parse_conditions
from sandbox.swoogo.store import Record

_Row = TypeVar("_Row")


def read_query(backend: Backend, call: Call) -> Query:
    """The call's query under the switches in force."""
    switches = backend.switches
    return parse_query(call.raw_query, encoded_ampersand=switches.encoded_ampersand, cap=switches.per_page_cap)


def list_records(backend: Backend, call: Call) -> Answer:
    """`GET /{resource}`: filtered, sorted, one page of it, sparse unless `fields` says otherwise."""
    query = read_query(backend, call)
    records = _filtered(backend, call, query, _candidates(backend, call, query))
    _sort(backend, records, query.sort)

    def item(record: Record) -> dict[str, Any]:
        names = query.fields or RESOURCES[call.kind].sparse
        if "*" in names:
            names = tuple(all_names(backend, record))
        return render(backend, record, names) | expanded(backend, record, query.expand)

    rows, envelope = paged(records, query, call, overflow=backend.switches.page_overflow)
    return Answer(200, {"items": [item(record) for record in rows]} | envelope)


def get_record(backend: Backend, call: Call) -> Answer:
    """`GET /{resource}/{id}`: all standard attributes unless `fields` says otherwise."""
    query = read_query(backend, call)
    record = accessible(backend, call, call.kind, call.numbers[0])
    names: Sequence[str] = query.fields or RESOURCES[call.kind].standard
    if "*" in names:
        names = all_names(backend, record)
    return Answer(200, render(backend, record, names, "one") | expanded(backend, record, query.expand))


def list_fields(backend: Backend, call: Call) -> Answer:
    """`GET /{resource}/fields`: account-wide definitions; `expand=choices` adds the choices."""
    query = read_query(backend, call)
    parts = backend.switches.address_fields == "parts"
    held = backend.definitions.of(call.reader.account, _field_kind(backend, call)).values()
    definitions = [each for each in held if not (each.type == "address" if parts else "." in each.attribute)]
    if query.ids is not None:
        definitions = [definition for definition in definitions if definition.id in query.ids]
    if query.conditions:
        item_names = frozenset(definitions[0].as_item()) if definitions else frozenset()
        conditions = parse_conditions(query.conditions, call.kind, item_names)
        combine = any if query.join == "or" else all
        definitions = [
            definition
            for definition in definitions
            if not conditions
            or combine(condition.holds(definition.as_item().get(condition.attribute)) for condition in conditions)
        ]

    def item(definition: FieldDefinition) -> dict[str, Any]:
        whole = definition.as_item()
        names = query.fields or ("*",)
        answer = whole if "*" in names else {name: whole[name] for name in names if name in whole}
        shown = "choices" in query.expand and backend.switches.fields_choices == "expanded"
        return answer | ({"choices": definition.as_choices()} if shown else {})

    rows, envelope = paged(definitions, query, call, overflow=backend.switches.page_overflow)
    return Answer(200, {"items": [item(definition) for definition in rows]} | envelope)


def get_field(backend: Backend, call: Call) -> Answer:
    """`GET /{resource}/field/{id}`: the definition with its choices (`swoogo-api.md` 9.2)."""
    return Answer(200, definition_of(backend, call).as_one())


def definition_of(backend: Backend, call: Call) -> FieldDefinition:
    """The definition a path names. Raises a 404 when the account has none of this kind with the id."""
    definition = backend.definitions.get(call.reader.account, call.numbers[0])
    if definition is None or definition.kind != _field_kind(backend, call):
        raise refusal(404, f"Field not found: {call.numbers[0]}")
    return definition


def _field_kind(backend: Backend, call: Call) -> Kind:
    """Whose fields a path lists. Raises a 404 where speakers have those of contacts and no path of their own."""
    if backend.switches.speaker_fields == "contacts":
        if call.kind == "speakers":
            raise refusal(404, "Page not found.")
        if call.kind == "contacts":
            return "speakers"
    return call.kind


def paged(rows: Sequence[_Row], query: Query, call: Call, *, overflow: str) -> tuple[Sequence[_Row], dict[str, Any]]:
    """One page of rows, and `_links` and `_meta` (`swoogo-api.md` 2.3)."""
    size, pages = query.per_page, -(-len(rows) // query.per_page)
    page = query.page
    if overflow == "last_page":
        page = max(1, min(page, pages))

    def href(number: int) -> dict[str, str]:
        parts = [*query.others, f"page={number}", f"per-page={size}"]
        return {"href": f"{call.path.lstrip('/')}?{'&'.join(parts)}"}

    links = {"self": href(page), "first": href(1), "last": href(max(1, pages))}
    if page < pages:
        links["next"] = href(page + 1)
    if page > 1:
        links["prev"] = href(page - 1)
    meta = {"totalCount": len(rows), "pageCount": pages, "currentPage": page, "perPage": size}
    return rows[(page - 1) * size : page * size], {"_links": links, "_meta": meta}


def _candidates(backend: Backend, call: Call, query: Query) -> Iterable[Record]:
    kind, reader, store = call.kind, call.reader, backend.store
    if not RESOURCES[kind].per_event:
        return [record for record in store.of_account(reader.account, kind).values() if reader.sees(record)]
    if query.event_id is not None:
        if not query.event_id.isdigit():
            raise refusal(400, "event_id must be an integer.")
        return store.of_event(accessible(backend, call, "events", int(query.event_id)).id, kind).values()
    if query.ids is not None and not backend.switches.ids_needs_event:
        found = (store.get(kind, number) for number in query.ids)
        return [record for record in found if record is not None and reader.sees(record)]
    if backend.switches.missing_event_status == 422:
        raise invalid(("event_id", "Event ID cannot be blank."))
    raise refusal(400, "Missing required parameters: event_id")


def _filtered(backend: Backend, call: Call, query: Query, records: Iterable[Record]) -> list[Record]:
    if query.ids is not None:
        records = [record for record in records if record.id in query.ids]
    if not query.conditions:
        return list(records)
    custom = frozenset(each.attribute for each in custom_fields(backend, call.reader.account, call.kind))
    conditions = parse_conditions(query.conditions, call.kind, custom)
    if not conditions:
        return list(records)
    names = {condition.attribute for condition in conditions}
    combine = any if query.join == "or" else all

    def holds(record: Record) -> bool:
        values = {"event_id": record.event_id} | render(backend, record, names)
        return combine(condition.holds(values.get(condition.attribute)) for condition in conditions)

    return [record for record in records if holds(record)]


def _sort(backend: Backend, records: list[Record], keys: Sequence[str]) -> None:
    records.sort(key=lambda record: record.id)
    for key in reversed(keys):
        name = key.removeprefix("-")

        def rank(record: Record, name: str = name) -> tuple[bool, Any]:
            value = render(backend, record, (name,)).get(name)
            if isinstance(value, dict):
                value = value.get("value")
            return value is not None, value.casefold() if isinstance(value, str) else value or 0

        records.sort(key=rank, reverse=key.startswith("-"))
