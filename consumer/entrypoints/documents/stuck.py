"""What does not move by itself, or did not for long: each with since when, why, and what to do (K1)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.adapters.redis.credential_overview import CredentialStats
from consumer.adapters.redis.event_stats import EventStats
from consumer.domain.orders.bulk import EventTrouble, ParkedCode
from consumer.domain.records.text import masked
from consumer.entrypoints.documents.attention import ASK_AN_OPERATOR
from consumer.entrypoints.documents.completeness import rebuilding
from consumer.entrypoints.documents.running import ReplicaRow, TopicRow
from consumer.entrypoints.documents.words import counted
from consumer.ports.rebuild import RebuildProgress

_LATE_MS: Final = 300_000
"""A record that waits on Kafka for longer is stuck."""


@dataclass(frozen=True, slots=True)
class Stuck:
    """One thing that is stuck.

    Attributes:
        kind: redis, replicas, kafka, credential, circuit, failing, asking, letters or parked.
        what: what it is, in a few words; `why`: in a sentence.
        since_ms: 0: not known.
        alone: it goes on by itself, sooner or later.
        command: what to type, `EVENT` in place of the event; "" for none.
        runbook: page of the runbooks, without its ending.
        event_id: the event it is about, "" for none or several.
        until_ms: when it is tried again; 0: not known, or it is not.
    """

    kind: str
    what: str
    since_ms: int
    why: str
    alone: bool = False
    command: str = ""
    runbook: str = ""
    event_id: str = ""
    until_ms: int = 0


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """Dead letters of one reason: how many, since when the first is there, from which topics."""

    reason: str
    count: int
    oldest_ms: int
    topics: tuple[str, ...]


def stuck_things(
    now: int,
    complete: bool,  # noqa: FBT001 - a fact among facts
    rebuild: RebuildProgress | None,
    credentials: Sequence[CredentialStats],
    trouble: Mapping[str, EventTrouble],
    stats: Mapping[str, EventStats],
    names: Mapping[str, str],
    letters: Sequence[ReasonRow] | None,
    replicas: Sequence[ReplicaRow],
    topics: Sequence[TopicRow],
    silent: str = "",
) -> tuple[Stuck, ...]:
    """Everything that is stuck at `now` (ms), what stops most first. `silent`: why Kafka did not answer."""
    stopped = {each.org_id for each in credentials if each.refused or each.circuit.open}
    return (
        *_of_redis(rebuild, complete=complete),
        *_of_replicas(replicas),
        *_of_kafka(topics, now, silent),
        *_of_credentials(credentials, now),
        *_of_events(trouble, stats, names, stopped),
        *_of_letters(letters or ()),
        *_of_parked(trouble),
    )


def _of_redis(rebuild: RebuildProgress | None, *, complete: bool) -> Iterator[Stuck]:
    if rebuild:
        why = rebuilding(rebuild)
        yield Stuck(
            "redis", "Redis is being rebuilt", rebuild.started, why, not rebuild.trouble, "status", "redis-lost"
        )
    elif not complete:
        why = "A running service compares it with Kafka first; nothing is pushed until then."
        yield Stuck(
            "redis", "Redis may have lost something", 0, why, alone=True, command="status", runbook="redis-lost"
        )


def _of_replicas(replicas: Sequence[ReplicaRow]) -> Iterator[Stuck]:
    if not any(each.alive and each.role != "console" for each in replicas):
        seen = max((each.seen_ms for each in replicas if each.role != "console"), default=0)
        yield Stuck("replicas", "No replica runs", seen, "Nothing is read or pushed.", command="doctor", runbook="down")


def _of_kafka(topics: Sequence[TopicRow], now: int, silent: str) -> Iterator[Stuck]:
    if silent:
        yield Stuck("kafka", "Kafka does not answer here", 0, silent, command="doctor", runbook="not-reading")
    for each in topics:
        if each.behind and (not each.members or (each.oldest_ms and now - each.oldest_ms > _LATE_MS)):
            readers = f"{counted(each.members, 'replica')} in its group" if each.members else "No replica reads it"
            why = f"{counted(each.behind, 'record')} {'waits' if each.behind == 1 else 'wait'} on Kafka. {readers}."
            yield Stuck(
                "kafka", f"{each.topic} is behind", each.oldest_ms, why, command="doctor", runbook="not-reading"
            )


def _of_credentials(credentials: Sequence[CredentialStats], now: int) -> Iterator[Stuck]:
    for each in credentials:
        about = f"{each.org_id} ({counted(each.events, 'event')})"
        if each.refused:
            why = "Swoogo refuses its key and secret. Its changes are kept, and wait for another credential."
            yield Stuck("credential", f"{about} is refused", 0, why, command="doctor", runbook="credential-refused")
        elif each.circuit.open:
            why = masked(each.circuit.reason) or "Several calls in a row had no answer."
            yield Stuck(
                "circuit",
                f"{about} gets no answer",
                each.circuit.since,
                why,
                alone=True,
                command="doctor",
                runbook="swoogo-unreachable",
                until_ms=now + round(each.circuit.wait(now) * 1000),
            )


def _of_events(
    trouble: Mapping[str, EventTrouble], stats: Mapping[str, EventStats], names: Mapping[str, str], stopped: set[str]
) -> Iterator[Stuck]:
    for event, each in stats.items():
        if each.failures and trouble[event].org_id not in stopped:
            times = "once" if each.failures == 1 else f"{each.failures:,} times in a row"
            why = f"Its push failed {times}. {counted(each.changes, 'change')} wait; it is tried again by itself."
            yield Stuck(
                "failing",
                f"{names.get(event) or event} fails",
                each.oldest or 0,
                why,
                alone=True,
                command="runs EVENT",
                runbook="events-failing",
                event_id=event,
            )
    asking = [(code, event) for event, each in sorted(trouble.items()) for code in each.asks]
    for code, (words, command) in ASK_AN_OPERATOR.items():
        events = [event for asked, event in asking if asked == code]
        if events:
            one = events[0] if len(events) == 1 else ""
            what = f"{counted(len(events), 'event')} {'asks' if one else 'ask'} an operator"
            yield Stuck("asking", what, 0, f"{words[:1].upper()}{words[1:]}.", command=command, event_id=one)


def _of_letters(letters: Sequence[ReasonRow]) -> Iterator[Stuck]:
    if count := sum(each.count for each in letters):
        since = min(each.oldest_ms for each in letters)
        why = f"Could not be read. Nothing else waits for {'it' if count == 1 else 'them'}."
        yield Stuck("letters", counted(count, "dead letter"), since, why, command="dlq list", runbook="dead-letters")


def _of_parked(trouble: Mapping[str, EventTrouble]) -> Iterator[Stuck]:
    total = sum((code for each in trouble.values() for code in each.codes.values()), ParkedCode())
    if total.count:
        it = "it" if total.count == 1 else "them"
        why = f"Swoogo refused {it}. Nothing else waits for {it}."
        what = counted(total.count, "parked change")
        yield Stuck("parked", what, total.oldest, why, command="parked list", runbook="parked-changes")
