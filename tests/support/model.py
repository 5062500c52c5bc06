"""Swoogo and the ledger in memory, and plans executed on them call by call: what a push does, without its plumbing.

Guarantees: a record is written as `services/operations.py` writes it, intent first; a call can be made to lose
its answer or never to arrive, as creates do in real life. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import Enum

from consumer.domain.orders.ledger_commands import LedgerCommand, apply_commands, kinds_to_look_at
from consumer.domain.planning.natural_key import natural_key
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, Plan, Update
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.records.identity import Fields, Kind, digest, key_of
from consumer.domain.records.ledger import Directory, Entry, Remote, State


class Fate(Enum):
    """What becomes of a call."""

    ANSWERED = "answered"
    ANSWER_LOST = "answer lost"
    NEVER_ARRIVED = "never arrived"


@dataclass(slots=True)
class Model:
    """One event.

    Attributes:
        records: what Swoogo holds; `location` and `track` of a session are Swoogo's ids.
        links: (speaker id, session id) in Swoogo.
        ledger: what we know of it.
        written: calls that changed something.
        listed: calls that read a list.
        made: ledger key -> ids that creates of it made, whether they were answered or not.
        remembered: what was read of Swoogo before, which a plan may know of without a list of its own.
    """

    records: dict[Kind, dict[int, dict[str, str]]] = field(default_factory=lambda: {kind: {} for kind in Kind})
    links: set[tuple[int, int]] = field(default_factory=set)
    ledger: dict[str, Entry] = field(default_factory=dict)
    written: int = 0
    listed: int = 0
    made: dict[str, list[int]] = field(default_factory=dict)
    remembered: dict[Kind, Directory] = field(default_factory=dict)
    _last_id: int = 100

    def add(self, kind: Kind, **fields: str) -> int:
        """A record made by hand, or by a call."""
        self._last_id += 1
        self.records[kind][self._last_id] = dict(fields)
        return self._last_id

    def directory(self, kind: Kind) -> Directory:
        """A list call."""
        self.listed += 1
        rows = {
            each: Remote(each, natural_key(kind, fields), dict(fields)) for each, fields in self.records[kind].items()
        }
        return Directory(rows, fresh=True)

    def remember(self, kind: Kind) -> None:
        """A survey: ids and natural keys are kept."""
        rows = {each.id: Remote(each.id, each.natural) for each in self.directory(kind).rows.values()}
        self.remembered[kind] = Directory(rows)

    def obey(self, orders: Iterable[LedgerCommand], given: PlanInput) -> None:
        """What an operator asked for."""
        asked = frozenset(orders)
        looked = {kind: self.directory(kind) for kind in kinds_to_look_at(asked)}
        outcome = apply_commands(
            asked, self.ledger, looked, now=given.now, settle_time=given.settle_time, era=given.mapping.era
        )
        assert (outcome.done, outcome.issues) == (asked, ())
        held = {**self.ledger, **outcome.changes}
        self.ledger = {key: entry for key, entry in held.items() if entry is not None}

    def plan(self, given: PlanInput) -> Plan:
        """Plan with this ledger, listing what the plan asks for, as a push does."""
        given = replace(given, ledger=dict(self.ledger), directories=dict(self.remembered))
        plan = make_plan(given)
        while plan.looks:
            looked = {kind: self.directory(kind) for kind in plan.looks}
            given = replace(given, directories={**given.directories, **looked})
            plan = make_plan(given)
        return plan

    def push(self, given: PlanInput, fates: Iterable[Fate] = (), *, stop_after: int | None = None) -> Plan:
        """Plan and execute; the first calls meet these fates, and the worker dies after `stop_after` of them."""
        plan = self.plan(given)
        fate = iter(fates)
        for operation in plan.operations[:stop_after]:
            self._perform(operation, next(fate, Fate.ANSWERED), given.now)
        return plan

    def _perform(self, operation: Operation, fate: Fate, now: int) -> None:
        match operation:
            case Create():
                self._create(operation, fate, now)
            case Adopt():
                self._adopt(operation, fate, now)
            case Update():
                fields = self._resolved(operation.fields)
                if self._write(operation.kind, operation.swoogo_id, fields, fate):
                    self._applied((operation.key,), self.ledger[operation.key], fields, operation)
            case Link():
                self._link(operation, fate)
            case Delete():
                self._delete(operation, fate)

    def _delete(self, operation: Delete, fate: Fate) -> None:
        if fate is not Fate.NEVER_ARRIVED:
            self.written += 1
            self.records[operation.kind].pop(operation.swoogo_id, None)
            self.links = {link for link in self.links if operation.swoogo_id not in link}
        if fate is Fate.ANSWERED:
            del self.ledger[operation.key]
            for key, entry in self.ledger.items():
                kept = tuple(each for each in entry.links if operation.key != key_of(Kind.SESSION, each))
                self.ledger[key] = replace(entry, links=kept)

    def _create(self, operation: Create, fate: Fate, now: int) -> None:
        fields = self._resolved(operation.fields)
        keys = (operation.key, *operation.also)
        intent = Entry(
            State.INTENT,
            natural=operation.natural,
            version=operation.version,
            at=now,
            besides=operation.besides,
            newest_known=operation.newest_known,
        )
        self.ledger.update(dict.fromkeys(keys, intent))
        if fate is not Fate.NEVER_ARRIVED:
            self.written += 1
            swoogo_id = self.add(operation.kind, **self._wire(fields))
            for key in keys:
                self.made.setdefault(key, []).append(swoogo_id)
            if fate is Fate.ANSWERED:
                self._applied(keys, replace(intent, swoogo_id=swoogo_id), fields, operation)

    def _adopt(self, operation: Adopt, fate: Fate, now: int) -> None:
        keys = (operation.key, *operation.also)
        differing = self._resolved(operation.differing) if operation.credits else {}
        same = {name: value for name, value in self._resolved(operation.fields).items() if name not in differing}
        entry = Entry(State.APPLIED, operation.remote.id, _digests(same), natural=operation.natural, at=now)
        self.ledger.update(dict.fromkeys(keys, entry))
        if differing and self._write(operation.kind, operation.remote.id, differing, fate):
            self._applied(keys, entry, differing, operation)

    def _link(self, operation: Link, fate: Fate) -> None:
        entry = self.ledger.get(operation.key)
        if entry is None or not entry.live or entry.swoogo_id is None:
            return
        add = {each: found for each in operation.add if (found := self.swoogo_id(Kind.SESSION, each))}
        remove = {each: found for each in operation.remove if (found := self.swoogo_id(Kind.SESSION, each))}
        if fate is not Fate.NEVER_ARRIVED:
            self.written += 1
            self.links |= {(entry.swoogo_id, found) for found in add.values()}
            self.links -= {(entry.swoogo_id, found) for found in remove.values()}
        if fate is Fate.ANSWERED:
            links = (set(entry.links) | add.keys()) - set(operation.remove)
            self.ledger[operation.key] = replace(entry, links=tuple(sorted(links)))

    def _write(self, kind: Kind, swoogo_id: int, fields: Fields, fate: Fate) -> bool:
        """Send an update; True when its answer came."""
        if fate is not Fate.NEVER_ARRIVED:
            self.written += 1
            self.records[kind][swoogo_id].update(self._wire(fields))
        return fate is Fate.ANSWERED

    def _applied(self, keys: tuple[str, ...], entry: Entry, fields: Fields, operation: Create | Adopt | Update) -> None:
        digests = _digests(fields)
        sent = entry.sent(digests, digests, natural=operation.natural, version=operation.version)
        self.ledger.update(dict.fromkeys(keys, sent))

    def _resolved(self, fields: Fields) -> dict[str, str]:
        unknown = {
            kind.value
            for kind in (Kind.LOCATION, Kind.TRACK)
            if fields.get(kind.value) and not self.swoogo_id(kind, fields[kind.value])
        }
        return {name: value for name, value in fields.items() if name not in unknown}

    def _wire(self, fields: Fields) -> dict[str, str]:
        places = {
            kind.value: str(self.swoogo_id(kind, fields[kind.value]))
            for kind in (Kind.LOCATION, Kind.TRACK)
            if fields.get(kind.value)
        }
        return {**fields, **places}

    def swoogo_id(self, kind: Kind, identifier: str) -> int | None:
        """Swoogo's id of a record of ours."""
        entry = self.ledger.get(key_of(kind, identifier))
        return entry.swoogo_id if entry and entry.live else None


def _digests(fields: Fields) -> dict[str, str]:
    return {name: digest(value) for name, value in fields.items()}
