"""What a plan is made from, for pushes and for people who look.

Guarantees: `preview` shows what the next push would plan before its first call, in every state; both build the input of
a plan by `plan_input`, and enter the same changes into the ledger before.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import UnreadableRowError
from consumer.domain.issues.issue import Issue
from consumer.domain.orders.ledger_commands import Action, apply_commands, confirmed_removals, kinds_to_look_at
from consumer.domain.planning.approval import refusals
from consumer.domain.planning.contact_succession import reassign_deleted_contacts
from consumer.domain.planning.desired import TextLimits
from consumer.domain.planning.plan import Plan
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.planning.rekeying import rekeyed
from consumer.domain.push.cause import ManualSync, Reconcile, cause_of, read_since
from consumer.domain.push.claim import Lease, event_subject
from consumer.domain.push.facts import Facts
from consumer.domain.records.digests import PLAIN, Digests, unknown_keys
from consumer.domain.records.identity import kind_of, record_key
from consumer.domain.records.ledger import Directory, Entry, Ledger, orphaned_intents
from consumer.domain.records.snapshot import Snapshot
from consumer.domain.surveys.survey import Survey
from consumer.domain.surveys.survey_issues import edits
from consumer.ports import Inbox, LedgerStore, SyncRequest
from consumer.services.field_definitions import kept_definitions
from consumer.settings import PushSettings, SwoogoSettings


@dataclass(frozen=True, slots=True)
class PlanRules:
    """Settings that a plan depends on. `settle_time`: how long an unanswered create may still take effect, ms.
    `digests`: of people's data (Y3).
    """

    limits: TextLimits
    settle_time: int
    digests: Digests = PLAIN


def rules_of(push: PushSettings, api: SwoogoSettings, digests: Digests) -> PlanRules:
    return PlanRules(TextLimits(api.max_name, api.max_text), round(push.create_settle_time * 1000), digests)


def plan_input(
    facts: Facts,
    ledger: Ledger,
    rules: PlanRules,
    now: int,
    changed_images: AbstractSet[str] = frozenset(),
    survey: Survey | None = None,
) -> PlanInput:
    """What a plan is made from.

    Args:
        facts: of the event.
        ledger: with everything that is entered before a plan is made.
        rules: settings.
        now: ms.
        changed_images: ledger keys whose image is another one now behind the same address (P4).
        survey: what was just read of Swoogo, in a reconcile.
    """
    refused, cause, state = facts.refused, facts.cause, facts.state
    # A reconcile tries what Swoogo refused once more: what it objected to may have been set right there. Without
    # continuous sync none comes round, and a person who asks for a sync asks for that too.
    once_more = isinstance(cause, Reconcile) or (isinstance(cause, ManualSync) and not facts.mapping.continuous)
    again = {each.key for each in facts.retries}
    return PlanInput(
        mapping=facts.mapping,
        snapshot=state.snapshot,
        ledger=ledger,
        now=now,
        directories=facts.directories,
        parked={} if once_more else {key: each for key, each in refused.items() if key not in again},
        refused=refused,
        confirmed=confirmed_removals(facts.retries),
        settle_time=rules.settle_time,
        limits=rules.limits,
        verify_before_create=state.verify_before_create,
        definitions=facts.definitions,
        field_changes=facts.field_changes,
        freezes=state.controls.active(now),
        notices=refusals(facts.event_id, state.controls.approval) if facts.mapping.settings.approval_required else (),
        edited=edits(facts.former.values(), survey.findings) if survey else {},
        overtaken=frozenset(map(record_key, state.overtaken)),
        changed_images=changed_images,
        digests=rules.digests,
        scope=facts.scope,
        read_since=read_since(facts.lease.attempt, cause.trigger, now),
    )


async def upcoming_facts(
    inbox: Inbox,
    store: LedgerStore,
    former: Mapping[str, Issue],
    mapping: EventMapping,
    *,
    attempt: int,
    request: SyncRequest | None,
    part: tuple[Snapshot, Ledger] | None = None,
) -> Facts:
    """What the next push of an event would load. Without continuous sync it is one that somebody asks for.

    Args:
        inbox: has the snapshot, the changes and the commands.
        store: has the ledger, and what Swoogo was last seen to hold.
        former: the issues of the event.
        mapping: of the event.
        attempt: failed pushes in a row.
        request: what the manual syncs that wait come to together.
        part: what was read of snapshot and ledger already, where no more is wanted.

    Raises UnavailableError.
    """
    event_id = mapping.event_id
    asked = request or (None if mapping.continuous else SyncRequest(""))
    lease = Lease(event_subject(event_id), epoch=0, op_id="", attempt=attempt, cause=cause_of(asked, None))
    state = await inbox.load(event_id, snapshot=part is None)
    ledger = await store.load(event_id) if part is None else part[1]
    state = state if part is None else replace(state, snapshot=part[0])
    facts = Facts(lease, mapping, state, ledger, former, await store.directories(event_id))
    return await kept_definitions(store, facts)


def preview(
    facts: Facts, rules: PlanRules, now: int, changed_images: AbstractSet[str] = frozenset()
) -> tuple[Plan, Ledger]:
    """What the next push would plan before its first call, and the ledger it would plan from; nothing is written.

    Raises UnreadableRowError: a key of its digests is missing.

    An adoption that an operator asked for counts when the record was listed before. Lists that commands need are looks.
    """
    if unknown := rules.digests.unknown(facts.ledger):
        raise UnreadableRowError(unknown_keys(facts.event_id, unknown))
    ledger = _updated(facts.ledger, rules.digests.sealed_ledger(facts.ledger))
    ledger = _updated(ledger, orphaned_intents(ledger, now))
    facts = replace(facts, directories=rules.digests.directories(facts.directories))
    kinds = kinds_to_look_at(facts.commands)
    directories = {kind: facts.directories.get(kind, Directory()) for kind in kinds}
    doable = frozenset(
        each
        for each in facts.commands
        if each.act is not Action.ADOPT or each.swoogo_id in directories[kind_of(each.key)].rows
    )
    outcome = apply_commands(doable, ledger, directories, now=now, settle_time=rules.settle_time, era=facts.mapping.era)
    ledger = _updated(ledger, outcome.changes)
    news, known = rekeyed(ledger, facts.directories, facts.state.snapshot, rules.limits, rules.digests)
    ledger, facts = _updated(ledger, news), replace(facts, directories=known)
    ledger = _updated(ledger, reassigned(facts, ledger, rules.digests))
    plan = make_plan(plan_input(facts, ledger, rules, now, changed_images))
    moments = [each for each in (plan.wait_until, outcome.wait_until) if each is not None]
    plan = replace(
        plan,
        looks=plan.looks | kinds,
        with_event=plan.with_event - kinds,
        issues=(*plan.issues, *outcome.issues),
        wait_until=min(moments, default=None),
    )
    return plan, ledger


def reassigned(facts: Facts, ledger: Ledger, digests: Digests) -> dict[str, Entry | None]:
    return reassign_deleted_contacts(
        facts.state.snapshot, ledger, facts.mapping.settings, facts.refused.keys(), digests
    )


def _updated(ledger: Ledger, changes: Mapping[str, Entry | None]) -> Ledger:
    return {key: entry for key, entry in {**ledger, **changes}.items() if entry is not None}
