"""One value of a form, checked and turned into what is stored."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, time
from functools import lru_cache
from html import escape
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.swoogo.backend import Backend
from sandbox.swoogo.definitions import FieldDefinition
from sandbox.swoogo.resources import Attribute, Kind
from sandbox.swoogo.stored import stored_text

_TAG = re.compile(r"<[^>]*>")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_COLOUR = re.compile(r"#[0-9A-Fa-f]{3}(?:[0-9A-Fa-f]{3})?")
TEXT_LIMIT = 255
"""Characters of a one-line custom field; a guess."""
_TIME = re.compile(r"\d\d:\d\d:\d\d")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def read_value(backend: Backend, attribute: Attribute, event_id: int | None, text: str) -> Any:
    """The value to store. Raises ValueError with the sentence of the 422; `text` is not empty."""
    if attribute.max_length is not None and len(text) > attribute.max_length:
        raise ValueError(f"should contain at most {attribute.max_length} characters.")
    if attribute.type == "html":
        return _stored_html(backend.switches.html, text)
    if attribute.type == "option":
        if text not in attribute.options:
            raise ValueError(f"is invalid: choose one of {', '.join(attribute.options)}.")
        return text
    if attribute.type == "reference":
        return _reference(backend, attribute.options[0], event_id, text)
    if attribute.type in {"text", "email"}:
        text = stored_text(backend.switches, text)
    reader = _READERS.get(attribute.type)
    return text if reader is None else reader(text)


def _stored_html(how: str, text: str) -> str:
    if how == "escaped":
        return escape(text, quote=False)
    return _TAG.sub("", text) if how == "stripped" else text


def read_custom(definition: FieldDefinition, text: str, separator: str) -> Any:
    """The value of a custom field to store. Raises ValueError; `separator` is between several choices."""
    if definition.has_many:
        return [read_choice(definition, part) for part in text.split(separator)]
    if definition.has_choices:
        return read_choice(definition, text)
    reader = _CUSTOM_READERS.get(definition.type)
    value = text if reader is None else reader(text)
    if definition.type == "textInput" and len(text) > TEXT_LIMIT:
        raise ValueError(f"should contain at most {TEXT_LIMIT} characters.")
    return value


def read_choice(definition: FieldDefinition, text: str) -> int:
    """The id of a choice: choices are written as ids (`swoogo-api.md` 2.8). Raises ValueError."""
    choice = definition.choice(int(text)) if text.isdigit() else None
    if choice is None:
        raise ValueError("is invalid: not a choice of this field.")
    return choice.id


def _reference(backend: Backend, kind: str, event_id: int | None, text: str) -> int:
    target: Kind = "locations" if kind == "locations" else "tracks"
    record = backend.store.get(target, int(text)) if text.isdigit() else None
    if record is None or record.event_id != event_id:
        raise ValueError("is invalid.")
    return record.id


def _integer(text: str) -> int:
    if not re.fullmatch(r"-?\d+", text):
        raise ValueError("must be an integer.")
    return int(text)


def _flag(text: str) -> bool:
    if text.lower() not in {"0", "1", "true", "false"}:
        raise ValueError('must be either "1" or "0".')
    return text.lower() in {"1", "true"}


def _strict_flag(text: str) -> bool:
    if text not in {"0", "1"}:
        raise ValueError("must be an integer, 0 or 1.")
    return text == "1"


def _day(text: str) -> str:
    if not _DAY.fullmatch(text):
        raise ValueError("The format is YYYY-MM-DD.")
    date.fromisoformat(text)
    return text


def _time(text: str) -> str:
    if not _TIME.fullmatch(text):
        raise ValueError("The format is HH:MM:SS.")
    time.fromisoformat(text)
    return text


def _email(text: str) -> str:
    if not _EMAIL.fullmatch(text.strip()):
        raise ValueError("is not a valid email address.")
    return text.strip()


def _colour(text: str) -> str:
    if not _COLOUR.fullmatch(text):
        raise ValueError("must be a colour such as #FF0000.")
    return text


def _number(text: str) -> str:
    # A number-type custom field reads as a bare string (`swoogo-api.md` 2.8).
    if not re.fullmatch(r"-?\d+(?:\.\d+)?", text):
        raise ValueError("must be a number.")
    return text


def _url(text: str) -> str:
    if not re.match(r"https?://\S+$", text):
        raise ValueError("is not a valid URL.")
    return text


@lru_cache(maxsize=1024)
def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is not a time zone.") from error
    return text


_READERS: Mapping[str, Callable[[str], Any]] = {
    "integer": _integer,
    "flag": _flag,
    "strict_flag": _strict_flag,
    "date": _day,
    "time": _time,
    "email": _email,
    "colour": _colour,
    "zone": _zone,
}
_CUSTOM_READERS: Mapping[str, Callable[[str], Any]] = {
    "number": _number,
    "checkbox": _flag,
    "date": _day,
    "time": _time,
    "email": _email,
    "url": _url,
}
