"""What a push was, in samples and in one line of the log: a function of its report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog

from consumer.adapters.redis.arrivals import RecentArrivals
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import LeaseLostError, StoppedError, UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.push.push_report import PushReport
from consumer.domain.records.identity import Kind, Source, id_of, key_of, moments_of
from consumer.observability.calls import CallMetrics, PushCalls
from consumer.observability.metrics import freshness, pushing, webhooks
from consumer.observability.registry import MetricRegistry
from consumer.ports import Lease
from consumer.services.dispatch import Pushes

_LEDGER_KINDS: Final[Mapping[str, Kind]] = {
    Source.SESSION: Kind.SESSION,
    Source.CONTACT: Kind.SPEAKER,
    Source.SPONSOR: Kind.SPONSOR,
}
_OLDER: Final = {"published_later": Code.OLDER_PUBLISHED_LATER, "than_pushed": Code.OLDER_THAN_PUSHED}
_RESULTS: Final = ("created", "adopted", "updated", "deleted", "failed")

log = structlog.get_logger("push")


@dataclass(frozen=True, slots=True)
class Landed:
    """A change that reached Swoogo. `seconds`: from its own timestamp; `published`: that timestamp, ms."""

    kind: Kind
    seconds: float
    published: int


@dataclass(frozen=True, slots=True)
class MeteredPusher:
    """Pushes; when a push is over, its samples are taken and its line is written. `goal`: seconds a change may take."""

    inner: Pushes
    meters: MetricRegistry
    calls: CallMetrics
    goal: float
    recent: RecentArrivals | None = None

    async def push(self, lease: Lease, mapping: EventMapping, connection: Connection) -> PushReport:
        self.meters.add(pushing.PUSHES_RUNNING)
        outcome = "broken"
        with self.calls.push(lease.op_id) as calls:
            try:
                report = await self.inner.push(lease, mapping, connection)
                outcome = report.run.outcome
            except LeaseLostError:
                outcome = "lease_lost"
                raise
            except (asyncio.CancelledError, StoppedError):
                outcome = "stopped"
                raise
            finally:
                trigger = lease.cause.trigger.value
                self.meters.add(pushing.PUSHES_RUNNING, -1)
                self.meters.add(pushing.PUSHES, trigger=trigger, outcome=outcome)
                self.meters.observe(pushing.PUSH_SECONDS, time.monotonic() - calls.began, trigger=trigger)
        landed = arrivals(report)
        count(self.meters, report, landed, calls, self.goal)
        if landed and self.recent:
            with suppress(UnavailableError):  # a figure for people, which no push fails for
                await self.recent.note([each.seconds for each in landed])
        failed = outcome == "failed"
        (log.warning if failed else log.info)(
            "push.failed" if failed else "push.completed", **line(report, landed, calls)
        )
        return report


def arrivals(report: PushReport) -> list[Landed]:
    """The changes that reached Swoogo, of those published since the event is synced by itself.

    Publishers may stamp in whole seconds: what carries the second of that moment counts.
    """
    facts, found = report.facts, list[Landed]()
    if not facts.mapping.continuous or facts.state.fresh_since is None:
        return found
    since = facts.state.fresh_since // 1000 * 1000
    for key, stamp in facts.state.marks.items():
        kind = _LEDGER_KINDS.get(key.partition("/")[0])
        at = report.result.confirmed.get(key_of(kind, id_of(key))) if kind else None
        moments = moments_of(stamp)
        if kind is None or at is None or len(moments) < 2 or moments[1] < since:
            continue
        found.append(Landed(kind, max(at - moments[1], 0) / 1000, moments[1]))
    return found


def count(meters: MetricRegistry, report: PushReport, landed: list[Landed], calls: PushCalls, goal: float) -> None:
    """The samples of a push. A late change that waited for credits is not missed: `no_credits`."""
    run, former, issues = report.run, report.facts.former, report.settlement.issues
    for operation, number in run.operations.items():
        meters.observe(pushing.PLAN_OPERATIONS, number, operation=operation)
    for kind, tally in run.tallies.items():
        for result in _RESULTS:
            if number := getattr(tally, result):
                meters.add(pushing.PUSH_OPERATIONS, number, kind=kind.value, result=result)
    for each in landed:
        late = each.seconds > goal
        slo = "met" if not late else "no_credits" if each.seconds - calls.waited <= goal else "missed"
        meters.observe(freshness.CHANGE_TO_SWOOGO, each.seconds, kind=each.kind.value)
        meters.add(freshness.CHANGES, slo=slo)
    for lag in report.hinted:
        meters.observe(webhooks.WEBHOOK_LAG, lag / 1000)
    edited = {key for key, issue in issues.items() if issue.code is Code.EDITED_IN_SWOOGO}
    meters.add(pushing.DRIFT, len(edited - former.keys()), what="edited")
    meters.add(pushing.DRIFT, report.result.found_gone, what="deleted")
    for what, code in _OLDER.items():
        found = {key for key, issue in issues.items() if issue.code is code}
        meters.add(pushing.OLDER_CHANGES, len(found - former.keys()), what=what)


def line(report: PushReport, landed: list[Landed], calls: PushCalls) -> dict[str, Any]:
    run = report.run
    seconds = {name: round(last - first, 3) for name, (first, last) in sorted(calls.spans.items())}
    counted = {
        operation if outcome == "applied" else f"{operation} {outcome}": number
        for (operation, outcome), number in sorted(calls.calls.items())
    }
    fields: dict[str, Any] = {
        "run": run.id,
        "event_id": run.event_id,
        "trigger": run.trigger.value,
        "scope": run.scope,
        "outcome": run.outcome,
        "reason": run.error,
        "plan": dict(run.operations),
        "calls": counted,
        "credits": run.credits,
        "links": run.links,
        "images": run.images,
        "seconds": {
            "total": round(time.monotonic() - calls.began, 3),
            "waited_for_credits": round(calls.waited, 3),
            **seconds,
        },
        "issues": run.issues,
    }
    for kind, tally in run.tallies.items():
        if tally.attempted:
            fields[kind.value] = {name: number for name in _RESULTS if (number := getattr(tally, name))}
    if landed:
        fields["changes"] = len(landed)
        fields["change_to_swoogo_seconds"] = round(max(each.seconds for each in landed), 3)
    return fields
