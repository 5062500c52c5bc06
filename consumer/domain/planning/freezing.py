"""U1: the part of a plan that freezes let through, and the rest of it, which waits.

A record that is created goes without its frozen fields, unless Swoogo requires one of them; they follow when the freeze
ends, as the ledger does not have them. What refers to a record that is not created waits with it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final

from consumer.domain.fields.sources import STANDARD
from consumer.domain.planning.control import Freeze
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import NAMED_ONLY, Adopt, Create, Link, Operation, Plan, SetImage, Update
from consumer.domain.planning.scope import places_of, stands_for
from consumer.domain.records.identity import Kind, id_of, key_of

_REQUIRED: Final = {kind: {each.field for each in fields if each.required} for kind, fields in STANDARD.items()}


def thawed(plan: Plan, freezes: Collection[Freeze]) -> Plan:
    """The plan without what is frozen, which is in its `frozen`. A record of which nothing goes is skipped.

    `plan`: of the whole event, before a scope restricts it.
    """
    if not freezes:
        return plan
    parts = {id(each): _parts(each, freezes) for each in plan.operations if each.kind not in NAMED_ONLY}
    absent = {each.key for each in plan.operations if isinstance(each, Create | Adopt) and _held(parts, each)}
    for each in plan.operations:
        if isinstance(each, Link | SetImage) and parts[id(each)][0]:
            parts[id(each)] = _without(each, absent)
    sent = [now for now, _ in parts.values() if now]
    waiting = [rest for _, rest in parts.values() if rest]
    needed, wanted = places_of(sent), places_of(waiting)
    whole = any(not each.kind for each in freezes)
    phases: list[tuple[Operation, ...]] = []
    frozen: list[Operation] = []
    for phase in plan.phases:
        kept: list[Operation] = []
        for each in phase:
            if each.kind in NAMED_ONLY:
                names = set(stands_for(each))
                waits = whole or (not names.isdisjoint(wanted) and names.isdisjoint(needed))
                now, rest = (None, each) if waits else (each, None)
            else:
                now, rest = parts[id(each)]
            kept += [now] if now else []
            frozen += [rest] if rest else []
        phases.append(tuple(kept))
    kinds = {each.kind for phase in phases for each in phase}
    left = {each.kind for each in frozen} - kinds
    return replace(
        plan,
        phases=tuple(phases),
        looks=frozenset(plan.looks - left),
        skips=(*plan.skips, *_skips(plan, sent, waiting)),
        frozen=tuple(frozen),
    )


def _parts(operation: Operation, freezes: Iterable[Freeze]) -> tuple[Operation | None, Operation | None]:
    """What of a record's operation is sent, and what waits."""
    if any(each.holds(operation) for each in freezes):
        return None, operation
    if not isinstance(operation, Create | Adopt | Update):
        return operation, None
    names = {name for each in freezes if each.kind == operation.kind for name in each.fields}
    fields = {name: value for name, value in operation.fields.items() if name not in names}
    if len(fields) == len(operation.fields):
        return operation, None
    rest = {name: value for name, value in operation.fields.items() if name in names}
    if isinstance(operation, Update):
        now, later = (
            replace(operation, fields=some, before={name: operation.before[name] for name in some})
            for some in (fields, rest)
        )
        return (now if fields else None), later
    if isinstance(operation, Create) and names & _REQUIRED[operation.kind]:
        return None, operation
    return replace(operation, fields=fields), (replace(operation, fields=rest) if any(rest.values()) else None)


def _held(parts: dict[int, tuple[Operation | None, Operation | None]], operation: Operation) -> bool:
    return id(operation) in parts and parts[id(operation)][0] is None


def _without(operation: Link | SetImage, absent: Collection[str]) -> tuple[Operation | None, Operation | None]:
    """An association or an image without records that are not created while they are frozen."""
    if operation.key in absent:
        return None, operation
    if isinstance(operation, SetImage):
        return operation, None
    sessions = {id_of(each) for each in absent if each == key_of(Kind.SESSION, id_of(each))}
    later = tuple(each for each in operation.add if each in sessions)
    if not later:
        return operation, None
    now = replace(operation, add=tuple(each for each in operation.add if each not in sessions))
    return (now if now.credits else None), Link(operation.key, later, ())


def _skips(plan: Plan, sent: Iterable[Operation], waiting: Iterable[Operation]) -> list[Skip]:
    known = {each.key for each in (*sent, *plan.skips)}
    keys = {each.key for each in waiting if each.kind in _REQUIRED} - known
    return [Skip(key, Reason.FROZEN) for key in sorted(keys)]
