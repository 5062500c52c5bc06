"""What needs an operator, as `status` ends with it: dead letters, refusals, paused calls, events that wait, and why."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.adapters.redis.event_stats import EventStats, EventSummary
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.pacing.circuit import Circuit
from consumer.domain.records.text import masked
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import counted, iso, lasting
from consumer.settings import KafkaSettings

if TYPE_CHECKING:
    from consumer.entrypoints.documents.rows import EventRow

_KAFKA_SECONDS: Final = 3.0
_EVENTS_NAMED: Final = 3
ASK_AN_OPERATOR: Final[Mapping[str, tuple[str, str]]] = {
    Code.TOO_MANY_REMOVALS: ("so many removals at once that they wait to be confirmed", "ledger remove EVENT"),
    Code.MANY_MISSING: (
        "so many records missing in Swoogo at once that nothing follows from it until that is confirmed",
        "reconcile EVENT --confirm-deletions",
    ),
    Code.AMBIGUOUS_MATCH: (
        "a create that Swoogo did not answer, and several records it may have made",
        "issues EVENT --code ambiguous_match",
    ),
}
"""Issues that end when an operator decides: what the event has, and what shows it and asks."""


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs an operator, or that goes on by itself only later.

    Attributes:
        kind: dead_letters, parked, credential_refused, circuit_open, failing, waiting, or the code of an issue.
        event_id: the event it is about, "" for none or several.
        sentence: what is so, why, and until when.
        command: what to type next, `EVENT` in place of the event; "" for none.
        until: when it goes on by itself, in ISO 8601; None where that is not known.
    """

    kind: str
    event_id: str
    sentence: str
    command: str = ""
    until: str | None = None


@dataclass(frozen=True, slots=True)
class Attention:
    """All of it. `dead_letters`: None where Kafka did not say; `why` it did not."""

    needs: tuple[Need, ...] = ()
    dead_letters: int | None = None
    why: str = ""


async def read_dead_letters(kafka: KafkaSettings) -> Mapping[str, int]:
    """Topic -> open dead letters. Raises UnavailableError: not within some seconds; ConfigurationError."""
    from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters

    try:
        async with asyncio.timeout(_KAFKA_SECONDS), aclosing(OpenDeadLetters(kafka)) as letters:
            return await letters.count()
    except TimeoutError:
        raise UnavailableError(f"Kafka did not answer within {_KAFKA_SECONDS:g} seconds.") from None


async def read_attention(
    stores: StoreSession, rows: Sequence[EventRow], found: Mapping[str, EventSummary], *, letters: bool
) -> Attention:
    """Look at these events and what they stand on; with `letters`, at the dead letters of all.

    Raises UnavailableError: Redis does not answer.
    """
    count = asyncio.create_task(read_dead_letters(stores.settings.kafka)) if letters else None
    try:
        held = [each.mapping for each in found.values() if each.mapping]
        credentials = await _of_credentials(stores, held)
    except BaseException:
        if count:
            count.cancel()
            await asyncio.gather(count, return_exceptions=True)
        raise
    events = tuple(need for row in rows for need in _of_event(row, found[row.event_id].stats))
    if count is None:
        return Attention((*credentials, *events))
    try:
        open_letters = await count
    except (UnavailableError, ConfigurationError) as error:
        return Attention((*credentials, *events), why=str(error))
    dead = tuple(
        Need("dead_letters", "", f"{counted(number, 'record')} of {topic} could not be read.", "dlq list")
        for topic, number in sorted(open_letters.items())
    )
    return Attention((*dead, *credentials, *events), sum(open_letters.values()))


async def why_paused(stores: StoreSession, mapping: EventMapping) -> str:
    """A sentence on why calls for the event pause and until when; "" while they do not. Raises UnavailableError."""
    circuit = await stores.circuits.look(mapping.credential)
    return _paused(circuit, [mapping.event_id], stores.clock.now()).sentence if circuit.open else ""


async def _of_credentials(stores: StoreSession, mappings: Iterable[EventMapping]) -> list[Need]:
    """Refusals first, then paused calls."""
    by_org: dict[str, list[str]] = defaultdict(list)
    for mapping in mappings:
        by_org[mapping.org_id].append(mapping.event_id)
    now, refused, paused = stores.clock.now(), list[Need](), list[Need]()
    for each in await stores.credentials.stats_of(sorted(by_org), now):
        events = by_org[each.org_id]
        if each.refused:
            sentence = (
                f"Swoogo refuses the credential of organization {each.org_id} ({_named(events)}): it has to connect "
                "with another one, or with this one once Swoogo takes it again."
            )
            refused.append(Need("credential_refused", _only(events), sentence, "doctor"))
        if each.circuit.open:
            paused.append(_paused(each.circuit, events, now))
    return [*refused, *paused]


def _paused(circuit: Circuit, events: Sequence[str], now: int) -> Need:
    why, seconds = f": {masked(circuit.reason)}" if circuit.reason else ".", circuit.wait(now)
    sentence = (
        f"Calls for {_named(events)} have been paused for {lasting(max(now - circuit.since, 0) / 1000)}{why} "
        f"Next try {f'in {lasting(seconds)}' if seconds else 'now'}."
    )
    return Need("circuit_open", _only(events), sentence, "doctor", iso(now + round(seconds * 1000)))


def _of_event(row: EventRow, stats: EventStats) -> list[Need]:
    found = []
    event = f"Event {row.event_id}"
    if row.waits_for:
        found.append(Need("waiting", row.event_id, f"{event} {row.waits_for}."))
    if row.failures:
        why = f": {row.last_run.error}" if row.last_run and row.last_run.error else "."
        again = "" if row.due_in is None else f" Next try {f'in {lasting(row.due_in)}' if row.due_in else 'now'}."
        times = f"{row.failures:,} times in a row" if row.failures > 1 else "once"
        found.append(Need("failing", row.event_id, f"{event} failed {times}{why}{again}", "runs EVENT"))
    if stats.parked:
        changes = counted(stats.parked, "change")
        found.append(Need("parked", row.event_id, f"{event} has {changes} that Swoogo refused.", "parked list EVENT"))
    for code, (words, command) in ASK_AN_OPERATOR.items():
        if stats.issues.get(code):
            found.append(Need(code, row.event_id, f"{event} has {words}.", command))
    return found


def _only(events: Sequence[str]) -> str:
    return events[0] if len(events) == 1 else ""


def _named(events: Sequence[str]) -> str:
    more = f" and {len(events) - _EVENTS_NAMED} more" if len(events) > _EVENTS_NAMED else ""
    return f"{'event' if len(events) == 1 else 'events'} {', '.join(sorted(events)[:_EVENTS_NAMED])}{more}"
