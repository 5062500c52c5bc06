"""`status`: what is known of the events, from Redis, and what runs, from Redis and Kafka (N2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consumer.adapters.redis.event_stats import EventSummary
from consumer.domain.identity import Kind
from consumer.domain.run import Run, Tally
from consumer.domain.text import masked
from consumer.entrypoints.documents.attention import Attention, read_attention
from consumer.entrypoints.documents.completeness import require_complete, waits_for
from consumer.entrypoints.documents.ids import chosen, known_events
from consumer.entrypoints.documents.plan import IssueRow, issue_rows
from consumer.entrypoints.documents.running import RunningDocument, read_running
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso
from consumer.ports.rebuild import RebuildProgress


@dataclass(frozen=True, slots=True)
class KindNumbers:
    """One kind of records in one run (N1)."""

    attempted: int
    synced: int
    created: int
    adopted: int
    updated: int
    deleted: int
    unchanged: int
    left_out: int
    failed: int


@dataclass(frozen=True, slots=True)
class RunDocument:
    """A run. `outcome`: running, completed, completed_with_issues, failed or broken_off; times in ms as recorded.

    `broken_off`: it never ended, and no worker has the event any more.
    `requests`: ids of the manual syncs it serves.
    `eta`: when it should be done at the credits left; None when it is over or not known.
    """

    id: str
    trigger: str
    scope: str
    outcome: str
    error: str
    started: str | None
    ended: str | None
    seconds: float | None
    credits: int
    planned_credits: int
    done_calls: int
    planned_calls: int
    eta: str | None
    links: int
    kinds: Mapping[str, KindNumbers]
    reasons: Mapping[str, int]
    issues: Mapping[str, int]
    started_ms: int
    eta_ms: int
    requests: tuple[str, ...] = ()

    @property
    def failures(self) -> int:
        """Records that needed something and did not get it."""
        return sum(numbers.failed for numbers in self.kinds.values())


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event in the table of all.

    Attributes:
        dirty: changes not pushed yet.
        due_in: seconds until it may be pushed; None: nothing makes it due.
        working: True while a worker has it.
        failures: failed pushes in a row.
        survey_in: seconds until the next reconcile may start; None: none is planned.
        survey_every: seconds between two reconciles at present, 0 before the first; more than the setting when the
            credential has many events.
        credits_left: what its credential has now; None without a mapping.
        waits_for: what it waits for since Redis was lost, and until when; "" for nothing.
    """

    event_id: str
    name: str
    mapped: bool
    swoogo_event_id: int | None
    continuous: bool
    dirty: int
    due_in: float | None
    working: bool
    failures: int
    survey_in: float | None
    survey_every: float
    credits_left: int | None
    last_run: RunDocument | None
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """What `status --json` prints. `rebuild`: Redis lost something and is read again from Kafka (G6).

    `lost`: when that last was, and was made good. `attention`: what needs a hand.
    """

    events: tuple[EventRow, ...]
    running: RunningDocument
    rebuild: RebuildProgress | None = None
    lost: str | None = None
    attention: Attention = field(default_factory=Attention)


@dataclass(frozen=True, slots=True)
class EventDocument:
    """What `status EVENT --json` prints. `pending`: source -> keys of changes not pushed yet."""

    event: EventRow
    runs: tuple[RunDocument, ...]
    issues: tuple[IssueRow, ...]
    pending: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attention: Attention = field(default_factory=Attention)


def run_document(run: Run, *, held: bool = True) -> RunDocument:
    """A run as it is shown. `held`: a worker has its event, so that one without an end goes on."""
    return RunDocument(
        id=run.id,
        trigger=run.trigger.value,
        scope=run.scope,
        outcome=run.outcome if held or run.ended else "broken_off",
        error=masked(run.error),
        started=iso(run.started),
        ended=iso(run.ended),
        seconds=(run.ended - run.started) / 1000 if run.ended else None,
        credits=run.credits,
        planned_credits=run.planned_credits,
        done_calls=run.done_calls,
        planned_calls=run.planned_calls,
        eta=iso(run.eta) if run.eta and not run.ended else None,
        links=run.links,
        kinds={kind.value: _numbers(run.tallies[kind]) for kind in Kind if kind in run.tallies},
        reasons=run.reasons,
        issues=run.issues,
        started_ms=run.started,
        eta_ms=run.eta,
        requests=run.requests,
    )


