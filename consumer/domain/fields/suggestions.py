"""Which field of Sessionboard a field of Swoogo is likely for, by name and type (F7). Suggestions are never applied."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from consumer.domain.connections.mapping import FieldMap
from consumer.domain.fields.conversion import convertible
from consumer.domain.fields.definitions import FieldDefinition
from consumer.domain.records.field_values import FieldType

_WORDS: Final = re.compile(r"[a-z0-9]+")
_ALIKE: Final = {
    "salutation": "prefix",
    "honorific": "prefix",
    "phone_mobile": "mobile_phone",
    "address_line_1": "workAddress.line_1",
    "address_line_2": "workAddress.line_2",
    "address_city": "workAddress.city",
    "address_state": "workAddress.state",
    "address_postal_code": "workAddress.zip",
    "address_country": "workAddress.country_code",
}
"""Source -> attribute of standard fields whose names have nothing in common (`sessionboard.md A.11`)."""
_NEVER: Final = frozenset({"session_status", "selection_control", "use_event_timezone", "timezone", "secure_id"})
"""Attributes that decide who sees a session and when; a name in common says nothing about them."""
_EMPTY: Final = frozenset({"session", "sessions", "speaker", "speakers", "sponsor", "sponsors", "the", "of", "name"})
"""Words that tell no field from another."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A pair that is likely. `why`: in words."""

    source: str
    target: str
    why: str

    @property
    def pair(self) -> FieldMap:
        """As it would stand in a map."""
        return FieldMap(self.source, self.target)


def suggest(
    sources: Mapping[str, FieldType], targets: Iterable[FieldDefinition], taken: Collection[str]
) -> tuple[Suggestion, ...]:
    """Pairs for fields of Swoogo that nothing feeds, at most one for each of them and for each source.

    `sources`: name in Sessionboard -> type, of the fields that records have a value of. `taken`: attributes that have a
    source, and sources that go somewhere.
    """
    found: list[Suggestion] = []
    used = set(taken)
    used |= _NEVER
    free = [each for each in targets if not each.read_only and each.attribute not in used]
    for source, kind in sorted(sources.items()):
        if source in used:
            continue
        likely = [each for each in free if each.attribute not in used and convertible(kind, each.type)]
        for why, matches in (
            ("they stand for the same", [each for each in likely if _ALIKE.get(source) == each.attribute]),
            ("they have the same name", [each for each in likely if _names(each) & {_key(source)}]),
            ("their names share a word", [each for each in likely if _share(source, each.label)]),
        ):
            if len(matches) == 1:
                found.append(Suggestion(source, matches[0].attribute, why))
                used |= {source, matches[0].attribute}
                break
    return tuple(found)


def _key(name: str) -> str:
    return "".join(_WORDS.findall(name.lower())).removesuffix("s")


def _names(definition: FieldDefinition) -> set[str]:
    return {_key(definition.attribute), _key(definition.label)}


def _share(source: str, label: str) -> bool:
    mine, theirs = (
        {word.removesuffix("s") for word in _WORDS.findall(name.lower())} - _EMPTY for name in (source, label)
    )
    return bool(mine and theirs) and (mine <= theirs or theirs <= mine)
