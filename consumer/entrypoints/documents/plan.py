"""`plan`: what a sync would do now, read from Redis alone and without doing it (N3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from consumer.adapters.sealing import digests_of
from consumer.domain.approval import plan_id
from consumer.domain.conversion import NEW_CHOICE
from consumer.domain.digests import is_keyed
from consumer.domain.field_definitions import FieldDefinitions
from consumer.domain.hands import hand_of
from consumer.domain.identity import Kind, id_of, key_of, readable
from consumer.domain.issue import Issue
from consumer.domain.labels import Labels
from consumer.domain.ledger import Ledger
from consumer.domain.ledger_commands import LedgerCommand
from consumer.domain.mapping import EventMapping
from consumer.domain.plan import Adopt, Create, Delete, Link, Operation, Plan, SetImage, Update
from consumer.domain.rekeying import revealed
from consumer.domain.sentences import for_admin, for_operator
from consumer.domain.snapshot import Snapshot
from consumer.domain.text import masked
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.control import FreezeRow, approval_word, freeze_rows
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso
from consumer.services.planning import preview, rules_of, upcoming_facts

REFERENCES = (Kind.LOCATION, Kind.TRACK)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field that would be sent. `old` is None when it is not known before Swoogo is asked."""

    field: str
    old: str | None
    new: str


