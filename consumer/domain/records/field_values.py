"""Values of Sessionboard's fields that only field maps and filters use, and the types they come with (F2, F3).

A value is its type with the texts it consists of: none when the field is carried and not set, several of a multiple
choice. It is read and cleaned once, when its record arrives: texts of `ONE_LINE` types are one clean line each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Final

from consumer.domain.records.text import clean_name


class FieldType(StrEnum):
    """What values of a field are, on either side (F3); `UNKNOWN` ones are never written."""

    TEXT = "text"
    LONG_TEXT = "long_text"
    HTML = "html"
    NUMBER = "number"
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    CHECKBOX = "checkbox"
    EMAIL = "email"
    PHONE = "phone"
    URL = "url"
    COUNTRY = "country"
    LANGUAGE = "language"
    CHOICE = "choice"
    CHOICES = "choices"
    FILE = "file"
    UNKNOWN = "unknown"


FieldValue = tuple[str, tuple[str, ...]]
"""A `FieldType`, and texts. `UNKNOWN` marks a value that cannot be read."""

FieldValues = Mapping[str, FieldValue]
"""Name of a field in Sessionboard -> its value; fields that a record does not carry are not in it."""

UNREADABLE: Final[FieldValue] = (FieldType.UNKNOWN.value, ())

ONE_LINE: Final = frozenset(each.value for each in FieldType if each not in {FieldType.LONG_TEXT, FieldType.HTML})

_TYPES: Final = {
    **dict.fromkeys(("text", "string", "shorttext", "textinput", "user"), FieldType.TEXT),
    **dict.fromkeys(("textarea", "longtext", "multiline"), FieldType.LONG_TEXT),
    **dict.fromkeys(("wysiwyg", "html", "richtext"), FieldType.HTML),
    **dict.fromkeys(("number", "integer", "float", "currency"), FieldType.NUMBER),
    "date": FieldType.DATE,
    "time": FieldType.TIME,
    "datetime": FieldType.DATETIME,
    **dict.fromkeys(("checkbox", "boolean", "toggle"), FieldType.CHECKBOX),
    "email": FieldType.EMAIL,
    **dict.fromkeys(("phone", "phonenumber"), FieldType.PHONE),
    **dict.fromkeys(("url", "link"), FieldType.URL),
    **dict.fromkeys(("country", "countries"), FieldType.COUNTRY),
    **dict.fromkeys(("language", "languages"), FieldType.LANGUAGE),
    **dict.fromkeys(("dropdown", "select", "radio", "singleselect"), FieldType.CHOICE),
    **dict.fromkeys(("multiselect", "multidropdown", "multiplechoice", "checkboxes", "tags"), FieldType.CHOICES),
    **dict.fromkeys(("file", "image", "upload"), FieldType.FILE),
}
"""Sessionboard's types (`sessionboard.md A.11`), without case and punctuation; the API's own spelling is not public."""

_NAMES: Final = ("name", "value", "label", "url")
"""Members that say what an object stands for: an entry of a choice field, or a file."""


def source_type(native: str | None) -> FieldType:
    """The type that Sessionboard calls so; one that is not known, or not named, counts as text."""
    return _TYPES.get("".join(filter(str.isalnum, (native or "").lower())), FieldType.TEXT)


def field_value(native: str | None, value: Any) -> FieldValue:
    """A custom field as JSON carries it. An array makes a choice a multiple choice."""
    texts = _texts(value)
    if texts is None:
        return UNREADABLE
    kind = source_type(native)
    return _value(FieldType.CHOICES if kind is FieldType.CHOICE and isinstance(value, list) else kind, texts)


def text_value(kind: FieldType, text: str) -> FieldValue:
    """A value of one text; blank means not set."""
    return _value(kind, (text,))


def named_value(kind: FieldType, names: Iterable[str | None]) -> FieldValue:
    """The names of what a record refers to."""
    return _value(kind, (name for name in names if name))


def _value(kind: FieldType, texts: Iterable[str]) -> FieldValue:
    if kind.value in ONE_LINE:
        return kind.value, tuple(line for text in texts if (line := clean_name(" ".join(text.split()))))
    return kind.value, tuple(text for text in texts if text.strip())


def _texts(value: Any) -> tuple[str, ...] | None:
    if isinstance(value, str):
        return (value,) if value.strip() else ()
    if value is None or value == {}:
        return ()
    if isinstance(value, bool):
        return ("true" if value else "false",)
    if isinstance(value, int | float):
        return (str(int(value)) if isinstance(value, float) and value.is_integer() else str(value),)
    if isinstance(value, Mapping):
        named = next((value[name] for name in _NAMES if isinstance(value.get(name), str)), None)
        return None if named is None else _texts(named)
    if isinstance(value, Sequence):
        parts = [None if isinstance(each, list) else _texts(each) for each in value]
        return None if None in parts else tuple(text for part in parts if part for text in part)
    return None
