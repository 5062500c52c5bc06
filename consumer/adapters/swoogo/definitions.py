"""Field definitions as Swoogo lists them, and choices added to a field (F3, F5; `swoogo-api.md 9.2`).

What the list does not show is found another way: choices by a call for each field, speakers' fields as those of
contacts, documented attributes in `domain.fields.definitions`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from consumer.adapters.swoogo.calls import Call, Caller
from consumer.adapters.swoogo.choices import Choices, Field, choices_of
from consumer.adapters.swoogo.listing import items_of
from consumer.adapters.swoogo.wire import RESOURCES, record_id, text
from consumer.domain.errors import MissingError, RefusedError, UnavailableError
from consumer.domain.fields.definitions import (
    ADDRESS_PARTS,
    BUILT_IN,
    Choice,
    FieldDefinition,
    FieldDefinitions,
    Targets,
    only_named,
)
from consumer.domain.planning.plan import LIST_CREDITS
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.ports import Work

_PAGE: Final = 200
_MOST_PAGES: Final = 20
_ADDRESS: Final = "address"
_TYPES: Final = {
    "textInput": FieldType.TEXT,
    "textArea": FieldType.LONG_TEXT,
    "radioList": FieldType.CHOICE,
    "dropDownList": FieldType.CHOICE,
    "checkboxList": FieldType.CHOICES,
    "checkbox": FieldType.CHECKBOX,
    "email": FieldType.EMAIL,
    "date": FieldType.DATE,
    "time": FieldType.TIME,
    "datetime": FieldType.DATETIME,
    "phone": FieldType.PHONE,
    "number": FieldType.NUMBER,
    "url": FieldType.URL,
    "upload": FieldType.FILE,
}
"""Swoogo's types as far as they have been seen (`swoogo-api.md 9.2, 13`) or are likely; others are never written."""


class Definitions:
    """Definitions of all accounts. `paths`: where the fields of a kind were found last."""

    def __init__(self, caller: Caller, choices: Choices) -> None:
        self._caller = caller
        self._choices = choices
        self._paths: dict[Kind, str] = {}

    async def read(self, work: Work, wanted: Targets) -> FieldDefinitions:
        """The fields of these kinds, and the choices of the attributes named.

        Raises:
            UnavailableError: an answer is no list of fields.
        """
        fields = {kind: await self._kind(work, kind, names) for kind, names in wanted.items()}
        return FieldDefinitions(fields, self._choices.clock.now())

    async def add(self, work: Work, kind: Kind, attribute: str, names: Sequence[str]) -> FieldDefinition:
        """The field with these choices, each added when it is not there. Raises what `Choices.add` raises."""
        held = work.definitions.get(kind, attribute)
        if held is None or not held.field_id or not held.has_choices:
            raise RefusedError("Swoogo shows no field with choices of that name.", field=attribute)
        added = await self._choices.add(work, self._field(held), names)
        known = {choice.id: choice for choice in held.choices}
        # Under the name that was asked for, which Swoogo may have stored otherwise.
        news = {identifier: Choice(identifier, name) for name, identifier in added.items() if identifier not in known}
        return replace(held, choices=(*held.choices, *news.values()))

    async def _kind(self, work: Work, kind: Kind, wanted: tuple[str, ...]) -> dict[str, FieldDefinition]:
        found = dict(BUILT_IN[kind])
        try:
            rows = await self._rows(work, kind)
        except RefusedError:
            return found
        # One may be there with no choices yet.
        shown = {text(row.get("attribute")) for row in rows if "choices" in row}
        for row in rows:
            for definition in _definitions(kind, row):
                found[definition.attribute] = definition
        for held in only_named(FieldDefinitions({kind: found}), {kind: wanted}).fields[kind].values():
            if held.has_choices and held.field_id and held.attribute not in shown:
                body = await self._choices.read(work, self._field(held))
                found[held.attribute] = replace(held, choices=_choices(body))
        return found

    async def _rows(self, work: Work, kind: Kind) -> list[Mapping[str, Any]]:
        path = self._paths.get(kind, RESOURCES[kind].path)
        try:
            rows = await self._pages(work, path)
        except MissingError:
            # Fields of speakers are documented nowhere; the one public client reads those of contacts (9.2, row 32).
            if kind is not Kind.SPEAKER or path != "speakers":
                raise
            path = "contacts"
            rows = await self._pages(work, path)
        self._paths[kind] = path
        return rows

    async def _pages(self, work: Work, path: str) -> list[Mapping[str, Any]]:
        """Every page; one beyond the last repeats it or is empty, and ends it all the same."""
        rows: dict[int, Mapping[str, Any]] = {}
        what = f"the fields of {path}"
        for page in range(1, _MOST_PAGES + 1):
            url = f"/{path}/fields?expand=choices&per-page={_PAGE}&page={page}"
            body = await self._caller.call(work, Call(what, "GET", url, cost=LIST_CREDITS))
            items = items_of(body.get("items")) if isinstance(body, Mapping) else None
            if items is None or not isinstance(body, Mapping):
                raise UnavailableError(f"Swoogo answered {what} with something that is no list.")
            found = {record_id(item.get("id")): item for item in items if isinstance(item, Mapping)}
            news = {number: item for number, item in found.items() if number and number not in rows}
            rows.update(news)
            meta = body.get("_meta")
            total = record_id(meta.get("totalCount")) if isinstance(meta, Mapping) else None
            if not news or len(rows) >= (total or 0):
                break
        return list(rows.values())

    def _field(self, held: FieldDefinition) -> Field:
        path = self._paths.get(held.kind, RESOURCES[held.kind].path)
        return Field(path, held.field_id, held.attribute, f"choice of {held.label}")


def _definitions(kind: Kind, row: Mapping[str, Any]) -> list[FieldDefinition]:
    """One field, or the parts of an address; none for a row without an attribute."""
    attribute, native = text(row.get("attribute")), text(row.get("type"))
    if not attribute:
        return []
    label = text(row.get("name")).strip() or attribute
    if native == _ADDRESS:
        return [
            FieldDefinition(kind, f"{attribute}.{part}", f"{label}: {part}", FieldType.TEXT, native)
            for part in ADDRESS_PARTS
        ]
    known = BUILT_IN[kind].get(attribute)
    type_ = _TYPES.get(native, FieldType.UNKNOWN)
    if row.get("allow_html") in {True, "1"} and type_ in {FieldType.TEXT, FieldType.LONG_TEXT}:
        type_ = FieldType.HTML
    definition = FieldDefinition(
        kind,
        attribute,
        label,
        type_,
        native,
        record_id(row.get("id")) or 0,
        required=text(row.get("required")) == "1",
        choices=_choices(row),
    )
    if known is None:
        return [definition]
    # What a document says of the type and of who writes the attribute counts more than how its form looks.
    return [
        replace(
            definition,
            type=type_ if known.has_choices and definition.has_choices else known.type,
            required=known.required or definition.required,
            read_only=known.read_only,
        )
    ]


def _choices(field: Mapping[str, Any]) -> tuple[Choice, ...]:
    return tuple(Choice(identifier, name) for identifier, name in choices_of(field).items())
