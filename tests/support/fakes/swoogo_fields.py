"""Custom fields of the Swoogo of dictionaries, and their choices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from consumer.adapters.swoogo.watched import watched
from consumer.domain.connections.mapping import MAPPED_KINDS
from consumer.domain.errors import RefusedError
from consumer.domain.fields.definitions import BUILT_IN, Choice, FieldDefinition, FieldDefinitions, Targets, only_named
from consumer.domain.planning.plan import CALL_CREDITS, LIST_CREDITS
from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.ports import Clock, Work
from tests.support.fakes.swoogo_calls import Called, CountedCalls


class FakeFields(CountedCalls):
    """A part of `FakeSwoogo`. `definitions`: kind -> attribute -> field; `define` adds one."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.definitions: dict[Kind, dict[str, FieldDefinition]] = {kind: dict(BUILT_IN[kind]) for kind in MAPPED_KINDS}
        self._last_id = 100

    def define(self, kind: Kind, attribute: str, type_: FieldType, *choices: str, label: str = "") -> FieldDefinition:
        """A custom field, or one in the place of another."""
        self._last_id += 1
        made = tuple(Choice(self._last_id * 100 + number, name) for number, name in enumerate(choices))
        field_id = self.definitions[kind].get(attribute, FieldDefinition(kind, attribute, "", type_)).field_id
        definition = FieldDefinition(
            kind, attribute, label or attribute, type_, type_.value, field_id or self._last_id, choices=made
        )
        self.definitions[kind][attribute] = definition
        return definition

    @watched("look", "event")
    async def read_definitions(self, work: Work, wanted: Targets) -> FieldDefinitions:
        """See `ports.Swoogo`. Choices do not come with the list."""
        fields: dict[Kind, dict[str, FieldDefinition]] = {}
        for kind, names in wanted.items():
            await self._call(work, Called("fields", kind), LIST_CREDITS)
            fields[kind] = {name: replace(held, choices=()) for name, held in self.definitions[kind].items()}
            named = only_named(FieldDefinitions({kind: self.definitions[kind]}), {kind: names})
            for held in named.fields[kind].values():
                if held.has_choices and held.field_id:
                    await self._call(work, Called("field", kind, held.field_id), CALL_CREDITS)
                    fields[kind][held.attribute] = held
        return FieldDefinitions(fields, self._clock.now())

    @watched("create")
    async def add_choices(self, work: Work, kind: Kind, attribute: str, names: Sequence[str]) -> FieldDefinition:
        """See `ports.Swoogo`."""
        known = work.definitions.get(kind, attribute)
        if known is None or not known.field_id or not known.has_choices:
            raise RefusedError("Swoogo shows no field with choices of that name.", field=attribute)
        await self._call(work, Called("field", kind, known.field_id), CALL_CREDITS)
        held = self.definitions[kind][attribute]
        missing = [name for name in names if held.choice(name) is None]
        if missing:
            await self._call(work, Called("add choices", kind, known.field_id), CALL_CREDITS)
            added = []
            for name in missing:
                self._last_id += 1
                added.append(Choice(self._last_id * 100, name))
            held = self.definitions[kind][attribute] = replace(held, choices=(*held.choices, *added))
        ids = {choice.id for choice in known.choices}
        new = tuple(choice for choice in held.choices if choice.id not in ids and known.choice(choice.name) is None)
        wanted = tuple(choice for choice in new if any(held.choice(name) == choice for name in names))
        return replace(known, choices=(*known.choices, *wanted))
