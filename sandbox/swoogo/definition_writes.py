"""Writes of field definitions; JSON bodies (`swoogo-api.md` 9.2)."""

from __future__ import annotations

from typing import Any

from sandbox.swoogo.answers import Answer, invalid
from sandbox.swoogo.backend import Backend, Call
from sandbox.swoogo.definitions import CREATABLE_TYPES, FieldDefinition
from sandbox.swoogo.forms import read_json
from sandbox.swoogo.reads import definition_of
from sandbox.swoogo.stored import stored_text


def update_field(backend: Backend, call: Call) -> Answer:
    """`PUT /{resource}/field/{id}`: add, rename and remove choices.

    `{name}` adds one, `{id, name}` renames one, `{id, delete: true}` removes one, and choices that are not
    listed stay. Nothing is changed when one of them is wrong.
    """
    definition = definition_of(backend, call)
    body = read_json(call)
    name, choices = body.get("name"), body.get("choices", [])
    if name is not None and (not isinstance(name, str) or not name.strip()):
        raise invalid(("name", "Name cannot be blank."))
    if not isinstance(choices, list) or not all(isinstance(entry, dict) for entry in choices):
        raise invalid(("choices", "Choices must be an array of objects."))
    if choices and not definition.has_choices:
        raise invalid(("choices", "This field has no choices."))
    for entry in choices:
        _check(definition, entry)
    if name is not None:
        definition.name = name
    for entry in choices:
        _apply(backend, definition, entry)
    return Answer(200, definition.as_one())


def create_field(backend: Backend, call: Call) -> Answer:
    """`POST /{resource}/field`: a custom field with name, type and choices."""
    body = read_json(call)
    name, field_type = body.get("name"), body.get("type")
    if not isinstance(name, str) or not name.strip():
        raise invalid(("name", "Name cannot be blank."))
    if field_type not in CREATABLE_TYPES:
        raise invalid(("type", f"Type is one of {', '.join(sorted(CREATABLE_TYPES))}."))
    choices = [str(entry["name"]) for entry in body.get("choices", []) if "name" in entry]
    definition = backend.definitions.add(
        call.reader.account, call.kind, name=name, field_type=str(field_type), choices=choices
    )
    return Answer(backend.switches.create_status, definition.as_one())


def _choice_id(entry: dict[str, Any]) -> int | None:
    text = str(entry.get("id", ""))
    return int(text) if text.isdigit() else None


def _check(definition: FieldDefinition, entry: dict[str, Any]) -> None:
    if "id" in entry and definition.choice(_choice_id(entry)) is None:
        raise invalid(("choices", f"Choice {entry['id']} is invalid."))
    if entry.get("delete") is not True and not str(entry.get("name") or "").strip():
        raise invalid(("choices", "Choice name cannot be blank."))


def _apply(backend: Backend, definition: FieldDefinition, entry: dict[str, Any]) -> None:
    choice = definition.choice(_choice_id(entry))
    if choice is None:
        if "id" not in entry:
            backend.definitions.add_choice(definition, stored_text(backend.switches, str(entry["name"])))
    elif entry.get("delete") is True:
        definition.choices.remove(choice)
    else:
        choice.name = stored_text(backend.switches, str(entry["name"]))
