"""Custom fields and metadata of the sample conference, the maps they sync by, and what Swoogo must hold (F1-F3).

Pure. What a record says follows from its id, so that it is the same in every revision; what must be in Swoogo is
worked out here from the maps in plain sight, without the code that is to be checked.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from sandbox.conference.expected import Expected

Json = dict[str, Any]

FORMATS: Final = ("Talk", "Panel", "Workshop", "Keynote")
TAGS: Final = ("AI", "Databases", "Open source", "Security")
_LEVELS: Final = {"Beginner": "Introductory", "Advanced": "Expert"}
_PRONOUNS: Final = ("she/her", "he/him", "they/them")

FIELDS: Final[tuple[Json, ...]] = (
    {"resource": "sessions", "name": "Format", "type": "dropDownList", "choices": ["Talk", "Panel"]},
    {"resource": "sessions", "name": "Level", "type": "dropDownList", "choices": ["Introductory", "Expert"]},
    {"resource": "sessions", "name": "Language"},
    {"resource": "sessions", "name": "Tags", "type": "checkboxList", "choices": ["Databases"]},
    {"resource": "sessions", "name": "Recorded", "type": "checkbox"},
    {"resource": "sessions", "name": "Minutes for questions", "type": "number"},
    {"resource": "speakers", "name": "Pronouns"},
    {"resource": "speakers", "name": "Dietary needs", "type": "textArea"},
    {"resource": "sponsors", "name": "Booth"},
)
"""Custom fields of the Swoogo account, as the sandbox takes them."""

MAPS: Final[Json] = {
    "sessions": [
        {"source": "format", "target": "Format", "add_choices": True},
        {"source": "level", "target": "Level", "values": _LEVELS},
        {"source": "language", "target": "Language"},
        {"source": "tags", "target": "Tags", "add_choices": True},
        {"source": "recorded", "target": "Recorded"},
        {"source": "questions", "target": "Minutes for questions"},
        {"source": "client_session_id", "target": "admin_short_name", "policy": "always"},
    ],
    "speakers": [
        {"source": "pronouns", "target": "Pronouns", "policy": "if_empty"},
        {"source": "dietary_needs", "target": "Dietary needs"},
        {"source": "phone_mobile", "target": "mobile_phone"},
        {"source": "salutation", "target": "prefix"},
        {"source": "address_line_2", "target": "workAddress.line_2"},
    ],
    "sponsors": [{"source": "booth", "target": "Booth"}],
}
"""Settings of the mapping: thirteen fields of three kinds."""

CHANGED_MAPS: Final[Json] = {
    **MAPS,
    "sessions": [*MAPS["sessions"], {"source": "format", "target": "badge_name"}],
}
"""With one more: a source may feed several fields."""


def detailed(kind: str, resource: Json) -> Json:
    """A resource of Sessionboard with its metadata and custom fields."""
    number = _number(str(resource["id"]))
    if kind == "session":
        level = (*_LEVELS, None)[number % 3]
        found: Json = {
            "format": {"id": f"format-{number % 4}", "name": FORMATS[number % 4]},
            "level": {"id": level.lower(), "name": level} if level else {},
            "language": {"id": f"language-{number % 2}", "name": ("English", "Deutsch")[number % 2]},
            "tags": [{"id": f"tag-{name}", "name": name} for name in _tags(number)],
            "client_session_id": reference(str(resource["id"])),
        }
        custom = [("recorded", "checkbox", "true" if number % 2 else "false")]
        custom += [("questions", "number", str(number % 4 * 5))] if number % 4 else []
    elif kind == "contact":
        found = {
            "phone_mobile": f"+49 30 {number:07d}" if number % 3 else None,
            "salutation": "Dr." if number % 5 == 0 else None,
            "address_line_2": f"Floor {number % 9}" if number % 2 else None,
            "pronouns": _PRONOUNS[number % 3],
        }
        custom = [("dietary_needs", "textarea", "Vegetarian, please.")] if number % 4 == 0 else []
    else:
        found, custom = {}, [("booth", "text", f"B{number % 90}")]
    fields = [
        {"id": f"field-{name}", "name": name.replace("_", " ").capitalize(), "internal_name": name, "type": type_,
         "value": value}
        for name, type_, value in custom
    ]  # fmt: skip
    return {**resource, **found, "custom_fields": [*resource["custom_fields"], *fields]}


def reference(talk_id: str) -> str:
    """The organizers' own id of a session."""
    return f"K-{_number(talk_id)}"


def detail_differences(state: Mapping[str, Any], attributes: Mapping[str, str], expected: Expected) -> list[str]:
    """Where Swoogo's mapped fields are not what the maps say; empty when all is right.

    Args:
        state: `/_control/state` of the event, without records that people made.
        attributes: label -> attribute of the custom fields.
        expected: every record that was ever synced, by its id; several people may share an address.
    """
    sessions = {reference(each): _session(_number(each)) for each in expected.sessions}
    by_email: dict[str, list[Json]] = {}
    for identifier, person in expected.speakers.items():
        by_email.setdefault(person.email.strip().casefold(), []).append(_person(_number(identifier)))
    booths: dict[str, list[Json]] = {}
    for identifier, sponsor in expected.sponsors.items():
        booths.setdefault(sponsor.name.strip().casefold(), []).append({"Booth": f"B{_number(identifier) % 90}"})
    found = []
    for kind, key, wanted in (
        ("sessions", "admin_short_name", {name: [held] for name, held in sessions.items()}),
        ("speakers", "email", by_email),
        ("sponsors", "name", booths),
    ):
        for row in state[kind]:
            possible = wanted.get(str(row[key]) if kind == "sessions" else str(row[key]).strip().casefold(), [])
            held = _held(row, attributes, possible[0] if possible else {})
            if held not in possible:
                found.append(f"{kind} {row['id']}: its mapped fields are {held}, not {possible}")
    return found


def _session(number: int) -> Json:
    level = (*_LEVELS.values(), "")[number % 3]
    return {
        "Format": FORMATS[number % 4],
        "Level": level,
        "Language": ("English", "Deutsch")[number % 2],
        "Tags": sorted(_tags(number)),
        "Recorded": bool(number % 2),
        "Minutes for questions": str(number % 4 * 5) if number % 4 else "",
    }


def _person(number: int) -> Json:
    return {
        "Pronouns": _PRONOUNS[number % 3],
        "Dietary needs": "Vegetarian, please." if number % 4 == 0 else "",
        "mobile_phone": f"+49 30 {number:07d}" if number % 3 else "",
        "prefix": "Dr." if number % 5 == 0 else "",
        "workAddress.line_2": f"Floor {number % 9}" if number % 2 else "",
    }


def _held(row: Mapping[str, Any], attributes: Mapping[str, str], wanted: Iterable[str]) -> Json:
    held: Json = {}
    for name in wanted:
        parent, _, part = attributes.get(name, name).partition(".")
        value = row.get(parent)
        if part:
            value = value.get(part) if isinstance(value, dict) else None
        elif isinstance(value, list):
            value = sorted(each["value"] for each in value)
        elif isinstance(value, dict):
            value = value["value"]
        held[name] = "" if value is None else value
    return held


def _tags(number: int) -> list[str]:
    return [name for place, name in enumerate(TAGS) if number >> place & 1]


def _number(own_id: str) -> int:
    return zlib.crc32(own_id.encode()) % 10_000_000
