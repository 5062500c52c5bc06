"""What a mapping says of fields and of what is held back (F1, F4, F8), as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from consumer.domain.records.identity import Kind


class Policy(StrEnum):
    """What wins when a person edited the field in Swoogo (F4); see `schemas.field_maps.Policy`."""

    UNTIL_EDITED = "until_edited"
    ALWAYS = "always"
    IF_EMPTY = "if_empty"
    ONCE = "once"


MAPPED_KINDS: Final = (Kind.SESSION, Kind.SPEAKER, Kind.SPONSOR)
"""Kinds whose fields a map may set (F1)."""


@dataclass(frozen=True, slots=True)
class FieldMap:
    """One pair as it was published. `target` None: what the source feeds by default is off."""

    source: str
    target: str | None
    policy: Policy = Policy.UNTIL_EDITED
    values: tuple[tuple[str, str], ...] = ()
    add_choices: bool = False


@dataclass(frozen=True, slots=True)
class FieldMaps:
    """The pairs of each kind; none: the standard fields alone."""

    sessions: tuple[FieldMap, ...] = ()
    speakers: tuple[FieldMap, ...] = ()
    sponsors: tuple[FieldMap, ...] = ()

    def of(self, kind: Kind) -> tuple[FieldMap, ...]:
        pairs = {Kind.SESSION: self.sessions, Kind.SPEAKER: self.speakers, Kind.SPONSOR: self.sponsors}
        return pairs.get(kind, ())

    @property
    def look_at_edits(self) -> bool:
        """Whether any pair depends on what Swoogo has (F4)."""
        pairs = (*self.sessions, *self.speakers, *self.sponsors)
        return any(each.policy in {Policy.ALWAYS, Policy.IF_EMPTY} for each in pairs)

    def __bool__(self) -> bool:
        return bool(self.sessions or self.speakers or self.sponsors)


@dataclass(frozen=True, slots=True)
class HoldRule:
    """Holds back records whose `source` has one of `values`; with `others`, those that have none of them."""

    source: str
    values: tuple[str, ...]
    others: bool = False


@dataclass(frozen=True, slots=True)
class Publish:
    """What is held back; one rule that applies is enough."""

    sessions: tuple[HoldRule, ...] = ()
    speakers: tuple[HoldRule, ...] = ()


def targets(maps: FieldMaps) -> dict[Kind, frozenset[str]]:
    """Kind -> the fields of Swoogo that its pairs name, by attribute or label; kinds without pairs are left out."""
    named = {kind: frozenset(each.target for each in maps.of(kind) if each.target is not None) for kind in MAPPED_KINDS}
    return {kind: names for kind, names in named.items() if names}
