"""HINTS: an event is looked at where Swoogo's webhooks said so. Reads and notes; plans and writes nothing (W2, W3)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

import structlog

from consumer.domain.connections.mapping import EventMapping, FieldMaps
from consumer.domain.errors import CredentialError, RefusedError, RetryableError, SwoogoSyncError
from consumer.domain.fields.fitting import watched_fields
from consumer.domain.issues.issue import Code
from consumer.domain.pacing.backoff import retry_delay
from consumer.domain.planning.plan import CALL_CREDITS, LIST_CREDITS, Plan
from consumer.domain.push.claim import Lease
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.facts import Facts
from consumer.domain.push.hints import Hint, Hints, Look, doubts, is_proved, sightings, sort_hints
from consumer.domain.push.open_issues import issues_after
from consumer.domain.push.push_report import PushReport
from consumer.domain.push.run import CallLog, Run, Trigger, count_issues, first_issues
from consumer.domain.push.settlement import Settlement
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Remote, by_kind
from consumer.domain.surveys.survey import SURVEYED, Depth, Findings, Survey, SurveyState, examine
from consumer.ports import Clock, Inbox, LedgerStore, StatusBoard, Swoogo, Work
from consumer.ports.status import Timeline
from consumer.ports.webhooks import HintStore
from consumer.services.execution import LedgerWriter
from consumer.services.reconcile import Reconciler
from consumer.services.run_reporter import note_report
from consumer.settings import PushSettings
from consumer.settings.webhooks import WebhookSettings

log = structlog.get_logger("hints")


@dataclass(frozen=True, slots=True)
class HintTaker:
    """Takes the hints of claimed events."""

    hints: HintStore
    inbox: Inbox
    store: LedgerStore
    swoogo: Swoogo
    board: StatusBoard
    timeline: Timeline
    clock: Clock
    reconciler: Reconciler
    push: PushSettings
    settings: WebhookSettings

    async def take(self, facts: Facts, work: Work) -> PushReport:
        """Look at what the hints of a claimed event name, and note drift and tombstones.

        A failed look comes again with a back-off. Raises LeaseLostError, UnavailableError.
        """
        event_id, lease, mapping, began = facts.event_id, facts.lease, facts.mapping, self.clock.ticks()
        hints, memory = await self.hints.load(event_id), await self.store.survey(event_id)
        entries, former = facts.ledger, facts.former
        ledger = LedgerWriter(self.store, lease, self.clock, dict(entries), self.reconciler.digests)
        tolerance = round(self.settings.clock_tolerance * 1000)
        # A delivery does not say which of its fields a map targets (F2): the record is read with those.
        mapped = mapping.settings.field_maps != FieldMaps()
        known = [replace(each, row=None) for each in hints.known] if mapped else hints.known
        look = sort_hints(known, entries, memory, now=self.clock.now(), tolerance=tolerance)
        run = Run(lease.op_id, event_id, Trigger.RECONCILE, self.clock.now(), org_id=mapping.org_id)
        run.swoogo_event_id = mapping.swoogo_event_id
        try:
            findings, after = await self._findings(facts, work, look, everything=hints.everything)
            await ledger.write({**findings.learned, **findings.gone})
            await ledger.flush()
        except (CredentialError, RetryableError) as error:
            return await self._failed(facts, run, error)
        result = ExecutionResult(ledger.entries, found_gone=len(findings.gone))
        survey, planned = Survey(findings, "", {}, after, deep=False), Planned(nothing_new=True)
        issues = issues_after(facts, survey, planned, result, self.clock.now(), unplanned=False)
        run.note_unchanged(ledger.entries)
        run.ended = run.started + (self.clock.ticks() - began) // 1_000_000
        run.credits = self.swoogo.spent(work)
        run.issues, run.top_issues = count_issues(issues), first_issues(issues)
        run.outcome = "completed_with_issues" if issues else "completed"
        survey_in = self._regular_in(mapping, after)
        lags = [max(self.clock.now() - each.at, 0) for each in hints.known]
        settlement, calls = Settlement(run, issues, survey_in=survey_in, memory=after), work.calls or CallLog()
        report = PushReport(facts, Plan(), result, settlement, lags, calls.kept)
        if findings.gone or issues != former:
            await self.board.ended(run, issues, lease)
            await note_report(self.timeline, report)
        if after != memory:
            await self.store.put_survey(lease, after)
        # A hint is dropped once what it led to is safe (G1).
        await self.hints.drop(lease, hints)
        await self.inbox.complete(lease, {}, survey_in=survey_in)
        return report

    async def _failed(self, facts: Facts, run: Run, error: SwoogoSyncError) -> PushReport:
        lease, push = facts.lease, self.push
        delay = retry_delay(lease.attempt + 1, push.retry_first, push.retry_max, self.clock.jitter())
        delay = max(delay, error.after if isinstance(error, RetryableError) else 0.0)
        await self.inbox.complete(lease, {}, failed=True, survey_in=delay)
        run.ended, run.outcome, run.error = self.clock.now(), "failed", str(error)
        settlement = Settlement(run, facts.former, failed=True, survey_in=delay)
        return PushReport(facts, Plan(), ExecutionResult(facts.ledger, error=error), settlement)

    async def _findings(
        self, facts: Facts, work: Work, look: Look, *, everything: bool
    ) -> tuple[Findings, SurveyState]:
        """What is found, and what is remembered of it. Raises RetryableError, CredentialError, LeaseLostError."""
        ledger, memory = facts.ledger, look.memory
        kinds = sum(1 for kind, entries in by_kind(ledger).items() if kind in SURVEYED and entries)
        whole = CALL_CREDITS + (LIST_CREDITS * kinds if memory.lists else 0)
        wide = everything or look.survey_is_cheaper(kinds)
        if (wide or look.credits) and memory.hinted_credits + min(whole, look.credits or whole) > (
            self.settings.max_credits
        ):
            log.warning("hints.too_many", event_id=facts.event_id, credits=memory.hinted_credits)
            look, wide = replace(look, reads=(), gone=()), False
        rows, gone = {kind: dict(found) for kind, found in look.seen.items()}, list[Hint]()
        if not wide:
            wide = not await self._read(work, look, rows, gone)
        share = self.reconciler.settings.max_missing_share
        if wide:
            survey = await self.reconciler.survey(facts, work, ledger, Depth.HINTED)
            findings, memory = survey.findings, replace(memory, lists=survey.memory.lists)
        else:
            doubted = doubts(facts.event_id, ledger, gone, memory, share) if gone else []
            seen = sightings(ledger, rows, () if doubted else gone)
            findings = examine(
                ledger,
                seen,
                facts.event_id,
                max_missing_share=share,
                now=self.clock.now(),
                confirmed=True,
                digests=self.reconciler.digests,
                watched=watched_fields(facts.mapping.settings.field_maps, facts.definitions),
            )
            former = [each for each in facts.former.values() if each.code is Code.MANY_MISSING]
            findings = replace(findings, issues=(*findings.issues, *former, *doubted))
        lost = dict(memory.hinted_gone)
        for key in findings.gone:
            kind = Kind(key.partition("/")[0])
            lost[kind] = lost.get(kind, 0) + 1
        # What went changes the plan: the next reconcile makes one.
        settled = "" if findings.gone else memory.settled
        spent = memory.hinted_credits + self.swoogo.spent(work)
        return findings, replace(memory, settled=settled, hinted_gone=lost, hinted_credits=spent)

    async def _read(self, work: Work, look: Look, rows: dict[Kind, dict[int, Remote]], gone: list[Hint]) -> bool:
        """Read records one by one; False when one is not there that was not said to be deleted."""
        for hint in (*look.reads, *look.gone):
            try:
                found = await self.swoogo.read(work, hint.kind, hint.swoogo_id)
            except RefusedError:
                continue  # the reconcile says what is the matter
            if found is not None:
                rows.setdefault(hint.kind, {})[hint.swoogo_id] = found
            elif hint.deleted:
                gone.append(hint)
            else:
                return False
        return True

    def _regular_in(self, mapping: EventMapping, memory: SurveyState) -> float:
        """Seconds until the reconcile that would have come without the hints."""
        interval, jitter = self.reconciler.settings.interval, self.clock.jitter()
        if not interval or not mapping.continuous:
            return inf
        if not memory.read_at:
            return interval * jitter
        every = (memory.every or interval) * (0.9 + 0.2 * jitter)
        return min(max((memory.read_at - self.clock.now()) / 1000 + every, 0.0), every)

    async def waiting(self, event_id: str) -> Hints:
        """What waits before a regular survey, which sees all of it. Raises UnavailableError."""
        return await self.hints.load(event_id)

    async def surveyed(self, lease: Lease, facts: Facts, survey: Survey, hints: Hints) -> Survey:
        """A regular survey is over: drop what it saw, and let the next one be later where deliveries showed all of it.

        Raises UnavailableError.
        """
        await self.hints.drop(lease, hints)
        wanted, every = self.settings.reconcile_interval, survey.memory.every
        if not every or wanted <= every or not is_proved(survey, facts.former, self.clock.now()):
            return survey
        return replace(survey, memory=replace(survey.memory, every=wanted))
