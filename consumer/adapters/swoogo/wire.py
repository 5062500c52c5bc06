"""What each kind is called on Swoogo's side, and how its values read there.

Domain field names on one side, Swoogo's attributes on the other (`swoogo-api.md 7, 8, 9.1`). Guarantees: a
value reads the same whichever endpoint answered it, so that digests of it can be compared (R2, R5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from consumer.adapters.swoogo.html import same_html
from consumer.domain.records.identity import Fields, Kind, digest
from consumer.domain.records.text import folded, natural_email
from consumer.ports import Written


class Shape(Enum):
    """How the values of an attribute are spelt."""

    TEXT = auto()
    EMAIL = auto()
    HTML = auto()
    DATE = auto()
    TIME = auto()
    NUMBER = auto()
    REFERENCE = auto()
    CHOICE = auto()
    CHOICES = auto()
    FLAG = auto()
    OWN_ZONE = auto()


@dataclass(frozen=True, slots=True)
class Attribute:
    """A field of ours and Swoogo's name for it. A required one is never cleared (R4)."""

    field: str
    name: str
    shape: Shape = Shape.TEXT
    required: bool = False


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of record: its path segment, its attributes, and what else a create says."""

    kind: Kind
    path: str
    attributes: Mapping[str, Attribute]
    on_create: tuple[tuple[str, str], ...] = ()
    also_read: tuple[str, ...] = ()

    @property
    def listed(self) -> str:
        """The `fields` parameter of a list: lists are sparse unless asked (`swoogo-api.md 2.5`)."""
        names = dict.fromkeys(attribute.name.partition(".")[0] for attribute in self.attributes.values())
        return ",".join(["id", *names, *self.also_read])

    def field_of(self, name: str) -> str:
        """Our name of an attribute that Swoogo objects to; Swoogo's own when we do not send it."""
        return next((each.field for each in self.attributes.values() if each.name == name), name)


def _resource(
    kind: Kind,
    path: str,
    *attributes: Attribute,
    on_create: tuple[tuple[str, str], ...] = (),
    also_read: tuple[str, ...] = (),
) -> Resource:
    return Resource(kind, path, {each.field: each for each in attributes}, on_create, also_read)


_NAME: Final = Attribute("name", "name", required=True)

RESOURCES: Final[Mapping[Kind, Resource]] = {
    resource.kind: resource
    for resource in (
        _resource(
            Kind.SESSION,
            "sessions",
            _NAME,
            Attribute("description", "description", Shape.HTML),
            Attribute("date", "date", Shape.DATE, required=True),
            Attribute("start_time", "start_time", Shape.TIME, required=True),
            Attribute("end_time", "end_time", Shape.TIME, required=True),
            Attribute("capacity", "capacity", Shape.NUMBER),
            Attribute("location", "location_id", Shape.REFERENCE),
            Attribute("track", "track_id", Shape.REFERENCE),
            Attribute("timezone", "timezone", Shape.OWN_ZONE),
            also_read=("use_event_timezone",),
        ),
        _resource(
            Kind.SPEAKER,
            "speakers",
            Attribute("first_name", "first_name", required=True),
            Attribute("last_name", "last_name", required=True),
            Attribute("email", "email", Shape.EMAIL, required=True),
            Attribute("job_title", "job_title"),
            Attribute("company", "company"),
            Attribute("bio", "bio", Shape.HTML),
            also_read=("contact_id",),
        ),
        # 0 or 1 only, `true` is refused (`swoogo-api.md 7.6`); not repeated on updates, where it is the admin's.
        _resource(Kind.LOCATION, "locations", _NAME, on_create=(("use_event_address", "1"),)),
        _resource(Kind.TRACK, "tracks", _NAME),
        _resource(
            Kind.SPONSOR,
            "sponsors",
            _NAME,
            Attribute("website", "website"),
            Attribute("description", "description", Shape.HTML),
            Attribute("level", "level", Shape.CHOICE),
        ),
    )
}

_CLOCK: Final = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_LARGEST_ID: Final = 2**63 - 1


