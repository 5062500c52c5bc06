"""Fields as Swoogo defines them: what a field map may name, and what became of it since (F2, F3, F5).

A definition is account-wide (`swoogo-api.md 9.2`). Swoogo lists neither which fields are read-only nor how long a
value may be: the first is known of the documented attributes, the second by `max_length` where a document says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from consumer.domain.records.field_values import FieldType
from consumer.domain.records.identity import Kind
from consumer.domain.records.text import natural_name

Targets = Mapping[Kind, tuple[str, ...]]
"""Kind -> attributes or labels, in order: the fields that a map sets (F2)."""

EVERY: Final = ("*",)
"""Names every field of a kind."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of a field. It is written by its id; names are not unique (`swoogo-api.md 9.2`)."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class FieldDefinition:
    """One field of a kind.

    Attributes:
        attribute: its key in data: `name`, `c_1234`, or `workAddress.line_2` for a part of a nested one.
        label: what people call it in Swoogo; editable there.
        type: what its values are. A choice is written as its id, several as ids joined by commas, a checkbox as 1 or 0.
        field_id: of the definition, which choices are added by; 0 when Swoogo does not list the field.
        choices: of a choice field; empty as well when they were not asked for.
        max_length: characters, where a document names it.
    """

    kind: Kind
    attribute: str
    label: str
    type: FieldType
    native_type: str = ""
    field_id: int = 0
    required: bool = False
    read_only: bool = False
    choices: tuple[Choice, ...] = ()
    max_length: int | None = None

    @property
    def parent(self) -> str:
        """The nested attribute it is a part of (`workAddress`); "" for others."""
        return self.attribute.partition(".")[0] if "." in self.attribute else ""

    @property
    def is_custom(self) -> bool:
        return self.attribute.startswith("c_")

    @property
    def has_choices(self) -> bool:
        return self.type in {FieldType.CHOICE, FieldType.CHOICES}

    def choice(self, name: str) -> Choice | None:
        """The choice of that name, trimmed and without regard to case; the oldest of several (F3)."""
        wanted = natural_name(name)
        found = [each for each in self.choices if wanted and natural_name(each.name) == wanted]
        return min(found, key=lambda each: each.id, default=None)


@dataclass(frozen=True, slots=True)
class FieldDefinitions:
    """One reading: kind -> attribute -> definition, for the kinds that were read. `read_at`: ms since the epoch."""

    fields: Mapping[Kind, Mapping[str, FieldDefinition]] = field(default_factory=dict)
    read_at: int = 0

    def get(self, kind: Kind, attribute: str) -> FieldDefinition | None:
        """The definition of an attribute, None when there is none or the kind was not read."""
        return self.fields.get(kind, {}).get(attribute)

    def with_field(self, definition: FieldDefinition) -> FieldDefinitions:
        held = {**self.fields.get(definition.kind, {}), definition.attribute: definition}
        return FieldDefinitions({**self.fields, definition.kind: held}, self.read_at)


@dataclass(frozen=True, slots=True)
class KeptDefinitions:
    """What is kept of an event: the fields its map targets, when the map came and as last read.

    Attributes:
        targets: kind -> attributes of the map they were read for.
        first: the reading of then, which a pair stays compared with until the mapping is published again (F5).
        last: the newest reading, with choices added since.
        published: stamp of the mapping they were read for; "" when it was not known.
    """

    targets: Targets
    first: FieldDefinitions
    last: FieldDefinitions
    published: str = ""


def only_named(read: FieldDefinitions, wanted: Targets) -> FieldDefinitions:
    """Of a reading the fields that are named, by attribute or label (F2)."""

    def named(kind: Kind, definition: FieldDefinition) -> bool:
        names = wanted.get(kind, ())
        if names == EVERY:
            return True
        return definition.attribute in names or any(natural_name(definition.label) == natural_name(n) for n in names)

    fields = {
        kind: {name: each for name, each in held.items() if named(kind, each)} for kind, held in read.fields.items()
    }
    return FieldDefinitions(fields, read.read_at)


