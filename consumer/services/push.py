"""PUSH one claimed event: load, survey, plan, execute, settle, commit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import (
    CredentialError,
    OtherOrganizationError,
    RefusedError,
    RetryableError,
    UnreadableRowError,
)
from consumer.domain.pacing.pace import Pace
from consumer.domain.planning.approval import refusals
from consumer.domain.planning.timezones import timezone_seen
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.claim import EventState, Lease
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.facts import Facts
from consumer.domain.push.push_report import PushReport
from consumer.domain.push.run import CallLog, Run
from consumer.domain.push.settlement import Moment, Policy, nothing_new, settle
from consumer.domain.records.digests import unknown_keys
from consumer.domain.records.ledger import orphaned_intents
from consumer.domain.records.withdrawal import left_behind
from consumer.domain.surveys.survey import Depth, Survey
from consumer.ports import Clock, Connections, Inbox, LedgerStore, StateLog, StatusBoard, Swoogo, Work
from consumer.ports.status import Timeline
from consumer.services.approvals import Approvals
from consumer.services.credential_status import report_credential_status
from consumer.services.execution import Execution, LedgerWriter
from consumer.services.executor import Executor
from consumer.services.field_definitions import DefinitionReader, kept_definitions
from consumer.services.images import ImageQueue
from consumer.services.ledger_commands import CarriedOut, LedgerCommands, drop_retries
from consumer.services.plan_input import PlanRules
from consumer.services.planning import Planning
from consumer.services.reconcile import Reconciler
from consumer.services.run_reporter import RunReporter, note_report
from consumer.services.served import log_served
from consumer.settings import PushSettings

if TYPE_CHECKING:  # without webhooks none of it is loaded
    from consumer.services.hints import HintTaker
    from consumer.services.webhooks import Registrar


@dataclass(frozen=True, slots=True)
class Pusher:
    """Pushes events. `stopping`: set when no further call may begin."""

    inbox: Inbox
    store: LedgerStore
    swoogo: Swoogo
    images: ImageQueue
    board: StatusBoard
    clock: Clock
    settings: PushSettings
    rules: PlanRules
    reconciler: Reconciler
    connections: Connections
    pace: Pace
    state_log: StateLog
    timeline: Timeline
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    hints: HintTaker | None = None
    webhooks: Registrar | None = None

    async def push(self, lease: Lease, mapping: EventMapping, connection: Connection) -> PushReport:
        """Bring Swoogo to the snapshot of a claimed event.

        Raises LeaseLostError when the event was taken over, OtherOrganizationError when it is not the mapping's (M8),
        StoppedError when `stopping` was set before all was done; everything else ends in the run and a retry.
        """
        began = self.clock.ticks()
        facts = await self._load(lease, mapping)
        calls = CallLog()
        work = Work(mapping, connection, lease, lease.cause.trigger, facts.definitions, calls=calls)
        if self.hints and facts.cause == Reconcile(Depth.HINTED):
            return await self.hints.take(facts, work)
        ledger = LedgerWriter(self.store, lease, self.clock, dict(facts.ledger), self.rules.digests)
        await ledger.write(self.rules.digests.sealed_ledger(facts.ledger))
        await ledger.write(orphaned_intents(ledger.entries, self.clock.now()))
        run = _started(facts, self.clock.now())
        execution = self._execution(work, ledger, run)
        survey, planned = None, Planned()
        try:
            if self.webhooks:
                await self.webhooks.keep(work)
            carried_out = await self._commands.carry_out(facts, work, ledger)
            facts = facts.with_directories(carried_out.directories)
            facts, work, asked = await self._definitions.read(facts, work)  # first, so that a survey sees mapped fields
            if isinstance(facts.cause, Reconcile):
                survey = await self._survey(facts, work, ledger)
                facts = await self._learn(facts, survey, ledger)
                if survey.deep and not asked:
                    facts, work, _ = await self._definitions.read(facts, work, deep=True)
            execution.work = work
            facts, planned = await self._plan(facts, work, ledger, survey, carried_out)
            if planned.nothing_new:
                run.note_unchanged(ledger.entries)
            else:
                run.note_plan(planned.plan)
            result = await self._executor(execution).execute(planned)
        except (CredentialError, RetryableError, RefusedError) as error:
            result = execution.result(error)
        await ledger.flush()
        at = await self._moment(work, result, began)
        await self._approvals.complete(lease, planned, result)
        settlement = settle(facts, survey, planned, result, self._policy, run, at)
        report = PushReport(facts, planned.plan, result, settlement, calls=calls.kept)
        await self._commit(report, work)
        return report

    async def _load(self, lease: Lease, mapping: EventMapping) -> Facts:
        """A reconcile reads no snapshot, which is large, before it knows that it needs one."""
        event_id = mapping.event_id
        state, former, ledger, listed = await asyncio.gather(
            self._state(mapping, snapshot=not isinstance(lease.cause, Reconcile)),
            self.board.issues(event_id),
            self.store.load(event_id),
            self.store.directories(event_id),
        )
        if unknown := self.rules.digests.unknown(ledger):
            raise UnreadableRowError(unknown_keys(event_id, unknown))
        directories = self.rules.digests.directories(listed)
        return await kept_definitions(self.store, Facts(lease, mapping, state, ledger, former, directories))

    async def _state(self, mapping: EventMapping, *, snapshot: bool = True) -> EventState:
        """The event, unless it is another organization's (M8). Raises OtherOrganizationError."""
        state = await self.inbox.load(mapping.event_id, snapshot=snapshot)
        if state.snapshot.organizations - {mapping.org_id}:
            raise OtherOrganizationError(f"Records of event {mapping.event_id} name another organization.")
        return state

    async def _survey(self, facts: Facts, work: Work, ledger: LedgerWriter) -> Survey:
        hints = await self.hints.waiting(facts.event_id) if self.hints else None
        depth = facts.cause.depth if isinstance(facts.cause, Reconcile) else Depth.SHALLOW
        survey = await self.reconciler.survey(facts, work, ledger.entries, depth)
        if self.hints and hints:
            survey = await self.hints.surveyed(facts.lease, facts, survey, hints)
        return survey

    async def _learn(self, facts: Facts, survey: Survey, ledger: LedgerWriter) -> Facts:
        """Enter what a survey found. M7: the zones are compared every time, and kept before anything is written."""
        mapping = timezone_seen(facts.mapping, survey.timezone)
        if mapping != facts.mapping:
            await self.connections.replace_mapping(facts.mapping, mapping)
        await ledger.write({**survey.findings.learned, **survey.findings.gone})
        if survey.deep:
            await self.store.requeue_changelog(facts.lease)
        return replace(facts.with_directories(survey.directories), mapping=mapping)

    async def _plan(
        self, facts: Facts, work: Work, ledger: LedgerWriter, survey: Survey | None, carried_out: CarriedOut
    ) -> tuple[Facts, Planned]:
        planning = Planning(self.store, self.swoogo, self.images, self.clock, self.rules, self._approvals)
        if survey is None:
            planned = await planning.plan(facts, work, ledger, survey)
        elif not self.images.changed(facts.event_id) and nothing_new(facts, survey, ledger.entries, self.clock.now()):
            planned = Planned(nothing_new=True)
        else:
            facts = replace(facts, state=await self._state(facts.mapping))
            if survey.deep:
                await self.store.log_deletions(facts.lease, facts.state.snapshot.deleted_contacts())
                if marks := left_behind(facts.state.snapshot):
                    await self.inbox.withdraw(facts.lease.subject, marks)
            planned = await planning.plan(facts, work, ledger, survey)
        approval = planned.approval.approval if planned.approval else None
        issues = (*carried_out.issues, *planned.issues, *refusals(facts.event_id, approval))
        return facts, replace(planned, issues=issues, wait_until=carried_out.wait_until)

    def _execution(self, work: Work, ledger: LedgerWriter, run: Run) -> Execution:
        slots = asyncio.Semaphore(self.settings.concurrency)
        share = self.reconciler.settings.max_missing_share
        return Execution(work, self.swoogo, self.images, ledger, self.clock, run, share, slots)

    def _executor(self, execution: Execution) -> Executor:
        reporter = RunReporter(
            execution.run, execution.work, self.swoogo, self.board, execution.ledger, self.clock, self.pace
        )
        workers = self.settings.concurrency * 2
        return Executor(execution, reporter, self.store, self.connections, self.stopping, workers)

    async def _moment(self, work: Work, result: ExecutionResult, began: int) -> Moment:
        in_force = result.trouble is None or work.mapping.is_in_force(
            await self.connections.mapping(work.mapping.event_id)
        )
        return Moment(
            self.clock.now(),
            (self.clock.ticks() - began) // 1_000_000,
            self.clock.jitter(),
            self.swoogo.spent(work),
            in_force=in_force,
        )

    async def _commit(self, report: PushReport, work: Work) -> None:
        """Write what was decided. The changelog is safe by now, and marks are cleared last (G1)."""
        lease, result, settlement = report.facts.lease, report.result, report.settlement
        replaced = await self.board.ended(settlement.run, settlement.issues, lease)
        await note_report(self.timeline, report, replaced)
        await report_credential_status(
            self.connections,
            self.board,
            work.connection,
            result.error,
            op_id=lease.op_id,
            failed_before=lease.attempt > 0,
        )
        if settlement.memory:
            # After the issues: what this survey has read, the next one does not read again.
            await self.store.put_survey(lease, settlement.memory)
        if settlement.commands_done:
            await drop_retries(self.inbox, lease, settlement.commands_done)
        if settlement.verified:
            await self.inbox.mark_verified(lease, settlement.verified)
        if settlement.served:
            await log_served(self.state_log, lease)
        await self.inbox.complete(
            lease,
            settlement.cleared,
            retry_in=settlement.retry_in,
            failed=settlement.failed,
            survey_in=settlement.survey_in,
            rest_in=settlement.rest_in,
        )

    @property
    def _definitions(self) -> DefinitionReader:
        return DefinitionReader(self.store, self.swoogo)

    @property
    def _approvals(self) -> Approvals:
        return Approvals(self.inbox, self.state_log)

    @property
    def _commands(self) -> LedgerCommands:
        return LedgerCommands(self.inbox, self.store, self.swoogo, self.rules.settle_time)

    @property
    def _policy(self) -> Policy:
        push, interval = self.settings, self.reconciler.settings.interval
        return Policy(push.retry_first, push.retry_max, push.create_settle_time, interval)


def _started(facts: Facts, now: int) -> Run:
    requests = () if isinstance(facts.cause, Reconcile) else tuple(asked.id for asked in facts.lease.asked)
    mapping = facts.mapping
    return Run(
        facts.lease.op_id,
        mapping.event_id,
        facts.cause.trigger,
        now,
        scope=facts.scope.name,
        org_id=mapping.org_id,
        swoogo_event_id=mapping.swoogo_event_id,
        requests=requests,
    )
