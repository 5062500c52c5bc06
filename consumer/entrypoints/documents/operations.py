"""`operations`: what is stuck and what to do, and what the service stands on: credits, Kafka, Redis, replicas (K1).

Bounded whatever there is: one answer for what is wrong with events, five small values an organization, one reading of
Kafka. `status` says how each event stands; this is for who keeps the service running.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.adapters.redis.credential_overview import CredentialStats
from consumer.domain.orders.bulk import EventTrouble, ParkedCode
from consumer.entrypoints.documents.running import KafkaReading, ReplicaRow, TopicRow, replica_rows, topic_rows
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.stuck import ReasonRow, Stuck, stuck_things
from consumer.entrypoints.documents.words import counted, lasting
from consumer.ports.rebuild import RebuildProgress

HOUR: Final = 3_600_000
ORGANIZATIONS: Final = 100
"""Organizations that are looked at, those with failing events first."""
_FAILING: Final = 20
"""Failing events that are looked at one by one."""


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long the changes of the last hour took to Swoogo, in seconds; `changes`: how many of them were kept."""

    changes: int = 0
    half: float = 0.0
    most: float = 0.0


@dataclass(frozen=True, slots=True)
class Oldest:
    """The event whose change should have gone first, and since when (ms)."""

    event_id: str
    name: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class CredentialRow:
    """One organization's credential and its credits.

    Attributes:
        events: pairs that it has, or had.
        state: closed, open or refused.
        since_ms, until_ms: of an open circuit: since when, and when the next call is tried.
        spent: credits in each slot of the window, the oldest first.
        left: None: not known.
        full_ms: when all credits are there again; 0: they are.
    """

    org_id: str
    events: int
    state: str
    since_ms: int
    until_ms: int
    reason: str
    spent: tuple[int, ...]
    left: int | None
    full_ms: int


@dataclass(frozen=True, slots=True)
class CodeRow:
    """Parked changes under one code. `oldest_ms`: 0 where that was not kept."""

    code: str
    count: int
    oldest_ms: int
    events: int


@dataclass(frozen=True, slots=True)
class ReplayRow:
    """A replay that goes on, or was interrupted. `left`: offsets still to be read; `event_id`: "" for all."""

    topic: str
    left: int
    event_id: str


@dataclass(frozen=True, slots=True)
class OperationsDocument:
    """What `operations --json` prints.

    Attributes:
        stuck: what does not move by itself, or did not for long.
        oldest: None: nothing that is due waits.
        complete: Redis holds all there is. `rebuild`: it is read again from Kafka; `lost_ms`: when it last was, or 0.
        credit_limit: credits of a window; `slot_seconds`: how long a slot of `CredentialRow.spent` is.
        credentials: of the first organizations by what is wrong with them; `organizations`: how many there are.
        letters: None: Kafka did not say. `parked`: None: not every event was gone through since an update.
        kafka_ms: when Kafka was read; `kafka`: a sentence where it did not answer, else "".
    """

    as_of_ms: int
    stuck: tuple[Stuck, ...]
    oldest: Oldest | None
    freshness: Freshness
    complete: bool
    rebuild: RebuildProgress | None
    lost_ms: int
    credit_limit: int
    slot_seconds: float
    credentials: tuple[CredentialRow, ...]
    organizations: int
    letters: tuple[ReasonRow, ...] | None
    parked: tuple[CodeRow, ...] | None
    replicas: tuple[ReplicaRow, ...]
    topics: tuple[TopicRow, ...]
    kafka_ms: int
    kafka: str
    replays: tuple[ReplayRow, ...]
    max_rounds: int