def record_id(value: object) -> int | None:
    """An id, which comes as a number or as digits (`swoogo-api.md 11.2`); None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(_LARGEST_ID)):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 < value <= _LARGEST_ID else None


def shows(body: object, identifier: int) -> bool:
    return isinstance(body, Mapping) and record_id(body.get("id")) == identifier


def read_fields(resource: Resource, row: Mapping[str, Any]) -> dict[str, str]:
    """The fields a row holds, in our names and spelling; those it does not hold are left out."""
    found: dict[str, str] = {}
    for attribute in resource.attributes.values():
        value = _value(attribute, row)
        if value is not None:
            found[attribute.field] = value
    return found


def linked_sessions(body: object) -> frozenset[int] | None:
    """Ids in the `sessions` array of a speaker (`swoogo-api.md 8.1`), None when there is no such array."""
    held = body.get("sessions") if isinstance(body, Mapping) else None
    if not isinstance(held, list):
        return None
    ids = (record_id(each.get("id")) for each in held if isinstance(each, Mapping))
    return frozenset(identifier for identifier in ids if identifier is not None)


def written(resource: Resource, row: Mapping[str, Any], identifier: int, sent: Fields) -> Written:
    """The answer to a write that sent these fields (in our names, cleaned; empty means cleared)."""
    held = read_fields(resource, row)
    missed = tuple(
        name
        for name, value in sent.items()
        if name in held and not _same(resource.attributes[name].shape, value, held[name])
    )
    seen = {name: digest(value) for name, value in held.items()}
    return Written(identifier, seen, missed, record_id(row.get("contact_id")))


def normal(shape: Shape, value: object) -> str | None:
    """A JSON value of this shape as text; "" when it is empty, None when it cannot be judged.

    The same value comes as a number or as text, a boolean or 0 and 1, a time with or without seconds, a
    choice as `{id, value}` (`swoogo-api.md 2.8`).
    """
    if shape is Shape.CHOICES:
        return _identifiers(value)
    if isinstance(value, Mapping):
        if shape not in {Shape.CHOICE, Shape.REFERENCE}:
            return None
        value = value.get("id")
        if isinstance(value, Mapping):
            return None
    if isinstance(value, list):
        return None if value else ""
    read = text(value)
    reader = _READERS.get(shape)
    return reader(read.strip()) if reader and read else read


def _value(attribute: Attribute, row: Mapping[str, Any]) -> str | None:
    if attribute.name in row:
        # A session that follows its event shows the event's zone as if it were its own (`swoogo-api.md 7.1, 7.3`).
        if attribute.shape is Shape.OWN_ZONE and text(row.get("use_event_timezone")) == "1":
            return ""
        return normal(attribute.shape, row[attribute.name])
    parent, _, part = attribute.name.partition(".")
    if part:
        held = row.get(parent)
        # PHP writes an empty map as [] (`swoogo-api.md 2.8`).
        return normal(attribute.shape, held.get(part)) if isinstance(held, Mapping) else "" if parent in row else None
    custom = row.get("custom_fields")
    if isinstance(custom, Mapping) and attribute.name in custom:
        return normal(attribute.shape, custom[attribute.name])
    # An expanded or nested object stands in for its id (`swoogo-api.md 2.6`).
    nested = row.get(attribute.field)
    return normal(attribute.shape, nested) if isinstance(nested, Mapping) else None


def text(value: object) -> str:
    """A JSON value that is neither array nor object as text; "" for these and for null."""
    if value is None or isinstance(value, Mapping | list):
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _date(text: str) -> str:
    return "" if text.startswith("0000-00-00") else text[:10]


def _time(text: str) -> str:
    found = _CLOCK.fullmatch(text)
    return f"{int(found[1]):02d}:{found[2]}:{found[3] or '00'}" if found else text


def _number(text: str) -> str:
    whole, point, rest = text.partition(".")
    return whole if point and not rest.strip("0") else text


def _flag(text: str) -> str:
    return {"true": "1", "yes": "1", "false": "0", "no": "0"}.get(text.lower(), text)


def _identifiers(value: object) -> str | None:
    """Ids of several choices: an array of ids or `{id, value}`, or joined by commas (`swoogo-api.md 2.8`)."""
    if isinstance(value, Mapping):
        value = value.get("id")
    parts = value if isinstance(value, list) else text(value).split(",")
    ids = [record_id(each.get("id") if isinstance(each, Mapping) else text(each).strip()) for each in parts if each]
    known = sorted(identifier for identifier in ids if identifier is not None)
    return ",".join(map(str, known)) if len(known) == len(ids) else None


def _identifier(text: str) -> str | None:
    if text == "0":
        return ""
    # A bare name cannot be compared with the id that was sent (`swoogo-api.md 9.1`).
    return text if text.isascii() and text.isdigit() else None


_READERS: Final = {
    Shape.DATE: _date,
    Shape.TIME: _time,
    Shape.NUMBER: _number,
    Shape.REFERENCE: _identifier,
    Shape.CHOICE: _identifier,
    Shape.FLAG: _flag,
}


def _same(shape: Shape, sent: str, held: str) -> bool:
    if sent == held:
        return True
    match shape:
        case Shape.HTML:
            return same_html(sent, held)
        case Shape.EMAIL:
            return natural_email(sent) == natural_email(held)
        case _:
            return normal(shape, folded(sent)) == normal(shape, folded(held))
