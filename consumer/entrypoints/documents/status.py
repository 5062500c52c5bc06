"""`status`: what is known of the events, from Redis, and what runs, from Redis and Kafka (N2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consumer.adapters.redis.event_stats import EventSummary
from consumer.domain.hands import hands_needed
from consumer.domain.identity import Kind
from consumer.domain.mapping import EventMapping
from consumer.domain.run import Run, Tally
from consumer.domain.sync_state import Standing, SyncState, Turn, state_of, turn_of
from consumer.domain.text import masked
from consumer.entrypoints.documents.attention import Attention, read_attention
from consumer.entrypoints.documents.completeness import require_complete, waits_for
from consumer.entrypoints.documents.ids import chosen, known_events
from consumer.entrypoints.documents.plan import IssueRow, issue_rows
from consumer.entrypoints.documents.programme import SessionRow, programme_counts, programme_rows
from consumer.entrypoints.documents.running import RunningDocument, read_running
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.standing import NOWHERE, read_grounds
from consumer.entrypoints.documents.words import UNPRINTED, iso
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
    ended_ms: int = 0
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
        state: in one word, as the console says it, see `domain.sync_state`; `turn`: whose turn it is.
        hands: open issues that need somebody, of `issues` by code.
        refused: Swoogo refuses the credential of its organization.
        paused_until: calls are paused until then, because Swoogo does not answer; 0 while they are not.
        due_ms, survey_ms, reached_ms: when it may be pushed, when the next reconcile may start, and when a push last
            changed something in Swoogo.
        ledger: "kind/state" -> records; `left_out`: "kind:reason" -> records that the last plan left out.
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
    state: SyncState = SyncState.IN_SYNC
    turn: Turn = Turn.DONE
    org_id: str = ""
    timezone: str = ""
    hands: int = 0
    refused: bool = False
    paused_until: int = 0
    due_ms: int | None = None
    survey_ms: int | None = None
    reached_ms: int | None = None
    issues: Mapping[str, int] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)


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
    """What `status EVENT --json` prints. `pending`: source -> keys of changes not pushed yet.

    `sessions`: how many are accepted, live in Swoogo, and what became of them. Pages draw the pair and its programme.
    """

    event: EventRow
    runs: tuple[RunDocument, ...]
    issues: tuple[IssueRow, ...]
    pending: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attention: Attention = field(default_factory=Attention)
    sessions: Mapping[str, int] = field(default_factory=dict)
    mapping: EventMapping | None = field(default=None, metadata=UNPRINTED)
    programme: tuple[SessionRow, ...] = field(default=(), metadata=UNPRINTED)


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
        ended_ms=run.ended,
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
    return await _event(stores, event_id, runs) if event_id in known else None


async def read_known_event(stores: StoreSession, event_id: str, runs: int) -> EventDocument | None:
    """The same of a whole id, without looking through all others; None while nothing is known of it."""
    document = await _event(stores, event_id, runs)
    row = document.event
    known = row.mapped or row.dirty or document.runs or document.programme or await stores.pairs.pair(event_id)
    return document if known else None


async def _event(stores: StoreSession, event_id: str, runs: int) -> EventDocument:
    marker, found = await asyncio.gather(stores.markers.look(), stores.overview.summaries([event_id]))
    mapping = found[event_id].mapping
    (row,), waiting, ended, issues, programme = await asyncio.gather(
        _rows(stores, found, marker.deferred),
        stores.inbox.waiting(event_id),
        stores.board.runs(event_id, runs),
        stores.board.issues(event_id),
        stores.programme.of(event_id),
    )
    pending: dict[str, list[str]] = {}
    for key in waiting.dirty:
        pending.setdefault(key.partition("/")[0], []).append(key)
    shown = issue_rows(issues.values())
    sessions = programme_rows(programme, mapping, shown, stores.clock.now())
    return EventDocument(
        row,
        tuple(run_document(run) for run in ended),
        shown,
        {source: tuple(keys) for source, keys in pending.items()},
        await read_attention(stores, [row], found, letters=False),
        programme_counts(sessions),
        mapping,
        sessions,
    )


async def _rows(
    stores: StoreSession, found: Mapping[str, EventSummary], deferred: Mapping[str, Sequence[str]]
) -> tuple[EventRow, ...]:
    mappings = (each.mapping for each in found.values())
    grounds, now = await asyncio.gather(read_grounds(stores, mappings), stores.inbox.now())

    async def row(each: EventSummary) -> EventRow:
        mapping, stats, held = each.mapping, each.stats, each.stats.held > now
        ground = grounds[mapping.org_id, mapping.credential] if mapping else NOWHERE
        waiting = await waits_for(stores, each.event_id, mapping, deferred)
        standing = Standing(
            mapped=mapping is not None,
            refused=ground.refused,
            working=held,
            calls=bool(held and each.run and not each.run.ended and each.run.planned_calls),
            changes=stats.changes,
            hands=hands_needed(stats.issues),
            failures=stats.failures,
            paused=bool(ground.paused_until),
            delayed=bool(waiting),
            manual=mapping is not None and not mapping.continuous and stats.due is None,
        )
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
            credits_left=ground.left,
            last_run=run_document(each.run, held=held) if each.run else None,
            waits_for=waiting,
            state=state_of(standing),
            turn=turn_of(standing),
            org_id=mapping.org_id if mapping else "",
            timezone=mapping.timezone if mapping else "",
            hands=standing.hands,
            refused=ground.refused,
            paused_until=ground.paused_until,
            due_ms=stats.due,
            survey_ms=stats.survey,
            reached_ms=stats.reached,
            issues=stats.issues,
            ledger=stats.ledger,
            left_out=stats.left_out,
        )

    return tuple(await asyncio.gather(*map(row, found.values())))


def _until(moment: int | None, now: int) -> float | None:
    """Seconds until then, 0 when it has come; None where it never comes."""
    return None if moment is None else max(moment - now, 0) / 1000
