"""Fields that only a field map uses: custom fields and the metadata of records (`sessionboard.md A.4, A.7, A.8`; F2).

Guarantees: no value of a custom field makes a record unreadable.
"""

from __future__ import annotations

from typing import Annotated, Any

from schemas.wire import Text, UnsetIsEmpty, Unsettable, WireModel


class CustomField(WireModel):
    """A custom field with its value."""

    internal_name: Text = None
    """Name that does not change when the field is renamed; what a field map names as its source."""
    name: Text = None
    """What people call it."""
    type: Text = None
    """Sessionboard's type: `text`, `textarea`, `wysiwyg`, `dropdown`, `datetime`, `number`, `checkbox`, ..."""
    value: Any = None
    """Text, a number, a boolean, or an array of these; `""`, null and `{}` say that it is not set."""


class Named(WireModel):
    """A status, tag, format, level or language of the event, of which the name counts."""

    name: Text = None
    """What people see."""


NamedOrUnset = Annotated[Named | None, Unsettable]
"""`{}` and null: not set."""

CustomFields = Annotated[tuple[CustomField, ...], UnsetIsEmpty]
"""Custom fields of a record; one that is not in it is not carried and leaves Swoogo's value alone."""
