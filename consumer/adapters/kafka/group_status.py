"""Who reads the input topics now, and what waits on them: asked of the brokers, so that dead replicas do not matter."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.lag import INPUTS
from consumer.adapters.kafka.security import client_options
from consumer.domain.errors import UnavailableError
from consumer.settings import KafkaSettings

_RECORD_SECONDS: Final = 1.0
"""To read the first record that waits in a partition."""


@dataclass(frozen=True, slots=True)
class GroupStatus:
    """One input topic and the group that reads it.

    Attributes:
        members: replicas that are in the group now.
        behind: records that the group has not committed.
        oldest: ms at which the oldest of those came to Kafka; None when none waits, or it could not be read.
    """

    topic: str
    members: int
    behind: int
    oldest: int | None = None


async def read_groups(settings: KafkaSettings, seconds: float) -> tuple[GroupStatus, ...]:
    """Every input topic. Raises UnavailableError: Kafka did not answer within `seconds`."""
    try:
        async with asyncio.timeout(seconds):
            return await _read(settings)
    except (KafkaError, TimeoutError, OSError) as error:
        raise UnavailableError(f"Kafka did not answer who reads the topics ({type(error).__name__}).") from error


async def _read(settings: KafkaSettings) -> tuple[GroupStatus, ...]:
    options = client_options(settings)
    admin = AIOKafkaAdminClient(**options)
    reader = AIOKafkaConsumer(**options, enable_auto_commit=False, isolation_level="read_committed")
    try:
        await asyncio.gather(admin.start(), reader.start())
        names = {getattr(settings.topics, name): f"{settings.group_id}.{name}" for name in INPUTS}
        # One after another: the reader has one assignment at a time.
        return tuple([await _group(admin, reader, topic, group) for topic, group in names.items()])
    finally:
        await asyncio.gather(admin.close(), reader.stop())


async def _group(admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer, topic: str, group: str) -> GroupStatus:
    committed, [described], [answer] = await asyncio.gather(
        admin.list_consumer_group_offsets(group),
        admin.describe_topics([topic]),
        admin.describe_consumer_groups([group]),
    )
    partitions = [TopicPartition(topic, each["partition"]) for each in described["partitions"]]
    begins, ends = await asyncio.gather(reader.beginning_offsets(partitions), reader.end_offsets(partitions))
    waiting: dict[TopicPartition, int] = {}
    behind = 0
    for partition in partitions:
        known = committed.get(partition)
        position = max(known.offset if known else 0, begins[partition])
        if position < ends[partition]:
            waiting[partition] = position
            behind += ends[partition] - position
    return GroupStatus(topic, _members(answer), behind, await _oldest(reader, waiting))


def _members(answer: Any) -> int:
    """Of one group, whatever version of the protocol the broker speaks."""
    return sum(len(dict(zip(_NAMES, group, strict=False))["members"]) for group in answer.groups)


_NAMES: Final = ("error_code", "group", "state", "protocol_type", "protocol", "members")


async def _oldest(reader: AIOKafkaConsumer, waiting: Mapping[TopicPartition, int]) -> int | None:
    if not waiting:
        return None
    reader.assign(list(waiting))
    for partition, position in waiting.items():
        reader.seek(partition, position)
    moments = []
    for partition in waiting:
        try:
            async with asyncio.timeout(_RECORD_SECONDS):
                moments.append((await reader.getone(partition)).timestamp)
        except TimeoutError:
            continue  # what is behind may be the end mark of a transaction only
    return min(moments, default=None)
