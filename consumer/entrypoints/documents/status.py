"""`status`: what is known of the events, from Redis, and what runs, from Redis and Kafka (N2)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from consumer.domain.connections.mapping import EventMapping
from consumer.entrypoints.documents.attention import Attention, read_attention
from consumer.entrypoints.documents.completeness import require_complete
from consumer.entrypoints.documents.control import FreezeRow, approval_word, freeze_rows
from consumer.entrypoints.documents.ids import chosen, known_events
from consumer.entrypoints.documents.issues import IssueRow, issue_rows
from consumer.entrypoints.documents.programme import SessionRow, programme_counts, programme_rows
from consumer.entrypoints.documents.rows import EventRow, read_rows
from consumer.entrypoints.documents.run import RunDocument, run_document
from consumer.entrypoints.documents.running import RunningDocument, read_running
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import UNPRINTED, iso
from consumer.ports.rebuild import RebuildProgress


@dataclass(frozen=True, slots=True)
class StatusDocument:
    """What `status --json` prints. `rebuild`: Redis lost something and is read again from Kafka (G6).

    `lost`: when that last was, and was made good. `attention`: what needs an operator.
    """

    events: tuple[EventRow, ...]
    running: RunningDocument
    rebuild: RebuildProgress | None = None
    lost: str | None = None
    attention: Attention = field(default_factory=Attention)


@dataclass(frozen=True, slots=True)
class EventDocument:
    """What `status EVENT --json` prints. `pending`: source -> keys of changes not pushed yet.

    `freezes`: those that hold; `approval`: see `documents.control`.
    `sessions`: how many are accepted, live in Swoogo, and what became of them. Pages draw the pair and its programme.
    """

    event: EventRow
    runs: tuple[RunDocument, ...]
    issues: tuple[IssueRow, ...]
    pending: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    attention: Attention = field(default_factory=Attention)
    sessions: Mapping[str, int] = field(default_factory=dict)
    freezes: tuple[FreezeRow, ...] = ()
    approval: str = ""
    mapping: EventMapping | None = field(default=None, metadata=UNPRINTED)
    programme: tuple[SessionRow, ...] = field(default=(), metadata=UNPRINTED)


async def read_status(stores: StoreSession) -> StatusDocument:
    """All events. Raises UnavailableError."""
    running = asyncio.create_task(read_running(stores.replicas, stores.settings.kafka, stores.clock.now()))
    rebuild, marker, events = await asyncio.gather(
        stores.markers.progress(), stores.markers.look(), known_events(stores)
    )
    found = await stores.overview.summaries(events)
    rows = await read_rows(stores, found, marker.deferred)
    attention = await read_attention(stores, rows, found, letters=True)
    return StatusDocument(rows, await running, rebuild, iso(marker.lost_at), attention)


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
    (row,), waiting, ended, issues, programme, state = await asyncio.gather(
        read_rows(stores, found, marker.deferred),
        stores.inbox.waiting(event_id),
        stores.board.runs(event_id, runs),
        stores.board.issues(event_id),
        stores.programme.of(event_id),
        stores.inbox.load(event_id, snapshot=False),
    )
    pending: dict[str, list[str]] = {}
    for key in waiting.dirty:
        pending.setdefault(key.partition("/")[0], []).append(key)
    shown = issue_rows(event_id, issues.values())
    now = stores.clock.now()
    freezes = freeze_rows(state.controls, now)
    sessions = programme_rows(programme, mapping, shown, freezes, now, unapproved=row.unapproved > 0)
    return EventDocument(
        row,
        tuple(run_document(run) for run in ended),
        shown,
        {source: tuple(keys) for source, keys in pending.items()},
        await read_attention(stores, [row], found, letters=False),
        programme_counts(sessions),
        freezes,
        approval_word(mapping, state.controls) if mapping else "",
        mapping,
        sessions,
    )
