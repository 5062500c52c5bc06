"""A field map fitted to both sides: the pairs that fields are computed from, and what does not fit (F1, F5).

Guarantees: without a map these are the default pairs; with one there is no second path. A pair that does not fit is
off, is an issue of the event, and leaves what the default map says of its target in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from dataclasses import field as field_of
from typing import Final
from zoneinfo import ZoneInfo

from consumer.domain.connections.mapping import MAPPED_KINDS, FieldMap, FieldMaps, Policy
from consumer.domain.fields.conversion import NEW_CHOICE, Converted, Problem, Target, convert, convertible
from consumer.domain.fields.definitions import Alteration, FieldChange, FieldDefinition, FieldDefinitions
from consumer.domain.fields.sources import REFERENCES, SOURCE_TYPES, STANDARD, Standard
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.records.field_values import ONE_LINE, FieldType, FieldValue
from consumer.domain.records.identity import Fields, Kind
from consumer.domain.records.text import natural_name

_OFF_SINCE: Final = {Alteration.REMOVED, Alteration.RETYPED, Alteration.RENAMED}
PLAIN_TYPES: Final = ONE_LINE - {FieldType.UNKNOWN, FieldType.CHECKBOX, FieldType.DATETIME}
"""Types of which a single value is written in a text field as it is."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A pair in force.

    Attributes:
        field: of the record in Swoogo: ours where it is a standard one, else Swoogo's attribute.
        target: how values are converted; None for a default pair, which has its own rules (S1-S5, P1, O1).
        required: Swoogo requires it, so that it is never cleared.
        done: values that were converted before, since records share most of them; `ready`: those that simply go.
    """

    source: str
    field: str
    policy: Policy = Policy.UNTIL_EDITED
    target: Target | None = None
    required: bool = False
    done: dict[FieldValue, Converted] = field_of(default_factory=dict, compare=False, repr=False)
    ready: dict[FieldValue | None, str] = field_of(default_factory=dict, compare=False, repr=False)

    @property
    def plain(self) -> int | None:
        """Characters up to which one clean line goes as it is; None when it does not."""
        target = self.target
        texts = target and target.definition.type in {FieldType.TEXT, FieldType.LONG_TEXT}
        return target.longest if target and texts and not target.values and self.field not in REFERENCES else None

    def convert(self, value: FieldValue) -> Converted:
        found = self.done.get(value)
        if found is None:
            assert self.target is not None  # noqa: S101 - default pairs are not converted
            found = self.done[value] = convert(value, self.target)
            if found[0] and not found[1] and self.field not in REFERENCES:
                self.ready[value] = found[0]
        return found


@dataclass(frozen=True, slots=True)
class FittedMap:
    """The pairs of one kind.

    Attributes:
        standard: fields that come by their default pair.
        mapped: pairs that are converted.
        policies: field -> policy, where it is another than the default one.
        off: pairs that do not fit.
        plain: those of `mapped` of which one line goes as it is: source, field, up to which length, pair.
        converted: the others, with what became of values that records share.
    """

    kind: Kind
    standard: frozenset[str]
    mapped: tuple[Pair, ...] = ()
    policies: Mapping[str, Policy] = field_of(default_factory=dict)
    off: tuple[tuple[FieldMap, Problem], ...] = ()
    plain: tuple[tuple[str, str, int, Pair], ...] = ()
    converted: tuple[tuple[str, str, dict[FieldValue | None, str], Pair], ...] = ()

    def new_choices(self, fields: Iterable[Fields]) -> dict[tuple[Kind, str], tuple[str, ...]]:
        """(kind, attribute) -> names that values of these records need as choices, each once (F3)."""
        adding = [pair.field for pair in self.mapped if pair.target and pair.target.adds]
        names: dict[str, dict[str, str]] = {}
        for sent in fields if adding else ():
            for name in adding:
                for part in sent.get(name, "").split(","):
                    if part.startswith(NEW_CHOICE):
                        called = part.removeprefix(NEW_CHOICE)
                        names.setdefault(name, {}).setdefault(natural_name(called), called)
        return {(self.kind, name): tuple(found.values()) for name, found in names.items()}

    def issues(self, event_key: str) -> list[Issue]:
        """What does not fit, known before the first record is sent, and what no record can be converted for."""
        found = [
            Issue(event_key, problem.code, f"{_PLURAL[self.kind]}.{each.source}", problem.detail)
            for each, problem in self.off
        ]
        for pair in self.mapped:
            misfits = sorted({FieldType(kind) for kind, texts in pair.done if texts and not self._fits(pair, kind)})
            if misfits:
                detail = f"{_words(misfits[0])} cannot become {_words(_type(pair))}.".capitalize()
                found.append(Issue(event_key, Code.FIELD_MAP_INVALID, f"{_PLURAL[self.kind]}.{pair.source}", detail))
        return found

    @staticmethod
    def _fits(pair: Pair, kind: str) -> bool:
        return kind == FieldType.UNKNOWN or convertible(FieldType(kind), _type(pair))


DEFAULT: Final[Mapping[Kind, FittedMap]] = {
    kind: FittedMap(kind, frozenset(each.field for each in pairs)) for kind, pairs in STANDARD.items()
}
"""The map of a mapping without one, every default pair on."""

_PLURAL: Final = {Kind.SESSION: "sessions", Kind.SPEAKER: "speakers", Kind.SPONSOR: "sponsors"}


@dataclass(frozen=True, slots=True)
class Fitting:
    """What a map is fitted to.

    Attributes:
        definitions: Swoogo's fields as they were last read.
        changes: what became of them since the mapping was published.
        line, text: longest texts, characters.
        closed: (kind, attribute) of fields to which no choices are added.
    """

    definitions: FieldDefinitions
    changes: Sequence[FieldChange]
    zone: ZoneInfo
    line: int
    text: int
    closed: AbstractSet[tuple[Kind, str]] = frozenset()


def fit(kind: Kind, maps: Sequence[FieldMap], fitting: Fitting, off: AbstractSet[str] = frozenset()) -> FittedMap:
    """Fit the pairs of one kind. `off`: standard fields that are off unless a pair names them (S9)."""
    standard = DEFAULT[kind].standard - off
    if not maps:
        return replace(DEFAULT[kind], standard=standard) if off else DEFAULT[kind]
    pairs: dict[str, Pair] = {}
    refused: list[tuple[FieldMap, Problem]] = []
    switched_off: set[str] = set()
    for each in maps:
        fed = {one.field for one in STANDARD[kind] if one.source == each.source}
        found = _off(kind, each) if each.target is None else _fitted(kind, each, each.target, fitting)
        if isinstance(found, Pair) and found.field in pairs:
            found = _invalid(f"{each.target} has another source already.")
        if isinstance(found, Problem):
            refused.append((each, found))
        elif found is None:
            switched_off |= fed
        else:
            pairs[found.field] = found
    mapped = tuple(pair for pair in pairs.values() if pair.target is not None)
    natives = {pair.field for pair in pairs.values() if pair.target is None}
    return FittedMap(
        kind,
        (standard - switched_off - {pair.field for pair in mapped}) | natives,
        mapped,
        {pair.field: pair.policy for pair in pairs.values() if pair.policy is not Policy.UNTIL_EDITED},
        tuple(refused),
        tuple((pair.source, pair.field, pair.plain, pair) for pair in mapped if pair.plain is not None),
        tuple((pair.source, pair.field, pair.ready, pair) for pair in mapped if pair.plain is None),
    )


def _off(kind: Kind, each: FieldMap) -> Problem | None:
    fed = [one for one in STANDARD[kind] if one.source == each.source]
    if not fed:
        return _invalid(f"{each.source} goes nowhere by default, so there is nothing to switch off.")
    required = [one.attribute for one in fed if one.required]
    return _invalid(f"Swoogo requires {required[0]}, so it cannot be off.") if required else None


def _fitted(kind: Kind, each: FieldMap, target: str, fitting: Fitting) -> Pair | Problem:
    standard = next((one for one in STANDARD[kind] if target in {one.attribute, one.field}), None)
    if standard and standard.source == each.source and not each.values:
        return Pair(each.source, standard.field, each.policy, required=standard.required)
    if standard and standard.locked:
        return _invalid(f"{standard.attribute} always comes from {standard.source}.")
    definition = _definition(kind, target, standard, fitting)
    if isinstance(definition, Problem):
        return definition
    source = SOURCE_TYPES[kind].get(each.source)
    if source and not convertible(source, definition.type):
        return _invalid(f"{_words(source)} cannot become {_words(definition.type)}.")
    target_of = Target(
        definition,
        fitting.zone,
        fitting.text if definition.type in {FieldType.LONG_TEXT, FieldType.HTML} else fitting.line,
        {natural_name(name): value for name, value in each.values},
        add_choices=each.add_choices and (kind, definition.attribute) not in fitting.closed,
    )
    name = standard.field if standard else definition.attribute
    required = definition.required or bool(standard and standard.required)
    return Pair(each.source, name, each.policy, target_of, required=required)


def _definition(kind: Kind, target: str, standard: Standard | None, fitting: Fitting) -> FieldDefinition | Problem:
    """The field of that attribute, else of that label; a standard one is known without having been read."""
    fields = fitting.definitions.fields.get(kind, {})
    named = [one for one in fields.values() if natural_name(one.label) == natural_name(target)]
    held = fields.get(standard.attribute if standard else target) or (named[0] if len(named) == 1 else None)
    for change in fitting.changes:
        called = {change.attribute, *([change.before] if change.what is not Alteration.RETYPED else [])}
        if (
            change.kind is kind
            and change.what in _OFF_SINCE
            and (target in called or (held and held.attribute in called))
        ):
            return Problem(Code.FIELD_CHANGED, _CHANGED[change.what].format(target=target, change=change))
    if standard:  # its shape is ours to know (`wire.RESOURCES`)
        base = held or FieldDefinition(kind, standard.attribute, standard.attribute, standard.type)
        return replace(base, type=FieldType.TEXT if standard.field in REFERENCES else standard.type)
    if held is None:
        if len(named) > 1:
            return _invalid(f"{len(named)} fields of Swoogo are called {target}; name one by its attribute.")
        if not fitting.definitions.read_at:
            return _invalid(f"Swoogo's fields could not be read yet, so {target} is not known.")
        return _invalid(f"Swoogo has no field {target}.")
    if held.read_only:
        return _invalid(f"{target} cannot be written in Swoogo.")
    if held.type in {FieldType.FILE, FieldType.UNKNOWN}:
        return _invalid(f"values of {target} ({held.native_type or held.type.value}) cannot be sent.")
    return held


_CHANGED: Final = {
    Alteration.REMOVED: "{target} was removed in Swoogo.",
    Alteration.RETYPED: "{target} was {change.before} in Swoogo and is {change.after} now.",
    Alteration.RENAMED: "{change.before} is called {change.after} in Swoogo now.",
}


def _invalid(why: str) -> Problem:
    return Problem(Code.FIELD_MAP_INVALID, why[:1].upper() + why[1:])


def _words(kind: FieldType) -> str:
    return {"html": "formatted text", "choices": "multiple choice"}.get(kind.value, kind.value.replace("_", " "))


def _type(pair: Pair) -> FieldType:
    return pair.target.definition.type if pair.target else FieldType.UNKNOWN


def watched_fields(maps: FieldMaps, definitions: FieldDefinitions) -> dict[Kind, frozenset[str]]:
    """Fields of which it counts whether Swoogo has anything (F4), whether their pairs fit or not."""
    found: dict[Kind, frozenset[str]] = {}
    for kind in MAPPED_KINDS:
        wanted = {natural_name(each.target or "") for each in maps.of(kind) if each.policy is Policy.IF_EMPTY}
        named = {(name, one.field) for one in STANDARD[kind] for name in (one.attribute, one.field)}
        held = definitions.fields.get(kind, {}).values()
        named |= {(name, each.attribute) for each in held for name in (each.attribute, each.label)}
        if fields := frozenset(field for name, field in named if natural_name(name) in wanted):
            found[kind] = fields
    return found
