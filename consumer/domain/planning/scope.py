"""What one sync covers: the whole event, the agenda or the sponsors, or selected records (O3, O4, R6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.planning.plan import NAMED_ONLY, Adopt, Create, Delete, Link, Operation, Plan, SetImage
from consumer.domain.planning.request import SyncRequest
from consumer.domain.records.identity import Kind, Source, id_of, key_of
from consumer.domain.records.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Scope:
    """What a plan may touch. With `session_ids` or `speaker_ids`, only those records and what they need."""

    agenda: bool = True
    sponsors: bool = True
    session_ids: frozenset[str] = frozenset()
    speaker_ids: frozenset[str] = frozenset()

    @property
    def selected(self) -> bool:
        return bool(self.session_ids or self.speaker_ids)

    @property
    def name(self) -> str:
        """`all`, `agenda` or `sponsors`, as it was asked for."""
        if self.agenda and self.sponsors:
            return "all"
        return "agenda" if self.agenda else "sponsors"

    def covers_mark(self, key: str) -> bool:
        """Whether a sync of this scope deals with a change of the record under this snapshot key."""
        if key.startswith(f"{Source.SPONSOR.value}/"):
            return self.sponsors
        return self.agenda and not self.selected


def covers(scope: Scope, key: str, snapshot: Snapshot) -> bool:
    """Whether the record under this ledger key is among those that a sync of this scope is about.

    With selected records that are these, and the speakers of a selected session.
    """
    kind, _, identifier = key.partition("/")
    if kind in {Kind.SPONSOR, Kind.LEVEL}:
        return scope.sponsors
    if not scope.selected or not scope.agenda:
        return scope.agenda or kind == "event"
    if kind == Kind.SESSION:
        return identifier in scope.session_ids
    chosen = (snapshot.sessions[each] for each in scope.session_ids if each in snapshot.sessions)
    on = any(person.contact_id == identifier for session in chosen for person in session.people)
    return kind == Kind.SPEAKER and (identifier in scope.speaker_ids or on)


def restrict(plan: Plan, scope: Scope, sessions_of: Mapping[str, tuple[str, ...]], parked: Mapping[str, str]) -> Plan:
    """The part of a plan that a scope allows, the rest of it as `outside`; skips and issues stay as they are.

    An association needs its session in Swoogo: with one that the scope leaves out and that is not there yet, it is
    left out too.

    `sessions_of`: contact id -> ids of the sessions that person is on. `parked`: issue key -> fingerprint of what
    Swoogo refused, which may be the allowed part of an association.
    """
    if scope == Scope():
        return plan
    records = [operation for operation in plan.operations if _within(operation, scope, sessions_of)]
    needed = places_of(records)
    places = [operation for operation in plan.operations if operation.kind in NAMED_ONLY]
    kept = {*map(id, records), *(id(each) for each in places if not needed.isdisjoint(stands_for(each)))}
    left = [operation for operation in plan.operations if id(operation) not in kept]
    absent = {id_of(each.key) for each in left if each.kind is Kind.SESSION and isinstance(each, Create | Adopt)}
    phases: list[tuple[Operation, ...]] = []
    outside: list[Operation] = []
    for phase in plan.phases:
        parts = [_parts(each, absent, parked) if id(each) in kept else ([], [each]) for each in phase]
        phases.append(tuple(each for inside, _ in parts for each in inside))
        outside += [each for _, rest in parts for each in rest]
    kinds = {operation.kind for phase in phases for operation in phase}
    return replace(plan, phases=tuple(phases), looks=frozenset(plan.looks & kinds), outside=tuple(outside))


def _parts(
    operation: Operation, absent: AbstractSet[str], parked: Mapping[str, str]
) -> tuple[list[Operation], list[Operation]]:
    """What of an operation can be sent, and what has to wait for sessions that are not in Swoogo."""
    if not isinstance(operation, Link) or absent.isdisjoint(operation.add):
        return [operation], []
    now = replace(operation, add=tuple(each for each in operation.add if each not in absent))
    rest = Link(operation.key, tuple(each for each in operation.add if each in absent), ())
    sent = now.credits and parked.get(now.issue_key) != now.fingerprint
    return [now] if sent else [], [rest]


def places_of(operations: Iterable[Operation]) -> set[str]:
    """Ledger keys of the rooms, tracks and levels that records refer to."""
    return {
        key_of(kind, operation.fields.get(kind.value, ""))
        for operation in operations
        if not isinstance(operation, Link | Delete | SetImage)
        for kind in NAMED_ONLY
    }


def stands_for(operation: Operation) -> tuple[str, ...]:
    """The ledger keys it gives a Swoogo id to: rooms of one name share a location."""
    return (operation.key, *operation.also) if isinstance(operation, Create | Adopt) else (operation.key,)


def _within(operation: Operation, scope: Scope, sessions_of: Mapping[str, tuple[str, ...]]) -> bool:
    identifier = id_of(operation.key)
    if operation.kind is Kind.SPONSOR:
        return scope.sponsors
    if operation.kind in NAMED_ONLY or not scope.agenda:
        return False
    if not scope.selected:
        return True
    if operation.kind is Kind.SESSION:
        return identifier in scope.session_ids
    on = sessions_of.get(identifier, ())
    if isinstance(operation, Link):  # also of somebody who was taken off a selected session
        on = (*on, *operation.remove)
    return identifier in scope.speaker_ids or any(session in scope.session_ids for session in on)


def scope_of_changes(settings: MappingSettings) -> Scope:
    """What continuous sync covers (O4)."""
    return Scope(sponsors=settings.sync_sponsors)


def scope_of_request(request: SyncRequest) -> Scope:
    """What a manual sync covers: `agenda`, `sponsors` or `all` (O3); selected records are of the agenda (R6)."""
    return Scope(
        agenda=request.scope != "sponsors" or request.selected,
        sponsors=request.sponsors,
        session_ids=frozenset(request.session_ids),
        speaker_ids=frozenset(request.speaker_ids),
    )