class Alteration(StrEnum):
    """How a field is not what it was (F5)."""

    REMOVED = "removed"
    RETYPED = "retyped"
    RENAMED = "renamed"
    CHOICE_REMOVED = "choice_removed"


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that is not what it was. `before` and `after` are labels, types or choice names; `after` can be ""."""

    kind: Kind
    attribute: str
    what: Alteration
    before: str
    after: str = ""


def compare(before: FieldDefinitions, now: FieldDefinitions) -> tuple[FieldChange, ...]:
    """What became of the fields of `before`; kinds that `now` did not read are left out, as are new fields."""
    return tuple(
        change
        for kind, fields in before.fields.items()
        if kind in now.fields
        for held in fields.values()
        for change in _changes(held, now.get(kind, held.attribute))
    )


def _changes(before: FieldDefinition, now: FieldDefinition | None) -> list[FieldChange]:
    kind, attribute = before.kind, before.attribute
    if now is None:
        return [FieldChange(kind, attribute, Alteration.REMOVED, before.label)]
    found = []
    if now.type is not before.type:
        types = before.native_type or before.type, now.native_type or now.type
        found.append(FieldChange(kind, attribute, Alteration.RETYPED, *types))
    if now.label != before.label:
        found.append(FieldChange(kind, attribute, Alteration.RENAMED, before.label, now.label))
    # A field that was read without its choices says nothing about them.
    if now.has_choices and now.choices:
        left = {choice.id for choice in now.choices}
        gone = (choice for choice in before.choices if choice.id not in left)
        found += [FieldChange(kind, attribute, Alteration.CHOICE_REMOVED, choice.name) for choice in gone]
    return found


ADDRESS_PARTS: Final = ("line_1", "line_2", "city", "state", "zip", "country_code")
"""Parts of a nested address; Sessionboard's maps show `line_2` (`sessionboard.md A.11`), the rest is likely."""

_T: Final = FieldType
_REQUIRED: Final = {
    Kind.SESSION: {"name"},
    Kind.SPEAKER: {"email", "first_name", "last_name"},
    Kind.SPONSOR: {"name"},
}
_READ_ONLY: Final = {
    Kind.SESSION: (
        *("id", "event_id", "notes", "times_with_timezone", "session_included", "type_id", "direct_link"),
        *("virtual_link", "location", "track", "created_at", "updated_at"),
    ),
    Kind.SPEAKER: ("id", "event_id", "contact_id", "cfs_speaker", "direct_link", "created_at", "updated_at"),
    Kind.SPONSOR: ("id", "event_id", "direct_link", "created_at", "updated_at"),
}
_WRITABLE: Final[Mapping[Kind, Mapping[str, FieldType]]] = {
    Kind.SESSION: {
        **dict.fromkeys(("name", "admin_short_name", "badge_name", "sold_out_message", "secure_id"), _T.TEXT),
        "description": _T.HTML,
        "date": _T.DATE,
        **dict.fromkeys(("start_time", "end_time"), _T.TIME),
        **dict.fromkeys(("capacity", "location_id", "track_id"), _T.NUMBER),
        **dict.fromkeys(("timezone", "session_status", "selection_control"), _T.TEXT),
        **dict.fromkeys(("locked_when_saved", "selected_by_default", "prevent_session_conflicts"), _T.CHECKBOX),
        "use_event_timezone": _T.CHECKBOX,
        "webinar_url": _T.URL,
    },
    Kind.SPEAKER: {
        **dict.fromkeys(("first_name", "middle_name", "last_name", "prefix", "suffix"), _T.TEXT),
        **dict.fromkeys(("company", "job_title", "twitter_handle", "vat_number"), _T.TEXT),
        **dict.fromkeys(("email", "cc_email"), _T.EMAIL),
        **dict.fromkeys(("work_phone", "mobile_phone"), _T.PHONE),
        "bio": _T.HTML,
        "profile_picture": _T.URL,
        "gender": _T.CHOICE,
        "birth_date": _T.DATE,
        "event_sort": _T.NUMBER,
        **dict.fromkeys((f"workAddress.{part}" for part in ADDRESS_PARTS), _T.TEXT),
    },
    Kind.SPONSOR: {
        **dict.fromkeys(("name", "notes"), _T.TEXT),
        "description": _T.HTML,
        **dict.fromkeys(("website", "webinar_url", "video_url"), _T.URL),
        "level": _T.CHOICE,
        "logo_id": _T.FILE,
    },
}


def _fields(kind: Kind) -> dict[str, FieldDefinition]:
    found = {
        name: FieldDefinition(kind, name, label(name), type_, required=name in _REQUIRED[kind])
        for name, type_ in _WRITABLE[kind].items()
    }
    read_only = {name: FieldDefinition(kind, name, label(name), _T.TEXT, read_only=True) for name in _READ_ONLY[kind]}
    return found | read_only


def label(attribute: str) -> str:
    """What people would call an attribute of which Swoogo shows no name: `mobile_phone` -> Mobile phone."""
    words = attribute.replace("workAddress.", "work_address_").replace("_", " ")
    return words[:1].upper() + words[1:]


BUILT_IN: Final[Mapping[Kind, Mapping[str, FieldDefinition]]] = {kind: _fields(kind) for kind in _WRITABLE}
"""Kind -> attribute -> definition, without ids and choices, of what Swoogo documents. Its list of fields names neither
read-only attributes nor, for some kinds, all built-in ones, so a map is judged by these where the list is silent.
"""