@dataclass(frozen=True, slots=True)
class Association:
    """A session that a speaker would be associated with, or taken off."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Planned:
    """One operation. `action`: create, adopt, update, link or delete."""

    action: str
    kind: str
    id: str
    title: str
    credits: int
    swoogo_id: int | None = None
    fields: tuple[FieldChange, ...] = ()
    add: tuple[Association, ...] = ()
    remove: tuple[Association, ...] = ()


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that would not be synced, and why."""

    kind: str
    id: str
    reason: str
    sentence: str


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An issue: `effect` is left_out, partial or complete; `sentence` is for event admins, `operator` for operators.

    `hand`: what to do about it, see `domain.hands`.
    """

    kind: str
    id: str
    code: str
    effect: str
    field: str
    sentence: str
    operator: str
    hand: str = ""


@dataclass(frozen=True, slots=True)
class PlanDocument:
    """What `plan --json` prints.

    Attributes:
        looks: kinds listed in Swoogo before anything is written, because something may have to be adopted.
        unchanged: kind -> records that need nothing.
        left_out: kind -> reason -> how many.
        wait_until: when something undecided now can be decided.
        with_event: those of the looks that are read with the event, one credit together.
        credits: of all calls, lists with their first page.
        credits_left: what the credential has now.
        seconds: how long it would take when Swoogo answers in `latency` seconds.
        plan_id: what `approve` names; "" of an empty plan.
        approval: required, approved or refused, where the mapping asks for it; else "".
        frozen: what waits for the end of a freeze; `freezes`: those that hold now.
    """

    event_id: str
    mapped: bool
    swoogo_event_id: int = 0
    continuous: bool = False
    operations: tuple[Planned, ...] = ()
    looks: tuple[str, ...] = ()
    with_event: tuple[str, ...] = ()
    unchanged: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    left_out_records: tuple[LeftOut, ...] = ()
    issues: tuple[IssueRow, ...] = ()
    wait_until: str | None = None
    credits: int = 0
    calls: int = 0
    credits_left: int = 0
    latency: float = 0.0
    seconds: float = 0.0
    plan_id: str = ""
    approval: str = ""
    frozen: tuple[Planned, ...] = ()
    freezes: tuple[FreezeRow, ...] = ()


async def read_plan(stores: StoreSession, event_id: str, latency: float) -> PlanDocument:
    """Plan an event as the next push would, before its first call.

    Args:
        stores: where to read.
        event_id: the Sessionboard event, or the beginning of its id.
        latency: seconds Swoogo takes to answer a call.

    Raises:
        AmbiguousIdError: several events begin so.
        UnavailableError: Redis does not answer, or is being rebuilt.
        UnknownTimezoneError: the mapping names a zone that does not exist.
    """
    await require_complete(stores)
    event_id = await whole_event(stores, event_id)
    mapping = await stores.connections.mapping(event_id)
    if mapping is None:
        return PlanDocument(event_id, mapped=False)
    plan, words = await plan_of(stores, mapping)
    settings = stores.settings
    left = await stores.budget.left(mapping.credential)
    controls = (await stores.inbox.load(event_id, snapshot=False)).controls
    return PlanDocument(
        event_id,
        mapped=True,
        swoogo_event_id=mapping.swoogo_event_id,
        continuous=mapping.continuous,
        operations=tuple(words.planned(operation) for operation in plan.operations),
        looks=tuple(sorted(plan.looks)),
        with_event=tuple(sorted(plan.looks & plan.with_event)),
        unchanged={kind.value: count for kind, count in sorted(plan.unchanged.items())},
        left_out=_counts(plan),
        left_out_records=tuple(
            LeftOut(*_named(skip.key), skip.label, for_admin(skip.issue) if skip.issue else "") for skip in plan.skips
        ),
        issues=issue_rows(plan.issues),
        wait_until=iso(plan.wait_until or 0),
        credits=plan.credits,
        calls=plan.calls,
        credits_left=left,
        latency=latency,
        seconds=settings.pace(latency).seconds(plan.calls, plan.credits, left),
        plan_id=plan_id(plan),
        approval=approval_word(mapping, controls),
        frozen=tuple(words.planned(operation) for operation in plan.frozen),
        freezes=freeze_rows(controls, stores.clock.now()),
    )


async def plan_of(
    stores: StoreSession, mapping: EventMapping, more: AbstractSet[LedgerCommand] = frozenset()
) -> tuple[Plan, Words]:
    """What the next push of an event would do before its first call, and the names of its records.

    `more`: commands as if they had been given.

    Raises:
        UnavailableError: Redis does not answer.
        UnknownTimezoneError: the mapping names a zone that does not exist.
    """
    waiting = await stores.inbox.waiting(mapping.event_id)
    former = await stores.board.issues(mapping.event_id)
    facts = await upcoming_facts(
        stores.inbox, stores.ledger, former, mapping, attempt=waiting.attempt, request=waiting.request
    )
    if more:
        facts = replace(facts, state=replace(facts.state, commands=facts.state.commands | more))
    rules = rules_of(stores.settings.push, stores.settings.swoogo, digests_of(stores.settings.keys))
    plan, ledger = preview(facts, rules, stores.clock.now())
    labels = Labels(facts.state.snapshot, ledger, mapping)
    skips = tuple(replace(skip, issue=skip.issue and labels.dressed_all([skip.issue])[0]) for skip in plan.skips)
    dressed = replace(plan, skips=skips, issues=labels.dressed_all(plan.issues))
    known = revealed(ledger, facts.state.snapshot, rules.limits, rules.digests)
    return dressed, Words(facts.state.snapshot, known, facts.definitions)


def issue_rows(issues: Iterable[Issue]) -> tuple[IssueRow, ...]:
    """Issues as people read them: those of records left out first, then by code and record."""
    return tuple(
        IssueRow(
            *_named(issue.key),
            issue.code.value,
            issue.effect.value,
            issue.field,
            masked(for_admin(issue)),
            masked(for_operator(issue)),
            hand_of(issue.code).value,
        )
        for issue in sorted(issues, key=lambda each: (each.effect.rank, each.code, each.key, each.field))
    )


def _named(key: str) -> tuple[str, str]:
    kind, _, identifier = key.partition("/")
    return kind, identifier


def _counts(plan: Plan) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for (kind, reason), count in sorted(plan.left_out().items()):
        counts.setdefault(kind, {})[reason] = count
    return counts


class Words:
    """Turns ids into names people know."""

    def __init__(self, snapshot: Snapshot, ledger: Ledger, definitions: FieldDefinitions) -> None:
        self._snapshot = snapshot
        self._ledger = ledger
        self._definitions = definitions
        places = ((session.room, session.track) for session in snapshot.sessions.values())
        self._places = {place.id: place.name for pair in places for place in pair if place}

    def planned(self, operation: Operation) -> Planned:
        """An operation for people."""
        kind, identifier = operation.kind.value, id_of(operation.key)
        match operation:
            case Create():
                fields = self._changes(operation.kind, operation.fields, dict.fromkeys(operation.fields, ""))
                title = self.title(operation.key, operation.fields)
                sent = tuple(change for change in fields if change.new)
                return Planned("create", kind, identifier, title, operation.credits, fields=sent)
            case Adopt():
                sends = {} if operation.kind in REFERENCES else operation.differing
                fields = self._changes(operation.kind, sends, operation.remote.fields)
                title = self.title(operation.key, operation.fields)
                return Planned("adopt", kind, identifier, title, operation.credits, operation.remote.id, fields)
            case Update():
                sends = {name: operation.fields[name] for name in operation.before}
                before = {name: readable(value) for name, value in operation.before.items()}
                fields = self._changes(operation.kind, sends, before)
                title = self.title(operation.key, operation.fields)
                return Planned("update", kind, identifier, title, operation.credits, operation.swoogo_id, fields)
            case Link():
                entry = self._ledger.get(operation.key)
                return Planned(
                    "link",
                    kind,
                    identifier,
                    self.title(operation.key, {}),
                    operation.credits,
                    entry.swoogo_id if entry else None,
                    add=tuple(map(self._session, operation.add)),
                    remove=tuple(map(self._session, operation.remove)),
                )
            case SetImage():
                title = self.title(operation.key, {})
                return Planned("image", kind, identifier, title, operation.credits)
            case Delete():
                title = self.title(operation.key, {})
                return Planned("delete", kind, identifier, title, operation.credits, operation.swoogo_id)

    def _changes(self, kind: Kind, fields: Mapping[str, str], before: Mapping[str, str]) -> tuple[FieldChange, ...]:
        def shown(name: str, value: str) -> str:
            return masked(self.value(kind, name, value))

        return tuple(
            FieldChange(name, shown(name, before[name]) if name in before else None, shown(name, value))
            for name, value in fields.items()
        )

    def value(self, kind: Kind, name: str, value: str) -> str:
        """A value of a field with names in place of ids; not masked."""
        definition = self._definitions.get(kind, name)
        if definition and definition.has_choices:
            names = {str(each.id): each.name for each in definition.choices}
            return ", ".join(names.get(part, part.removeprefix(NEW_CHOICE)) for part in value.split(","))
        reference = kind is Kind.SESSION and name in {each.value for each in REFERENCES}
        return self._place(name, value) if reference and value else value

    def first_name(self, kind: Kind, name: str, value: str) -> str:
        """What a room or a track is called in Swoogo, which keeps the name it had first (S6); "" for other fields."""
        if kind is not Kind.SESSION or name not in REFERENCES:
            return ""
        entry = self._ledger.get(key_of(Kind(name), value))
        return readable(entry.pushed.get("name", "")) if entry else ""

    def swoogo_id(self, name: str, value: str) -> str:
        """By which id Swoogo knows a room or a track; "" where it does not."""
        entry = self._ledger.get(key_of(Kind(name), value))
        return str(entry.swoogo_id) if entry and entry.swoogo_id else ""

    def _place(self, kind: str, identifier: str) -> str:
        """The name of a room or track; of one no session stands in any more, as it was last pushed."""
        entry = self._ledger.get(key_of(Kind(kind), identifier))
        pushed = readable(entry.pushed.get("name", "")) if entry else ""
        return self._places.get(identifier) or pushed or identifier

    def _session(self, identifier: str) -> Association:
        session = self._snapshot.sessions.get(identifier)
        return Association(identifier, session.title if session else "")

    def title(self, key: str, fields: Mapping[str, str]) -> str:
        """The record's name: as it would be sent, else as it was last pushed, else as Sessionboard has it."""
        entry = self._ledger.get(key)
        held = entry.pushed if entry else {}
        known = {
            **{name: readable(value) for name, value in held.items() if not is_keyed(value)},
            **self._profile(key),
            **{name: value for name, value in held.items() if not value.startswith("#")},
            **fields,
        }
        return masked(known.get("name") or f"{known.get('first_name', '')} {known.get('last_name', '')}".strip())

    def _profile(self, key: str) -> dict[str, str]:
        kind, _, identifier = key.partition("/")
        if kind == Kind.SESSION and identifier in self._snapshot.sessions:
            return {"name": self._snapshot.sessions[identifier].title}
        contact = self._snapshot.contacts.get(identifier) if kind == Kind.SPEAKER else None
        if contact is None:
            return {}
        return {"first_name": contact.profile.first_name or "", "last_name": contact.profile.last_name or ""}
