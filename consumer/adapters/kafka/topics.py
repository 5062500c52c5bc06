"""The topics this service reads and writes, how each is kept, and how they are made."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NodeNotReadyError, TopicAlreadyExistsError, for_code

from consumer.settings import Topics

LARGEST_MESSAGE: Final = 16 * 1024 * 1024
COMPACTION_LAG: Final = "min.compaction.lag.ms"
_DAY_MS: Final = 24 * 60 * 60 * 1000
PARTITIONS: Final = 6
_COPIES: Final = 3
_LEADER_POLLS: Final = 750
_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class TopicPolicy:
    """How a topic is kept: by key for ever (`retention_ms` None: compacted), or by time in ms.

    `compaction_lag_ms`: for so long every record stays, so that acts that follow each other on a key are all read.
    `delete_retention_ms`: for so long a null value stays, so that a reader who was away finds out what is gone.
    """

    retention_ms: int | None = None
    max_message_bytes: int | None = None
    compaction_lag_ms: int | None = None
    delete_retention_ms: int | None = None

    def config(self) -> dict[str, str]:
        config = (
            {"cleanup.policy": "compact"}
            if self.retention_ms is None
            else {"cleanup.policy": "delete", "retention.ms": str(self.retention_ms)}
        )
        if self.compaction_lag_ms is not None:
            config[COMPACTION_LAG] = str(self.compaction_lag_ms)
        if self.delete_retention_ms is not None:
            config["delete.retention.ms"] = str(self.delete_retention_ms)
        if self.max_message_bytes is not None:
            config["max.message.bytes"] = str(self.max_message_bytes)
        return config


INPUT: Final = TopicPolicy(max_message_bytes=LARGEST_MESSAGE, compaction_lag_ms=7 * _DAY_MS)
LEDGER: Final = TopicPolicy()
ISSUES: Final = TopicPolicy(delete_retention_ms=7 * _DAY_MS)
STATUS: Final = TopicPolicy(retention_ms=30 * _DAY_MS)
DEAD_LETTERS: Final = TopicPolicy(retention_ms=30 * _DAY_MS, max_message_bytes=LARGEST_MESSAGE)


def policies(topics: Topics) -> dict[str, TopicPolicy]:
    """Topic name -> how it is kept."""
    return {
        topics.sessions: INPUT,
        topics.speakers: INPUT,
        topics.sponsors: INPUT,
        topics.mappings: INPUT,
        topics.status: STATUS,
        topics.issues: ISSUES,
        topics.ledger: LEDGER,
        topics.dead_letters: DEAD_LETTERS,
    }


DEFAULT_TOPICS: Final[Mapping[str, TopicPolicy]] = MappingProxyType(policies(Topics()))
"""The topics under their default names."""


async def create_topics(
    bootstrap: str,
    topics: Mapping[str, TopicPolicy],
    *,
    partitions: int = PARTITIONS,
    replication: int | None = 1,
    **access: Any,
) -> tuple[str, ...]:
    """Create what is missing of `topics` (name to policy) and wait until each partition has a leader.

    Returns the names of those that were not there before.

    `replication`: None for three, or one a broker where there are fewer. With three or more, a record counts as written
    when all but one have it (`min.insync.replicas`). `access`: encryption and login, as aiokafka's clients take them.
    Topics that exist stay as they are. Raises aiokafka's error for any other refusal, and `TimeoutError` when
    partitions stay without a leader.
    """
    if not topics:
        return ()
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **access)
    await admin.start()
    try:
        copies = replication or min(_COPIES, len((await admin.describe_cluster())["brokers"]))
        safely = {"min.insync.replicas": str(copies - 1)} if copies >= _COPIES else {}
        wanted = [
            NewTopic(name, partitions, copies, topic_configs=policy.config() | safely)
            for name, policy in topics.items()
        ]
        try:
            answer = await admin.create_topics(wanted)
        except AttributeError as error:  # aiokafka asks a controller that its metadata does not name
            raise NodeNotReadyError("The cluster has no controller yet; try again in a moment.") from error
        created = []
        for name, code, *rest in answer.topic_errors:
            if code == 0:
                created.append(name)
            elif code != TopicAlreadyExistsError.errno:
                raise for_code(code)(f"{name}: {rest[0] if rest else ''}")
        await _until_led(admin, set(topics))
        return tuple(sorted(created))
    finally:
        await admin.close()


async def _until_led(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    # A producer that meets a partition without a leader retries with long pauses; waiting here is shorter.
    led: set[str] = set()
    for _ in range(_LEADER_POLLS):
        led = {
            topic["topic"]
            for topic in await admin.describe_topics(sorted(names))
            if topic["partitions"] and all(part["leader"] >= 0 for part in topic["partitions"])
        }
        if names <= led:
            return
        await asyncio.sleep(_POLL_SECONDS)
    raise TimeoutError(f"Topics without a leader: {', '.join(sorted(names - led))}")
