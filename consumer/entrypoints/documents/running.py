"""What runs now: replicas by their heartbeats; readers, lag and open dead letters by the brokers.

A command looks at Kafka once. The console looks again when its reading is some seconds old, in the background: no page
waits for Kafka but the first, and that one for some seconds only.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from consumer.adapters.redis.replicas import RedisReplicas, Replica
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.entrypoints.documents.words import ago, counted, iso, lasting
from consumer.settings import KafkaSettings

if TYPE_CHECKING:
    from consumer.adapters.kafka.lag import GroupStatus
    from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters, OpenLetter

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
    from consumer.adapters.kafka.lag import read_groups

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


_SECONDS: Final = 3.0
_FRESH_SECONDS: Final = 15.0


@dataclass(frozen=True, slots=True)
class KafkaReading:
    """One look. `at`: ms when `letters` were read, 0: never; `trouble`: why the newest look failed, in a sentence.

    `topics`: the newest that were read, () before.
    """

    at: int = 0
    topics: Sequence[GroupStatus] = ()
    letters: Sequence[OpenLetter] = ()
    trouble: str = ""


class KafkaLook:
    """Looks at most every some seconds. Close it in the end; it connects when it is asked first."""

    def __init__(self, settings: KafkaSettings) -> None:
        self._settings = settings
        self._letters: OpenDeadLetters | None = None
        self._reading = KafkaReading()
        self._task: asyncio.Task[None] | None = None
        self._next = 0.0

    async def read(self) -> KafkaReading:
        """The newest reading. Waits some seconds for the first one, never for a later one."""
        if self._task is None and time.monotonic() >= self._next:
            self._task = asyncio.create_task(self._look())
        task = self._task
        if task is not None and not self._reading.at:
            await asyncio.wait({task}, timeout=_SECONDS)
            if not task.done():
                return replace(self._reading, trouble=f"Kafka did not answer within {_SECONDS:g} seconds.")
        return self._reading

    def look_again(self) -> None:
        """The next reading is not the kept one for long: something was just changed."""
        self._next = 0.0

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._letters is not None:
            await self._letters.aclose()

    async def _look(self) -> None:
        from consumer.adapters.kafka.lag import read_groups
        from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters

        self._letters = self._letters or OpenDeadLetters(self._settings)
        try:
            letters = await self._letters.letters()
            self._reading = replace(self._reading, at=round(time.time() * 1000), letters=letters, trouble="")
            self._reading = replace(self._reading, topics=await read_groups(self._settings, _SECONDS))
        except (UnavailableError, ConfigurationError) as error:
            self._reading = replace(self._reading, trouble=str(error))
        finally:
            self._next, self._task = time.monotonic() + _FRESH_SECONDS, None