async def read_operations(stores: StoreSession) -> OperationsDocument:
    """All of it. Raises UnavailableError: Redis does not answer."""
    now, swoogo = stores.clock.now(), stores.settings.swoogo
    organizations, trouble, due, seconds = await asyncio.gather(
        stores.credentials.organizations(),
        stores.trouble.by_event(),
        stores.fleet.due(),
        stores.arrivals.since(now - HOUR),
    )
    marker, rebuild, replicas, kafka, replays = await asyncio.gather(
        stores.markers.look(), stores.markers.progress(), stores.replicas.all(), stores.kafka.read(), _replays(stores)
    )
    known = trouble or {}
    failed = sorted(event for event, each in known.items() if each.failed)
    failing, first = failed[:_FAILING], dict.fromkeys(known[event].org_id for event in failed if known[event].org_id)
    looked = [*first, *(each for each in organizations if each not in first)][:ORGANIZATIONS]
    credentials, stats = await asyncio.gather(
        stores.credentials.stats_of(looked, now), stores.overview.stats_of(failing)
    )
    credentials.sort(key=_urgency)
    waits = {event: each.oldest for event, each in stats.items() if each.oldest is not None}
    if first_due := due["event"].subject:
        waits[first_due] = min(due["event"].first, waits.get(first_due, now))
    event_id = min(waits, key=lambda event: waits[event], default="")
    mappings = await asyncio.gather(*map(stores.connections.mapping, {*failing, event_id} - {""}))
    names = {each.event_id: each.name for each in mappings if each}
    rows = tuple(replica_rows(replicas, now))
    topics = tuple(topic_rows(kafka.topics))
    letters = _reasons(kafka)
    complete = marker.complete or not marker.generation
    return OperationsDocument(
        now,
        stuck_things(now, complete, rebuild, credentials, known, stats, names, letters, rows, topics, kafka.trouble),
        Oldest(event_id, names.get(event_id, ""), waits[event_id]) if event_id else None,
        freshness(seconds),
        complete,
        rebuild,
        marker.lost_at,
        swoogo.credit_limit - swoogo.credit_reserve,
        swoogo.credit_window / 60,
        tuple(_credential(each, now) for each in credentials),
        len(organizations),
        letters,
        None if trouble is None else parked_codes(trouble),
        rows,
        topics,
        kafka.at,
        kafka.trouble,
        replays,
        stores.settings.bulk.max_rounds,
    )


def lead(document: OperationsDocument) -> tuple[str, str]:
    """What is so, in two sentences: what is stuck, and how quick the rest is."""
    stuck, fresh = len(document.stuck), document.freshness
    first = f"{counted(stuck, 'thing')} {'is' if stuck == 1 else 'are'} stuck." if stuck else "Nothing is stuck."
    half = f"Half of the last hour’s changes arrived within {lasting(fresh.half)}."
    second = half if fresh.changes else "No change reached Swoogo in the last hour."
    return first, second


def freshness(seconds: Sequence[float]) -> Freshness:
    """Of sorted seconds: half of the changes took at most `half`, 95 of 100 at most `most`."""
    if not seconds:
        return Freshness()
    last = len(seconds) - 1
    return Freshness(len(seconds), seconds[round(last * 0.5)], seconds[round(last * 0.95)])


def parked_codes(trouble: Mapping[str, EventTrouble]) -> tuple[CodeRow, ...]:
    codes: dict[str, list[ParkedCode]] = defaultdict(list)
    for each in trouble.values():
        for code, count in each.codes.items():
            codes[code].append(count)
    return tuple(
        CodeRow(code, total.count, total.oldest, len(parts))
        for code, parts in sorted(codes.items(), key=lambda item: (-sum(each.count for each in item[1]), item[0]))
        for total in [sum(parts, ParkedCode())]
    )


def _reasons(kafka: KafkaReading) -> tuple[ReasonRow, ...] | None:
    if not kafka.at:
        return None
    reasons: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for each in kafka.letters:
        reasons[each.reason].append((each.at, each.topic))
    return tuple(
        ReasonRow(reason, len(found), min(found)[0], tuple(sorted({topic for _, topic in found})))
        for reason, found in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    )


async def _replays(stores: StoreSession) -> tuple[ReplayRow, ...]:
    topics = stores.settings.kafka.topics
    names = (topics.sessions, topics.speakers, topics.sponsors, topics.mappings)
    kept = await asyncio.gather(*map(stores.replays.kept, names))
    return tuple(
        ReplayRow(topic, sum(span.end - span.start for span in found[0].values()), found[1])
        for topic, found in zip(names, kept, strict=True)
        if found
    )


def _urgency(stats: CredentialStats) -> tuple[int, int, str]:
    rank = 0 if stats.refused else 1 if stats.circuit.open else 2
    return rank, -sum(stats.credits.slots), stats.org_id


def _credential(each: CredentialStats, now: int) -> CredentialRow:
    circuit = each.circuit
    return CredentialRow(
        each.org_id,
        each.events,
        "refused" if each.refused else "open" if circuit.open else "closed",
        circuit.since,
        now + round(circuit.wait(now) * 1000) if circuit.open else 0,
        circuit.reason if circuit.open else "",
        each.credits.slots,
        None if each.refused else each.credits.left,
        each.credits.full_at,
    )