def _numbers(tally: Tally) -> KindNumbers:
    return KindNumbers(
        tally.attempted,
        tally.synced,
        tally.created,
        tally.adopted,
        tally.updated,
        tally.deleted,
        tally.unchanged,
        tally.left_out,
        tally.failed,
    )


async def read_status(stores: StoreSession) -> StatusDocument:
    """All events. Raises UnavailableError."""
    running = asyncio.create_task(read_running(stores.replicas, stores.settings.kafka, stores.clock.now()))
    rebuild, marker, events = await asyncio.gather(
        stores.markers.progress(), stores.markers.look(), known_events(stores)
    )
    found = await stores.overview.summaries(events)
    rows = await _rows(stores, found, marker.deferred)
    attention = await read_attention(stores, rows, found, letters=True)
    lost = iso(marker.lost_at) if marker.lost_at else None
    return StatusDocument(rows, await running, rebuild, lost, attention)


async def read_event(stores: StoreSession, given: str, runs: int) -> EventDocument | None:
    """One event with its newest runs; None when nothing was ever recorded or mapped.

    Raises UnavailableError, AmbiguousIdError.
    """
    known = await known_events(stores)
    event_id = chosen(given, known, "event")
    if given not in known:
        await require_complete(stores)
    if event_id not in known:
        return None
    marker, found = await asyncio.gather(stores.markers.look(), stores.overview.summaries([event_id]))
    (row,), waiting, ended, issues = await asyncio.gather(
        _rows(stores, found, marker.deferred),
        stores.inbox.waiting(event_id),
        stores.board.runs(event_id, runs),
        stores.board.issues(event_id),
    )
    pending: dict[str, list[str]] = {}
    for key in waiting.dirty:
        pending.setdefault(key.partition("/")[0], []).append(key)
    return EventDocument(
        row,
        tuple(run_document(run) for run in ended),
        issue_rows(issues.values()),
        {source: tuple(keys) for source, keys in pending.items()},
        await read_attention(stores, [row], found, letters=False),
    )


async def _rows(
    stores: StoreSession, found: Mapping[str, EventSummary], deferred: Mapping[str, Sequence[str]]
) -> tuple[EventRow, ...]:
    credentials = sorted({each.mapping.credential for each in found.values() if each.mapping})
    now, *left = await asyncio.gather(stores.inbox.now(), *map(stores.budget.left, credentials))
    credits_left = dict(zip(credentials, left, strict=True))

    async def row(each: EventSummary) -> EventRow:
        mapping, stats, held = each.mapping, each.stats, each.stats.held > now
        return EventRow(
            event_id=each.event_id,
            name=mapping.name if mapping else "",
            mapped=mapping is not None,
            swoogo_event_id=mapping.swoogo_event_id if mapping else None,
            continuous=mapping.continuous if mapping else False,
            dirty=stats.changes,
            due_in=_until(stats.due, now),
            working=held,
            failures=stats.failures,
            survey_in=_until(stats.survey, now),
            survey_every=stats.survey_every,
            credits_left=credits_left[mapping.credential] if mapping else None,
            last_run=run_document(each.run, held=held) if each.run else None,
            waits_for=await waits_for(stores, each.event_id, mapping, deferred),
        )

    return tuple(await asyncio.gather(*map(row, found.values())))


def _until(moment: int | None, now: int) -> float | None:
    """Seconds until then, 0 when it has come; None where it never comes."""
    return None if moment is None else max(moment - now, 0) / 1000
