"""Field maps and filters in the settings of a mapping (F1-F8).

Guarantees: whether a pair fits is no question of the contract. One that does not is switched off with an issue of the
event, and everything else of the mapping is in force (F5).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from schemas.wire import UnsetIsEmpty, WireModel

FieldName = Annotated[str, StringConstraints(min_length=1, max_length=255)]
"""Name of a field on either side."""

ValueText = Annotated[str, StringConstraints(max_length=1000)]


class Policy(StrEnum):
    """What wins when a person edited the field in Swoogo (F4)."""

    UNTIL_EDITED = "until_edited"
    ALWAYS = "always"
    IF_EMPTY = "if_empty"
    ONCE = "once"


class FieldMap(WireModel):
    """One pair of a field map."""

    source: FieldName
    """A field of the record by its name on the wire (`title`, `tags`, `phone_mobile`), or the `internal_name` of a
    custom field."""
    target: FieldName | None
    """A Swoogo attribute (`badge_name`), a nested one (`workAddress.line_2`), or a custom field by its attribute
    (`c_1234`) or its label. Null switches off what the source feeds by default."""
    policy: Policy = Policy.UNTIL_EDITED
    """`until_edited`: sent when it changes in Sessionboard. `always`: an edit by hand is overwritten at the next
    reconcile, and reported. `if_empty`: only while Swoogo has nothing. `once`: only when the record is created."""
    values: dict[ValueText, ValueText] = Field(default_factory=dict, max_length=1000)
    """Value in Sessionboard -> value in Swoogo, where their names differ."""
    add_choices: bool = False
    """A value that Swoogo has no choice for is added as one."""


_Pairs = Annotated[tuple[FieldMap, ...], Field(max_length=200), UnsetIsEmpty]


class FieldMaps(WireModel):
    """Pairs that add to the standard ones, take their place, or switch them off."""

    sessions: _Pairs = ()
    """Of sessions. `title` always goes to `name`."""
    speakers: _Pairs = ()
    """Of speakers. `email` always goes to `email`."""
    sponsors: _Pairs = ()
    """Of sponsors."""


class Hold(StrEnum):
    """Which records a rule holds back."""

    MATCHING = "matching"
    OTHERS = "others"


class HoldRule(WireModel):
    """Holds back records by the value of a field (F8)."""

    source: FieldName
    """As in a field map: of sessions `status`, `track`, `format`, `tags` or a custom field, of speakers a custom
    field."""
    values: Annotated[tuple[ValueText, ...], Field(min_length=1, max_length=1000)]
    """Names, compared trimmed and without regard to case."""
    hold: Hold = Hold.MATCHING
    """`matching`: records with one of the values are held back. `others`: all records without one are."""


_Rules = Annotated[tuple[HoldRule, ...], Field(max_length=100), UnsetIsEmpty]


class Publish(WireModel):
    """What is held back. A record that was synced before stays in Swoogo as it is (E3)."""

    sessions: _Rules = ()
    """Rules for sessions; one that applies is enough."""
    speakers: _Rules = ()
    """Rules for speakers."""
