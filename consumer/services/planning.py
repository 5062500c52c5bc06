"""PLAN, around the pure planner: a push's plan, and what has to be asked of Swoogo before it can be made."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from consumer.domain.errors import RefusedError
from consumer.domain.issues.issue import Issue
from consumer.domain.planning.approval import parts_of, within
from consumer.domain.planning.images import to_ask_again
from consumer.domain.planning.plan import Adopt, Create, Plan, SetImage
from consumer.domain.planning.planner import PlanInput, make_plan
from consumer.domain.planning.refusals import refusal_issue
from consumer.domain.planning.rekeying import rekeyed
from consumer.domain.push.execution import Planned
from consumer.domain.push.facts import Facts
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Survey
from consumer.ports import Clock, LedgerStore, Swoogo, Work
from consumer.services.approvals import Approvals
from consumer.services.execution import LedgerWriter
from consumer.services.field_definitions import keep_field
from consumer.services.images import ImageQueue
from consumer.services.looks import Looker
from consumer.services.plan_input import PlanRules, plan_input, reassigned


@dataclass(frozen=True, slots=True)
class Planning:
    """Plans a push; where something may have to be adopted, Swoogo is asked first."""

    store: LedgerStore
    swoogo: Swoogo
    images: ImageQueue
    clock: Clock
    rules: PlanRules
    approvals: Approvals

    async def plan(self, facts: Facts, work: Work, ledger: LedgerWriter, survey: Survey | None) -> Planned:
        """Plan; while the plan wants a look, read those kinds and plan again.

        Where a plan has to be approved, the first one is judged, before any call (U2).

        Raises RetryableError, RefusedError, CredentialError, LeaseLostError.
        """
        rules, snapshot = self.rules, facts.state.snapshot
        news, directories = rekeyed(ledger.entries, facts.directories, snapshot, rules.limits, rules.digests)
        await ledger.write(news)
        facts = replace(facts, directories=directories)
        await ledger.write(reassigned(facts, ledger.entries, rules.digests))
        approving = facts.mapping.settings.approval_required
        # What a person approves is made from what they see: not from what this process alone knows of images.
        changed = frozenset[str]() if approving else self.images.changed(facts.event_id)
        given = plan_input(facts, ledger.entries, self.rules, self.clock.now(), changed, survey)
        issues: list[Issue] = []
        plan = make_plan(given)
        approval, later, approved = None, False, None
        if approving:
            plan, approval, later = await self.approvals.judge(facts, plan)
            approved = parts_of(plan)
        else:
            await self.approvals.drop(facts)
        while plan.looks or plan.choices:
            if not plan.looks:
                given = await self._with_choices(given, work, plan)
                plan = self._again(given, approved)
                continue
            directories, parked = dict(given.directories), dict(given.parked)
            looker = Looker(work, self.swoogo, self.store, self.clock, ledger.entries, dict(given.directories))
            came = await looker.with_event(plan.looks & plan.with_event, plan.looks & plan.compared)
            directories |= came
            for kind in sorted(plan.looks - came.keys()):
                try:
                    directories[kind] = await looker.listed(kind)
                except RefusedError as error:
                    unseen = _refused_levels(plan, kind, error)
                    if not unseen:
                        raise
                    issues += unseen.values()
                    parked |= {key: issue.parked for key, issue in unseen.items()}
            given = replace(given, directories=directories, parked=parked)
            plan = self._again(given, approved)
        rechecks = self._rechecks(given, plan) if survey and survey.deep and not approving else ()
        verified = frozenset(kind for kind, each in given.directories.items() if each.fresh)
        return Planned(
            plan,
            issues=tuple(issues),
            verified=verified,
            rechecks=rechecks,
            approval=approval,
            judged_later=later,
        )

    def _again(self, given: PlanInput, approved: AbstractSet[tuple[str, str]] | None) -> Plan:
        """The plan after a look; of one that has to be approved, the part that was."""
        plan = make_plan(given)
        return plan if approved is None else within(plan, approved)

    async def _with_choices(self, given: PlanInput, work: Work, plan: Plan) -> PlanInput:
        """F3: the input of the plan with the choices that records need, added once; what cannot be added stays out."""
        definitions = given.definitions
        for (kind, attribute), names in sorted(plan.choices.items()):
            try:
                field = await self.swoogo.add_choices(work, kind, attribute, names)
            except RefusedError:
                continue  # the records say which choice is missing
            await keep_field(self.store, work.lease, field)
            definitions = definitions.with_field(field)
        return replace(given, definitions=definitions, closed=given.closed | plan.choices.keys())

    def _rechecks(self, given: PlanInput, plan: Plan) -> tuple[SetImage, ...]:
        """In a deep reconcile: ask once more for images that the plan would upload if they were others by now (P4)."""
        asked = make_plan(replace(given, changed_images=frozenset(to_ask_again(given.ledger))))
        due = {each.key for each in plan.images}
        rechecks = tuple(each for each in asked.images if each.key not in due)
        self.images.recheck(given.mapping.event_id, rechecks)
        return rechecks


def _refused_levels(plan: Plan, kind: Kind, error: RefusedError) -> dict[str, Issue]:
    """Sponsorship levels to be added that Swoogo does not let this credential look at, as if it had refused each (E6).

    They are a field of the whole account, so this says nothing about the event; sponsors go without. Other kinds: none.
    """
    if kind is not Kind.LEVEL:
        return {}
    levels = [each for each in plan.operations if each.kind is kind and isinstance(each, Create | Adopt)]
    return {each.key: refusal_issue(each, error, {}) for each in levels}
