"""Ports that count what goes through them. Each hands everything on as it is; only the composition root knows them.

They are put around the adapters once, so no service and no adapter counts anything itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

from consumer.domain.connection import Connection
from consumer.domain.errors import LeaseLostError, RetryableError, StoppedError
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Entry, Ledger
from consumer.domain.mapping import EventMapping
from consumer.domain.run import Run
from consumer.observability import metrics
from consumer.observability.journal import Journal, current
from consumer.observability.meters import Meters
from consumer.observability.observed_calls import Through
from consumer.ports import Clock, DeadLetter, DeadLetters, EventState, Lease, RawRecord
from consumer.services.dispatch import Pushes
from consumer.services.record import Recorded

log = structlog.get_logger("push")


class FreshSince(Protocol):
    """Since when the changes of an event count for the goal; see `adapters.redis.freshness`."""

    async def begin(self, event_id: str, now: int) -> int:
        """From now on, unless they count already; returns since when (ms)."""
        ...

    async def end(self, event_id: str) -> None:
        """They no longer count."""
        ...


class ObservedInbox(Through):
    """Notes what a push sets out with, and when its changes have arrived."""

    def __init__(self, inner: Any, meters: Meters, clock: Clock, fresh: FreshSince, goal: float) -> None:
        """`goal`: seconds in which a change is to be in Swoogo."""
        super().__init__(inner)
        self._meters = meters
        self._clock = clock
        self._fresh = fresh
        self._goal = goal

    async def load(self, event_id: str, *, snapshot: bool = True) -> EventState:
        """See `ports.Inbox`."""
        state: EventState = await self._inner.load(event_id, snapshot=snapshot)
        journal = current.get()
        if journal:
            journal.marks = state.marks
        return state

    async def set_continuous(self, event_id: str, *, on: bool, by: Lease | None = None, ended: bool = False) -> bool:
        """See `ports.Inbox`."""
        done: bool = await self._inner.set_continuous(event_id, on=on, by=by, ended=ended)
        if done:
            await (self._fresh.begin(event_id, self._clock.now()) if on else self._fresh.end(event_id))
        return done

    async def complete(self, lease: Lease, marks: Mapping[str, str], **how: Any) -> None:
        """See `ports.Inbox`."""
        await self._inner.complete(lease, marks, **how)
        journal = current.get()
        if not journal or not journal.applied or not journal.continuous:
            return
        with suppress(RetryableError):  # the work is done, and safe
            since = await self._fresh.begin(lease.subject.id, self._clock.now())
            journal.landed = journal.arrivals(since)
        for landed in journal.landed:
            self._meters.observe(metrics.CHANGE_TO_SWOOGO, landed.seconds, kind=landed.kind.value)
            self._meters.add(metrics.CHANGES, slo=self._verdict(landed.seconds, journal.waited))

    def _verdict(self, seconds: float, waited: float) -> str:
        if seconds <= self._goal:
            return "met"
        return "no_credits" if seconds - waited <= self._goal else "missed"


class ObservedLedger(Through):
    """Notes which records Swoogo confirmed, and what was found deleted there."""

    def __init__(self, inner: Any, meters: Meters, clock: Clock) -> None:
        """Stand around the ledger."""
        super().__init__(inner)
        self._meters = meters
        self._clock = clock

    async def load(self, event_id: str) -> Ledger:
        """See `ports.LedgerStore`."""
        ledger: Ledger = await self._inner.load(event_id)
        journal = current.get()
        if journal:
            journal.entries = dict(ledger)
        return ledger

    async def put(self, lease: Lease, entries: Mapping[str, Entry | None]) -> None:
        """See `ports.LedgerStore`."""
        await self._inner.put(lease, entries)
        journal = current.get()
        if journal:
            gone = journal.kept(entries, self._clock.now())
            if gone:
                self._meters.add(metrics.DRIFT, gone, what="deleted")


_OLDER: Final = {"published_later": Code.OLDER_PUBLISHED_LATER, "than_pushed": Code.OLDER_THAN_PUSHED}


class ObservedBoard(Through):
    """Counts what people edited in Swoogo, and older changes that came last, the first time each is reported."""

    def __init__(self, inner: Any, meters: Meters) -> None:
        """Stand around the status board."""
        super().__init__(inner)
        self._meters = meters

    async def issues(self, event_id: str) -> Mapping[str, Issue]:
        """See `ports.StatusBoard`."""
        found: Mapping[str, Issue] = await self._inner.issues(event_id)
        journal = current.get()
        if journal:
            journal.former = found
        return found

    async def ended(self, run: Run, issues: Mapping[str, Issue], lease: Lease) -> None:
        """See `ports.StatusBoard`."""
        await self._inner.ended(run, issues, lease)
        journal = current.get()
        if journal:
            edited = {key for key, issue in issues.items() if issue.code is Code.EDITED_IN_SWOOGO}
            self._meters.add(metrics.DRIFT, len(edited - journal.former.keys()), what="edited")
            for what, code in _OLDER.items():
                known = {key for key, issue in journal.former.items() if issue.code is code}
                found = {key for key, issue in issues.items() if issue.code is code}
                self._meters.add(metrics.OLDER_CHANGES, len(found - known), what=what)


class ObservedRecorder(Through):
    """Counts batches and their records; a few additions a batch, none a record."""

    def __init__(self, inner: Any, meters: Meters) -> None:
        """Stand around the recorder."""
        super().__init__(inner)
        self._meters = meters

    async def record(self, batch: Sequence[RawRecord]) -> Recorded:
        """See `services.record.Recorder`."""
        topic, outcome = batch[0].topic, "failed"
        try:
            result: Recorded = await self._inner.record(batch)
            outcome = "recorded"
        finally:
            self._meters.add(metrics.RECORD_BATCHES, topic=topic, outcome=outcome)
        known = max(result.received - result.news - result.ignored - result.dead, 0)
        for word, count in (
            ("news", result.news),
            ("known", known),
            ("ignored", result.ignored),
            ("dead", result.dead),
        ):
            if count:
                self._meters.add(metrics.RECORDS, count, topic=topic, result=word)
        return result


@dataclass(frozen=True, slots=True)
class ObservedDeadLetters:
    """Counts dead letters by reason."""

    inner: DeadLetters
    meters: Meters

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """See `ports.DeadLetters`."""
        await self.inner.put(letters)
        for letter in letters:
            self.meters.add(metrics.DEAD_LETTERS, topic=letter.record.topic, reason=letter.reason)


@dataclass(frozen=True, slots=True)
class ObservedPusher:
    """Opens the journal of a push, and writes its metrics and its one line when it is over."""

    inner: Pushes
    meters: Meters

    async def push(self, lease: Lease, mapping: EventMapping, connection: Connection) -> Run:
        """See `services.push.Pusher.push`."""
        journal = Journal(continuous=mapping.continuous)
        token = current.set(journal)
        self.meters.add(metrics.PUSHES_RUNNING)
        trigger = "reconcile" if lease.survey else "manual" if lease.request else "changes"
        outcome = "broken"
        try:
            run = await self.inner.push(lease, mapping, connection)
            outcome = run.outcome
        except LeaseLostError:
            outcome = "lease_lost"
            raise
        except (asyncio.CancelledError, StoppedError):
            outcome = "stopped"
            raise
        finally:
            current.reset(token)
            self.meters.add(metrics.PUSHES_RUNNING, -1)
            self.meters.add(metrics.PUSHES, trigger=trigger, outcome=outcome)
            self.meters.observe(metrics.PUSH_SECONDS, time.monotonic() - journal.began, trigger=trigger)
        self._count(run)
        failed = run.outcome == "failed"
        (log.warning if failed else log.info)("push.failed" if failed else "push.completed", **journal.line(run))
        return run

    def _count(self, run: Run) -> None:
        for operation, count in run.operations.items():
            self.meters.observe(metrics.PLAN_OPERATIONS, count, operation=operation)
        for kind, tally in run.tallies.items():
            for result in ("created", "adopted", "updated", "deleted", "failed"):
                count = getattr(tally, result)
                if count:
                    self.meters.add(metrics.PUSH_OPERATIONS, count, kind=kind.value, result=result)
