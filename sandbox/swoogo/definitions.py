"""Field definitions and their choices, account-wide (`swoogo-api.md` 9.2).

A choice is written as its id and read as `{id, value}`; names of choices are not unique.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.swoogo.resources import RESOURCES, Kind

CHOICE_TYPES = frozenset({"dropDownList", "radioList", "checkboxList"})
CREATABLE_TYPES = CHOICE_TYPES | {
    *("textInput", "textArea", "email", "date", "time", "phone", "url", "number", "checkbox", "upload")
}
ADDRESS_PARTS = ("line_1", "line_2", "city", "state", "zip", "country_code")
FIELD_KINDS: tuple[Kind, ...] = ("events", "sessions", "speakers", "sponsors", "contacts")
_BUILT_IN_CHOICES: Mapping[tuple[Kind, str], tuple[str, ...]] = {
    ("sponsors", "level"): (),
    ("speakers", "gender"): ("Male", "Female", "Other"),
    ("contacts", "gender"): ("Male", "Female", "Other"),
}
_TYPE_NAMES: Mapping[str, str] = {
    "html": "textArea",
    "choice": "dropDownList",
    "date": "date",
    "time": "time",
    "integer": "number",
    "email": "email",
    "flag": "checkbox",
    "address": "address",
}


@dataclass(slots=True)
class Choice:
    """One choice of a field."""

    id: int
    name: str


@dataclass(slots=True)
class FieldDefinition:
    """One field of a resource; `attribute` is its key in data, `c_<id>` when it is a custom one.

    A `read_only` one is dropped from writes without a word; no definition says so. The parts of an address have
    definitions of their own, and so has the whole.
    """

    id: int
    kind: Kind
    attribute: str
    name: str
    type: str
    sort: int
    visible: bool = True
    required: bool = False
    read_only: bool = False
    choices: list[Choice] = field(default_factory=list)

    @property
    def is_custom(self) -> bool:
        """Whether an organizer made the field."""
        return self.attribute.startswith("c_")

    @property
    def has_choices(self) -> bool:
        """Whether values are choice ids."""
        return self.type in CHOICE_TYPES

    @property
    def has_many(self) -> bool:
        """Whether a value is several choice ids."""
        return self.type == "checkboxList"

    def choice(self, choice_id: object) -> Choice | None:
        """The choice with this id, or None."""
        return next((choice for choice in self.choices if choice.id == choice_id), None)

    def as_item(self) -> dict[str, Any]:
        """The documented keys of the fields list."""
        return {
            "id": self.id,
            "attribute": self.attribute,
            "name": self.name,
            "s_hint": None,
            "type": self.type,
            "visible": self.visible,
            "required": self.required,
            "sort": self.sort,
            "allow_html": False,
            "s_url_display_format": None,
            "s_button_text": None,
            "s_url_image_id": None,
            "s_max_links": None,
            "s_link_collection_fields": None,
        }

    def as_choices(self) -> list[dict[str, Any]]:
        """Choices with `sort` numbered from 0."""
        return [{"id": choice.id, "name": choice.name, "sort": n} for n, choice in enumerate(self.choices)]

    def as_one(self) -> dict[str, Any]:
        """The answer of get-one and update, with choices."""
        return {
            "allow_html": False,
            "attribute": self.attribute,
            "choices": self.as_choices(),
            "id": self.id,
            "name": self.name,
            "required": self.required,
            "settings": None,
            "sort": self.sort,
            "type": self.type,
            "visible": self.visible,
        }


class Definitions:
    """Every account's field definitions; an account starts with the built-in ones."""

    def __init__(self) -> None:
        self._by_id: dict[str, dict[int, FieldDefinition]] = {}
        self._by_attribute: dict[tuple[str, Kind], dict[str, FieldDefinition]] = defaultdict(dict)
        self._next_field = 801
        self._next_choice = 5_001

    def of(self, account: str, kind: Kind) -> Mapping[str, FieldDefinition]:
        """Definitions of a resource by attribute."""
        self._furnish(account)
        return self._by_attribute[account, kind]

    def get(self, account: str, field_id: int) -> FieldDefinition | None:
        """The definition with this id, or None."""
        self._furnish(account)
        return self._by_id[account].get(field_id)

    def add(
        self, account: str, kind: Kind, *, name: str, field_type: str, choices: Iterable[str] = ()
    ) -> FieldDefinition:
        """A new custom field; its attribute is `c_<id>`."""
        self._furnish(account)
        return self._create(account, kind, f"c_{self._next_field}", name, field_type, choices)

    def remove(self, definition: FieldDefinition, account: str) -> None:
        """Forget a field; its values are no longer read or written."""
        del self._by_attribute[account, definition.kind][definition.attribute]
        del self._by_id[account][definition.id]

    def add_choice(self, definition: FieldDefinition, name: str) -> Choice:
        """Append a choice with an id of its own, whatever its name."""
        choice = Choice(self._next_choice, name)
        self._next_choice += 1
        definition.choices.append(choice)
        return choice

    def custom(self, account: str, kind: Kind) -> list[FieldDefinition]:
        """The custom fields of a resource."""
        return [definition for definition in self.of(account, kind).values() if definition.is_custom]

    def _furnish(self, account: str) -> None:
        if account in self._by_id:
            return
        self._by_id[account] = {}
        for kind in FIELD_KINDS:
            for attribute in RESOURCES[kind].attributes.values():
                if attribute.writable:
                    title = attribute.name.replace("_", " ").capitalize()
                    type_name = _TYPE_NAMES.get(attribute.type, "textInput")
                    choices = _BUILT_IN_CHOICES.get((kind, attribute.name), ())
                    self._create(account, kind, attribute.name, title, type_name, choices)
                    for part in ADDRESS_PARTS if attribute.type == "address" else ():
                        self._create(account, kind, f"{attribute.name}.{part}", f"{title}: {part}", "textInput", ())

    def _create(
        self, account: str, kind: Kind, attribute: str, name: str, field_type: str, choices: Iterable[str]
    ) -> FieldDefinition:
        siblings = self._by_attribute[account, kind]
        definition = FieldDefinition(self._next_field, kind, attribute, name, field_type, len(siblings))
        self._next_field += 1
        siblings[attribute] = definition
        self._by_id[account][definition.id] = definition
        for choice in choices:
            self.add_choice(definition, choice)
        return definition
