"""`fields`: both sides' fields, what a map does with the records, and what it could do (F7)."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from consumer.domain.connections.mapping import MAPPED_KINDS, EventMapping, FieldMap, FieldMaps, Policy
from consumer.domain.fields.definitions import FieldDefinition, FieldDefinitions, only_named
from consumer.domain.fields.fitting import FittedMap, Fitting, Pair, fit
from consumer.domain.fields.sources import SOURCE_TYPES, STANDARD, source_value
from consumer.domain.fields.suggestions import Suggestion, suggest
from consumer.domain.planning.desired import TextLimits
from consumer.domain.records.field_values import FieldType, FieldValue
from consumer.domain.records.identity import Fields, Kind
from consumer.domain.records.schedule import zone
from consumer.domain.records.snapshot import Profile, Session, Snapshot, Sponsor
from consumer.entrypoints.documents.words import iso, plain

_SAMPLE: Final = 40
_EXAMPLES: Final = 3
_LETTER: Final = re.compile(r"[^\W\d_]")
_DIGIT: Final = re.compile(r"\d")
_PLURAL: Final = {Kind.SESSION: "sessions", Kind.SPEAKER: "speakers", Kind.SPONSOR: "sponsors"}

Source = Session | Profile | Sponsor


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A field of Sessionboard. `sample`: its commonest value; of people only its form. `to`: Swoogo's attributes."""

    name: str
    type: str
    values: int
    sample: str
    to: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetRow:
    """A field of Swoogo. `source`: what feeds it; empty when nothing does."""

    attribute: str
    label: str
    type: str
    required: bool
    read_only: bool
    choices: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class PairRow:
    """An entry of the map.

    Attributes:
        off: why it is switched off; empty when it is in force.
        values: records that have a value.
        not_fitting: those of them that are left out.
        examples: what does not fit, in words, the commonest first.
        new_choices: names that Swoogo has no choice for yet, and that would be added.
    """

    source: str
    target: str | None
    policy: str
    off: str
    values: int = 0
    not_fitting: int = 0
    examples: tuple[str, ...] = ()
    new_choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KindFields:
    """The fields of sessions, speakers or sponsors. `records`: how many there are in Sessionboard."""

    kind: str
    records: int
    sessionboard: tuple[SourceRow, ...]
    swoogo: tuple[TargetRow, ...]
    pairs: tuple[PairRow, ...] = ()
    suggestions: tuple[Suggestion, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldsDocument:
    """What `fields --json` prints.

    Attributes:
        read_at: when Swoogo's fields were read.
        field_maps: the settings of the mapping, with the suggestions where they were asked for; to be pasted there.
    """

    event_id: str
    mapped: bool
    swoogo_event_id: int = 0
    read_at: str | None = None
    credits: int = 0
    kinds: tuple[KindFields, ...] = ()
    field_maps: Mapping[str, Any] = field(default_factory=dict)


def fields_document(
    mapping: EventMapping,
    snapshot: Snapshot,
    definitions: FieldDefinitions,
    limits: TextLimits,
    *,
    suggestions: bool,
    credits_spent: int = 0,
) -> FieldsDocument:
    """What there is to say of the fields of an event.

    `snapshot`: its records; deleted ones are left out. `suggestions`: whether to make some, and to put them into the
    map.
    """
    maps = mapping.settings.field_maps
    kinds = tuple(
        _kind(kind, mapping, _records(snapshot, kind), definitions, limits, suggestions=suggestions)
        for kind in MAPPED_KINDS
    )
    pasted = {
        _PLURAL[kind]: [
            *map(_written, maps.of(kind)),
            *({"source": each.source, "target": each.target} for each in shown.suggestions),
        ]
        for kind, shown in zip(MAPPED_KINDS, kinds, strict=True)
    }
    return FieldsDocument(
        mapping.event_id,
        mapped=True,
        swoogo_event_id=mapping.swoogo_event_id,
        read_at=iso(definitions.read_at),
        credits=credits_spent,
        kinds=kinds,
        field_maps={name: pairs for name, pairs in pasted.items() if pairs},
    )


def _kind(
    kind: Kind,
    mapping: EventMapping,
    records: list[Source],
    definitions: FieldDefinitions,
    limits: TextLimits,
    *,
    suggestions: bool,
) -> KindFields:
    maps: FieldMaps = mapping.settings.field_maps
    event_zone = zone(mapping.timezone)
    named = only_named(definitions, {kind: tuple(each.target for each in maps.of(kind) if each.target)})
    fitted = None
    if event_zone is not None:
        off = frozenset() if kind is not Kind.SESSION or mapping.settings.sync_capacity else frozenset({"capacity"})
        fitted = fit(kind, maps.of(kind), Fitting(named, (), event_zone, limits.name, limits.text), off)
    values = _values(kind, records)
    fed = _fed(kind, fitted)
    fields = definitions.fields.get(kind, {}).values()
    types = {name: FieldType(each) for name, (each, _, count) in values.items() if count}
    taken = {*fed, *fed.values(), *(each.source for each in maps.of(kind))}
    found = suggest(types, fields, taken) if suggestions else ()
    goes = {name: tuple(sorted(target for target, source in fed.items() if source == name)) for name in values}
    return KindFields(
        _PLURAL[kind],
        len(records),
        tuple(
            SourceRow(name, _words(type_), count, sample, goes[name]) for name, (type_, sample, count) in values.items()
        ),
        tuple(_target(each, fed) for each in sorted(fields, key=lambda each: (each.is_custom, each.label.lower()))),
        tuple(_pair(kind, each, fitted, records) for each in maps.of(kind)),
        found,
    )


def _records(snapshot: Snapshot, kind: Kind) -> list[Source]:
    if kind is Kind.SESSION:
        return [each for each in snapshot.sessions.values() if not each.deleted]
    if kind is Kind.SPONSOR:
        return [each for each in snapshot.sponsors.values() if not each.deleted]
    people = {each.contact_id: each.profile for held in snapshot.sessions.values() for each in held.people}
    gone = {each.id for each in snapshot.contacts.values() if each.deleted}
    people |= {each.id: each.profile for each in snapshot.contacts.values()}
    return [profile for name, profile in people.items() if name not in gone]


def _values(kind: Kind, records: list[Source]) -> dict[str, tuple[str, str, int]]:
    """Field -> type, sample, how many records have a value; standard ones first."""
    names = dict.fromkeys((*SOURCE_TYPES[kind], *sorted({name for each in records for name in each.extra})))
    found = {}
    for name in names:
        held = [value for value in (source_value(each, name) for each in records) if value and value[1]]
        type_ = SOURCE_TYPES[kind].get(name) or FieldType(held[0][0] if held else FieldType.TEXT)
        found[name] = (type_.value, _sample(kind, held), len(held))
    return found


def _sample(kind: Kind, values: list[FieldValue]) -> str:
    if not values:
        return ""
    common = ", ".join(Counter(texts for _, texts in values).most_common(1)[0][0])
    return plain(_shape(common) if kind is Kind.SPEAKER else common, _SAMPLE)


def _shape(text: str) -> str:
    """The form of a value: what a map needs to know of people's data."""
    return _DIGIT.sub("0", _LETTER.sub("x", text))


def _fed(kind: Kind, fitted: FittedMap | None) -> dict[str, str]:
    """Attribute of Swoogo -> what feeds it."""
    if fitted is None:
        return {}
    names = {each.field: each.attribute for each in STANDARD[kind]}
    fed = {each.attribute: each.source for each in STANDARD[kind] if each.field in fitted.standard}
    return fed | {names.get(pair.field, pair.field): pair.source for pair in fitted.mapped}


def _target(definition: FieldDefinition, fed: Mapping[str, str]) -> TargetRow:
    return TargetRow(
        definition.attribute,
        definition.label,
        _words(definition.type.value),
        definition.required,
        definition.read_only,
        tuple(choice.name for choice in definition.choices),
        fed.get(definition.attribute, ""),
    )


def _pair(kind: Kind, each: FieldMap, fitted: FittedMap | None, records: list[Source]) -> PairRow:
    row = PairRow(each.source, each.target, each.policy.value, "")
    if fitted is None:
        return replace(row, off="The time zone of the mapping is not known.")
    refused = [problem.detail for one, problem in fitted.off if one == each]
    if refused:
        return replace(row, off=refused[0])
    values = [value for value in (source_value(one, each.source) for one in records) if value and value[1]]
    pair = next((one for one in fitted.mapped if one.source == each.source and _is_of(one, each)), None)
    if pair is None:  # switched off by the map, or a default pair with another policy
        return replace(row, values=len(values))
    misfits: Counter[str] = Counter()
    converted: list[Fields] = []
    not_fitting = 0
    for value in values:
        sent, problem = pair.convert(value)
        converted.append({pair.field: sent or ""})
        if problem:
            not_fitting += sent is None or problem.code.value == "unknown_choice"
            misfits[plain(problem.detail or problem.code.value.replace("_", " "))] += 1
    examples = tuple(text for text, _ in misfits.most_common(_EXAMPLES))
    named = _shape if kind is Kind.SPEAKER else str
    new = dict.fromkeys(named(name) for names in fitted.new_choices(converted).values() for name in names)
    return replace(row, values=len(values), not_fitting=not_fitting, examples=examples, new_choices=tuple(new))


def _is_of(pair: Pair, each: FieldMap) -> bool:
    target = pair.target.definition if pair.target else None
    return each.target in {pair.field, *((target.attribute, target.label) if target else ())}


def _written(each: FieldMap) -> dict[str, Any]:
    """An entry as the contract spells it, without what it says by default."""
    written: dict[str, Any] = {"source": each.source, "target": each.target}
    if each.policy is not Policy.UNTIL_EDITED:
        written["policy"] = each.policy.value
    if each.values:
        written["values"] = dict(each.values)
    return written | ({"add_choices": True} if each.add_choices else {})


def _words(type_: str) -> str:
    return {"choices": "multiple choice", "html": "formatted text"}.get(type_, type_.replace("_", " "))
