"""PLAN and PUSH one claimed event: load, look where something may be adopted, plan, execute, complete, report."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial

from consumer.domain.connection import Connection
from consumer.domain.desired import TextLimits
from consumer.domain.errors import (
    CredentialError,
    OtherOrganizationError,
    RefusedError,
    RetryableError,
    StoppedError,
    SwoogoSyncError,
    UnavailableError,
)
from consumer.domain.heirs import inherited
from consumer.domain.issue import Issue
from consumer.domain.labels import Labels
from consumer.domain.ledger import abandoned
from consumer.domain.ledger_commands import Action, LedgerCommand, confirmed_removals
from consumer.domain.looks import read_since
from consumer.domain.mapping import EventMapping
from consumer.domain.pace import Pace
from consumer.domain.plan import Operation, Plan, SetImage
from consumer.domain.planner import PlanInput, make_plan
from consumer.domain.record import Kind, record_key
from consumer.domain.run import PAIR_ENDED, Run, Trigger, count_issues, first_issues
from consumer.domain.scope import Scope, covers, scope_of_changes, scope_of_request
from consumer.domain.survey import CODES
from consumer.domain.timezones import timezone_seen
from consumer.ports import (
    Clock,
    Connections,
    EventState,
    Inbox,
    Lease,
    LedgerStore,
    StandingLog,
    StatusBoard,
    Swoogo,
    Work,
)
from consumer.services.credential import report_credential_status
from consumer.services.execute import Execution
from consumer.services.image_uploads import recheck_images, upload_images, want_images
from consumer.services.images import ImageQueue
from consumer.services.leftovers import (
    failed,
    hopeless,
    merged_issues,
    of_surveys,
    parked_since,
    pushed_marks,
    refused_levels,
    rest_in,
    retry_in,
    settled,
    waiting_keys,
)
from consumer.services.looks import Looker
from consumer.services.missing_records import confirm_missing
from consumer.services.orders import carry_out, tried_again
from consumer.services.progress import Progress
from consumer.services.reconcile import Reconciler, nothing_new
from consumer.services.served import tell_served
from consumer.services.workers import run_workers
from consumer.settings import PushSettings


@dataclass(frozen=True, slots=True)
class Pusher:
    """Pushes events. All state of a push lives in `Execution`."""

    inbox: Inbox
    store: LedgerStore
    swoogo: Swoogo
    images: ImageQueue
    board: StatusBoard
    clock: Clock
    settings: PushSettings
    limits: TextLimits
    reconciler: Reconciler
    connections: Connections
    pace: Pace
    standings: StandingLog
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def push(self, lease: Lease, mapping: EventMapping, connection: Connection) -> Run:
        """Bring Swoogo to the snapshot of a claimed event.

        Raises LeaseLostError when the event was taken over, OtherOrganizationError when it is not the mapping's (M8),
        StoppedError when `stopping` was set before all was done; everything else ends in the run and a retry.
        """
        trigger, scope = asked_of(lease, mapping)
        work = Work(mapping, connection, lease, trigger)
        state = await self._loaded(mapping, snapshot=lease.survey is None)
        former = await self.board.issues(mapping.event_id)
        run = Run(
            lease.op_id,
            mapping.event_id,
            trigger,
            self.clock.now(),
            scope=scope.name,
            org_id=mapping.org_id,
            swoogo_event_id=mapping.swoogo_event_id,
            requests=() if lease.survey else tuple(asked.id for asked in lease.asked),
        )
        execution = Execution(
            work,
            self.swoogo,
            self.images,
            self.store,
            self.clock,
            run,
            self.settings.settle,
            self.reconciler.settings.most_gone,
            dict(await self.store.load(mapping.event_id)),
            slots=asyncio.Semaphore(self.settings.concurrency),
        )
        plan = Plan()
        error: SwoogoSyncError | None = None
        idle, retries = False, frozenset[LedgerCommand]()
        await execution.keep(abandoned(execution.ledger, self.clock.now()))
        try:
            # Not by a sync that might leave the record out.
            if state.commands and (trigger is not Trigger.MANUAL or scope == Scope()):
                retries = frozenset(order for order in state.commands if order.act is Action.RETRY)
                await carry_out(execution, self.inbox, state.commands - retries)
            if lease.survey:
                execution.survey = await self.reconciler.survey(work, execution.ledger, lease.survey)
                execution.work = await self._zone_seen(work, execution.survey.timezone)
                await execution.keep({**execution.survey.findings.learned, **execution.survey.findings.gone})
                if execution.survey.deep:
                    await self.store.log_again(lease)
            changed = self.images.changed(mapping.event_id)
            if (
                execution.survey
                and not changed
                and nothing_new(execution.survey, execution.work, state, former, execution.ledger)
            ):
                idle = True
                run.note_unchanged(execution.ledger)
            else:
                if lease.survey:
                    state = await self._loaded(mapping)
                if execution.survey and execution.survey.deep:
                    await self.store.log_deletions(lease, state.snapshot.deleted_contacts())
                plan = await self._plan(execution, state, scope, former, retries)
                run.note_plan(plan)
            progress = Progress(execution, plan, self.swoogo, self.board, self.store, self.clock, self.pace)
            if not plan.empty or trigger is Trigger.MANUAL:
                await progress.begin()
            await self._execute(execution, plan, progress)
        except (CredentialError, RetryableError, RefusedError) as caught:
            error = caught
        marks = settled(state, trigger, scope)
        # Selected records were looked for, but not those of their kind that a later push creates (G6).
        careful = frozenset[Kind]() if scope.selected else state.verify_before_create
        labels = Labels(state.snapshot, execution.ledger, mapping)
        covered = partial(covers, scope, snapshot=state.snapshot)
        await self._finish(
            execution, plan, marks, former, error, labels, covered, idle=idle, careful=careful, retries=sorted(retries)
        )
        return run

    async def _loaded(self, mapping: EventMapping, *, snapshot: bool = True) -> EventState:
        """The event, unless it is another organization's (M8). Raises OtherOrganizationError."""
        state = await self.inbox.load(mapping.event_id, snapshot=snapshot)
        if state.snapshot.organizations - {mapping.org_id}:
            raise OtherOrganizationError(f"Records of event {mapping.event_id} name another organization.")
        return state

    async def _plan(
        self,
        execution: Execution,
        state: EventState,
        scope: Scope,
        former: Mapping[str, Issue],
        retries: AbstractSet[LedgerCommand],
    ) -> Plan:
        """Plan; where something might be adopted, list that kind first and plan again."""
        mapping = execution.work.mapping
        refused = {issue.key: issue.parked for issue in former.values() if issue.parked}
        await execution.keep(inherited(state.snapshot, execution.ledger, mapping.settings, refused.keys()))
        again = {order.key for order in retries}
        # A reconcile tries what Swoogo refused once more: what it objected to may have been set right there. Without
        # continuous sync none comes round, and who asks for a sync asks for that too.
        by_hand = execution.work.trigger is Trigger.MANUAL and not mapping.continuous
        once_more = by_hand or execution.survey is not None
        given = PlanInput(
            mapping=mapping,
            snapshot=state.snapshot,
            ledger=execution.ledger,
            now=self.clock.now(),
            directories={
                **await self.store.directories(mapping.event_id),
                **execution.directories,
                **(execution.survey.directories if execution.survey else {}),
            },
            parked={} if once_more else {key: each for key, each in refused.items() if key not in again},
            refused=refused,
            confirmed=confirmed_removals(retries),
            settle=int(self.settings.settle * 1000),
            limits=self.limits,
            verify_before_create=state.verify_before_create,
            overtaken=frozenset(map(record_key, state.overtaken)),
            changed_images=self.images.changed(mapping.event_id),
            scope=scope,
            read_since=read_since(execution.work.lease.attempt, execution.work.trigger, self.clock.now()),
        )
        if execution.survey:
            execution.looked |= execution.survey.directories.keys()
        plan = make_plan(given)
        while plan.looks:
            directories, parked = dict(given.directories), dict(given.parked)
            looker = Looker(execution, dict(given.directories))
            came = await looker.with_event(plan.looks & plan.with_event, plan.looks & plan.compared)
            directories |= came
            listed: set[Kind] = set()
            for kind in sorted(plan.looks - came.keys()):
                try:
                    directories[kind] = await looker.listed(kind)
                    listed.add(kind)
                except RefusedError as error:
                    unseen = refused_levels(plan, kind, error)
                    if not unseen:
                        raise
                    execution.attempted |= unseen.keys()
                    execution.issues += unseen.values()
                    parked |= {key: issue.parked for key, issue in unseen.items()}
            execution.looked |= listed | came.keys()
            given = replace(given, directories=directories, parked=parked)
            plan = make_plan(given)
        recheck_images(execution, given, plan)
        return plan

    async def _execute(self, execution: Execution, plan: Plan, progress: Progress) -> None:
        want_images(execution, plan)
        for phase in plan.phases:
            await self._perform(execution, progress, [each for each in phase if not isinstance(each, SetImage)])
        want_images(execution, plan)
        await upload_images(execution, partial(self._perform, execution, progress), self.stopping)
        await confirm_missing(execution)

    async def _perform(self, execution: Execution, progress: Progress, operations: Sequence[Operation]) -> None:
        """Carry out operations side by side, none after too much trouble. Raises StoppedError, UnavailableError."""
        left = False
        pending = iter(operations)

        async def worker() -> None:
            nonlocal left
            for operation in pending:
                if self.stopping.is_set() or execution.ended:
                    left = True
                    return
                if hopeless(execution):
                    return
                await execution.perform(operation)
                if await progress.moved() and not await self._in_force(execution.work.mapping):
                    execution.ended = True

        # Twice the calls in flight: while one writes its ledger entry, another has its place on the wire.
        await run_workers(worker, min(len(operations), self.settings.concurrency * 2))
        if left and execution.ended:
            raise UnavailableError(PAIR_ENDED)
        if left:
            raise StoppedError(f"The service is being stopped; event {execution.run.event_id} is left as it is.")

    async def _finish(
        self,
        execution: Execution,
        plan: Plan,
        marks: Mapping[str, str],
        former: Mapping[str, Issue],
        error: SwoogoSyncError | None,
        labels: Labels,
        covered: Callable[[str], bool],
        *,
        idle: bool,
        careful: AbstractSet[Kind],
        retries: Sequence[LedgerCommand],
    ) -> None:
        """Report, then give the event back; the changelog is safe before a dirty mark is cleared (G1)."""
        run, lease = execution.run, execution.work.lease
        await self.store.flush(lease)
        run.ended = run.started + execution.elapsed()
        run.credits = self.swoogo.spent(execution.work)
        again = retry_in(execution, plan, error, self.settings)
        trouble = error or next(iter(execution.trouble), None)
        run.pair_ended = trouble is not None and not await self._in_force(execution.work.mapping)
        run.error = PAIR_ENDED if run.pair_ended else str(trouble or "")
        unplanned = idle or (error is not None and plan.empty)
        if idle:
            issues = {
                **{key: each for key, each in former.items() if each.code not in CODES},
                **of_surveys(execution, former),
            }
        else:
            issues = dict(former) if unplanned else merged_issues(plan, execution, former)
        now = self.clock.now()
        issues = labels.dressed({key: parked_since(issue, former.get(key), now) for key, issue in issues.items()})
        run.issues, run.told = count_issues(issues), first_issues(issues)
        run.answer(issues.values(), covered)
        run.outcome = "failed" if trouble else ("completed_with_issues" if run.issues else "completed")
        await self.board.ended(run, issues, lease)
        await report_credential_status(
            self.connections,
            self.board,
            execution.work.connection,
            error,
            op_id=run.id,
            failed_before=lease.attempt > 0,
        )
        survey_in = None
        if execution.survey:
            survey_in = self.reconciler.next_in(execution.survey)
            if idle or not unplanned:
                # After the issues: what this survey has read, the next one does not read again.
                done = idle or (plan.empty and again is None)
                await self.reconciler.remember(execution.work, execution.survey, settled=done)
        elif lease.survey:
            again, survey_in = None, again
        unsuccessful = failed(execution, error)
        waiting = frozenset() if again is None else waiting_keys(execution, plan)
        pushed = {} if unsuccessful else pushed_marks(marks, waiting)
        if retries and not unsuccessful:
            await tried_again(self.inbox, lease, retries)
        if execution.looked & careful and not unsuccessful:
            await self.inbox.mark_verified(lease, execution.looked & careful)
        if again is None and not unsuccessful and not lease.survey:
            await tell_served(self.standings, lease)
        rest = rest_in(execution, plan, self.settings)
        await self.inbox.complete(lease, pushed, retry_in=again, failed=unsuccessful, survey_in=survey_in, rest_in=rest)

    async def _in_force(self, mapping: EventMapping) -> bool:
        """M4, X1: after a removal or disconnect, start no new calls; let calls in flight finish."""
        now = await self.connections.mapping(mapping.event_id)
        return now is not None and (now.org_id, now.swoogo_event_id, now.era) == (
            mapping.org_id,
            mapping.swoogo_event_id,
            mapping.era,
        )

    async def _zone_seen(self, work: Work, timezone: str) -> Work:
        """M7: compared at every reconcile, and kept before anything is written by it."""
        mapping = timezone_seen(work.mapping, timezone)
        if mapping != work.mapping:
            await self.connections.replace_mapping(work.mapping, mapping)
        return replace(work, mapping=mapping)


def asked_of(lease: Lease, mapping: EventMapping) -> tuple[Trigger, Scope]:
    """Why this push happens, and what it covers."""
    asked = lease.request
    if lease.survey:
        return Trigger.RECONCILE, scope_of_changes(mapping.settings)
    if asked is None:
        return Trigger.CHANGES, scope_of_changes(mapping.settings)
    return Trigger.MANUAL, scope_of_request(asked)
