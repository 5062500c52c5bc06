"""What runs now, as `status` and `doctor` report it: replicas by their heartbeats, readers and lag by the brokers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from consumer.adapters.redis.replicas import RedisReplicas
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.entrypoints.documents.words import ago, counted, iso, lasting
from consumer.ports.replicas import Replica
from consumer.settings import KafkaSettings

if TYPE_CHECKING:
    from consumer.adapters.kafka.group_status import GroupStatus

_KAFKA_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class ReplicaRow:
    """One replica that was heard within a day."""

    id: str
    version: str
    role: str
    alive: bool
    started: str | None
    seen: str | None
    seen_ms: int


@dataclass(frozen=True, slots=True)
class TopicRow:
    """One input topic: members of its group, records not read yet, and since when the oldest waits."""

    topic: str
    members: int
    behind: int
    oldest: str | None
    oldest_ms: int


@dataclass(frozen=True, slots=True)
class RunningDocument:
    """What runs. `kafka`: a sentence where Kafka did not say who reads, else empty."""

    replicas: tuple[ReplicaRow, ...]
    topics: tuple[TopicRow, ...]
    kafka: str = ""

    @property
    def alive(self) -> tuple[ReplicaRow, ...]:
        """Replicas that were heard lately."""
        return tuple(each for each in self.replicas if each.alive)

    @property
    def behind(self) -> int:
        return sum(each.behind for each in self.topics)


async def read_running(replicas: RedisReplicas, kafka: KafkaSettings, now: int) -> RunningDocument:
    """Ask both. Raises UnavailableError when Redis does not answer."""
    from consumer.adapters.kafka.group_status import read_groups

    found = replica_rows(await replicas.all(), now)
    try:
        groups = await read_groups(kafka, _KAFKA_SECONDS)
    except (UnavailableError, ConfigurationError) as error:
        return RunningDocument(found, (), str(error))
    return RunningDocument(found, topic_rows(groups))


def topic_rows(groups: Sequence[GroupStatus]) -> tuple[TopicRow, ...]:
    return tuple(TopicRow(g.topic, g.members, g.behind, iso(g.oldest), g.oldest or 0) for g in groups)


def replica_rows(replicas: Sequence[Replica], now: int) -> tuple[ReplicaRow, ...]:
    """Replicas as they are shown at `now` (ms)."""
    return tuple(
        ReplicaRow(each.id, each.version, each.role, each.alive(now), iso(each.started), iso(each.seen), each.seen)
        for each in replicas
    )


def replicas_sentence(document: RunningDocument, now: int) -> str:
    """`2 replicas run (0.1.0: all).`, or since when none does."""
    alive = document.alive
    if alive:
        kinds = sorted({f"{each.version}: {each.role}" for each in alive})
        return f"{counted(len(alive), 'replica')} {'runs' if len(alive) == 1 else 'run'} ({', '.join(kinds)})."
    if not document.replicas:
        return "No replica runs, and none did within a day: nothing is read or pushed."
    last = document.replicas[0]
    return (
        f"No replica runs: the last one (version {last.version}, role {last.role}) was heard {ago(last.seen_ms, now)}. "
        "Nothing is read or pushed."
    )


def waiting_sentences(document: RunningDocument, now: int) -> list[str]:
    """One for each topic that waits, or that replicas run for and none reads."""
    if document.kafka:
        return [document.kafka]
    found = []
    for each in document.topics:
        readers = f"{counted(each.members, 'replica')} in its group" if each.members else "no replica reads it"
        if each.behind:
            since = f", the oldest for {lasting(max(now - each.oldest_ms, 0) / 1000)}" if each.oldest_ms else ""
            waits = f"{counted(each.behind, 'record')} {'waits' if each.behind == 1 else 'wait'} on Kafka"
            found.append(f"{each.topic}: {waits}{since}; {readers}.")
        elif not each.members and any(replica.role != "sync" for replica in document.alive):
            found.append(f"{each.topic}: {readers}.")
    return found
