"""What events stand on, read once for all of them: credits, circuits, and credentials that Swoogo refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from consumer.domain.mapping import EventMapping
from consumer.domain.run import Run
from consumer.entrypoints.documents.session import StoreSession


@dataclass(frozen=True, slots=True)
class Ground:
    """What the events of one credential stand on.

    Attributes:
        left: credits it has now.
        refused: Swoogo refuses it.
        paused_until: no call is made before, ms; 0: calls are made.
    """

    left: int | None = None
    refused: bool = False
    paused_until: int = 0


NOWHERE = Ground()
"""What an event without a mapping stands on."""


async def read_grounds(
    stores: StoreSession, mappings: Iterable[EventMapping | None]
) -> Mapping[tuple[str, str], Ground]:
    """(organization, credential) -> what they stand on. Raises UnavailableError."""
    pairs = sorted({(each.org_id, each.credential) for each in mappings if each})

    async def ground(org_id: str, credential: str) -> Ground:
        left, circuit, refused = await asyncio.gather(
            stores.budget.left(credential),
            stores.circuits.look(credential),
            stores.connections.refused_credential(org_id),
        )
        paused = max(circuit.until, circuit.probe_until, 1) if circuit.open else 0
        return Ground(left, refused == credential, paused)

    return dict(zip(pairs, await asyncio.gather(*(ground(*pair) for pair in pairs)), strict=True))


@dataclass(frozen=True, slots=True)
class EventNumbers:
    """The numbers of an event. Moments are ms."""

    failures: int = 0
    changes: int = 0
    due: int | None = None
    held: int = 0
    survey: int | None = None
    survey_every: float = 0.0
    reached: int | None = None
    issues: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    ledger: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventSummary:
    """One event as a list of events shows it."""

    event_id: str
    mapping: EventMapping | None
    run: Run | None
    stats: EventNumbers


async def read_summaries(stores: StoreSession, events: Sequence[str]) -> Mapping[str, EventSummary]:
    """All of these events. Raises UnavailableError."""
    stats = await stores.overview.stats_of(events)

    async def summary(event_id: str) -> EventSummary:
        mapping, waiting, run, survey = await asyncio.gather(
            stores.connections.mapping(event_id),
            stores.inbox.waiting(event_id),
            stores.board.current(event_id),
            stores.ledger.survey(event_id),
        )
        known, now = stats[event_id], stores.clock.now()
        reached = run.ended if run and run.ended and any(each.synced for each in run.tallies.values()) else None
        numbers = EventNumbers(
            failures=waiting.attempt,
            changes=len(waiting.dirty),
            due=None if waiting.due_in is None else now + round(waiting.due_in * 1000),
            held=now + 1000 if waiting.held else 0,
            survey=None if waiting.survey_in is None else now + round(waiting.survey_in * 1000),
            survey_every=survey.every,
            reached=reached,
            issues=known.issues,
            left_out=known.left_out,
        )
        return EventSummary(event_id, mapping, run, numbers)

    return dict(zip(events, await asyncio.gather(*map(summary, events)), strict=True))
