"""`plan`: what a sync would do now, read from Redis alone and without doing it (N3)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from consumer.adapters.digest_keys import digests_of
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.issues.labels import Labels
from consumer.domain.issues.sentences import for_admin
from consumer.domain.orders.ledger_commands import LedgerCommand
from consumer.domain.planning.approval import plan_id
from consumer.domain.planning.plan import Plan
from consumer.domain.planning.rekeying import revealed
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.control import FreezeRow, approval_word, freeze_rows
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.issues import IssueRow, issue_rows, named
from consumer.entrypoints.documents.planned import Planned, Words
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso
from consumer.services.plan_input import preview, rules_of, upcoming_facts


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A record that would not be synced, and why."""

    kind: str
    id: str
    reason: str
    sentence: str


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
            LeftOut(*named(skip.key), skip.label, for_admin(skip.issue) if skip.issue else "") for skip in plan.skips
        ),
        issues=issue_rows(event_id, plan.issues),
        wait_until=iso(plan.wait_until),
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


def _counts(plan: Plan) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for (kind, reason), count in sorted(plan.left_out().items()):
        counts.setdefault(kind, {})[reason] = count
    return counts
