"""Who reads the input topics, and how far the groups are behind, as the brokers know it: true also of dead replicas.

Consumers read up to the stable offset: an open transaction of a producer holds back everything after its start, also
what others wrote. To the groups that is no lag, so it is measured apart.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.security import client_options
from consumer.domain.errors import UnavailableError
from consumer.settings import KafkaSettings

INPUTS = ("mappings", "sessions", "speakers", "sponsors")


@dataclass(frozen=True, slots=True)
class TopicLag:
    """What of an input topic is not read yet.

    Attributes:
        behind: records that the group could read and has not committed.
        held_back: records after the start of an open transaction, which cannot be read.
        held_back_seconds: how long the stable offset of a partition has stood still before such records, at most.
    """

    behind: int
    held_back: int = 0
    held_back_seconds: float = 0.0


class KafkaLag:
    """Asks the brokers, with clients of its own that are members of no group."""

    def __init__(self, settings: KafkaSettings, *, now: Callable[[], float] = time.monotonic) -> None:
        """Connect to nothing yet. `now`: seconds that only grow."""
        self._settings = settings
        self._now = now
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None
        self._watermarks: AIOKafkaConsumer | None = None
        self._stalled: dict[TopicPartition, tuple[int, float]] = {}

    async def topics(self) -> Mapping[str, TopicLag]:
        """Input topic -> its lag. Raises UnavailableError."""
        try:
            lags = await self._ask()
        except (KafkaError, TimeoutError, OSError) as error:
            raise UnavailableError(f"Kafka did not say how far it is: {type(error).__name__}.") from error
        return {getattr(self._settings.topics, name): lag for name, lag in zip(INPUTS, lags, strict=True)}

    async def aclose(self) -> None:
        if self._admin is not None:
            await self._admin.close()
        for reader in (self._reader, self._watermarks):
            if reader is not None:
                await reader.stop()

    async def _ask(self) -> list[TopicLag]:
        admin = await self._admin_client()
        # What an aborted transaction left is not behind: no consumer will ever read it.
        if self._reader is None:
            self._reader = await self._started("read_committed")
        if self._watermarks is None:
            self._watermarks = await self._started("read_uncommitted")
        reader, watermarks = self._reader, self._watermarks
        return await asyncio.gather(*(self._lag(admin, reader, watermarks, name) for name in INPUTS))

    async def _admin_client(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**client_options(self._settings))
            try:
                await admin.start()
            except BaseException:
                await admin.close()
                raise
            self._admin = admin
        return self._admin

    async def _started(self, isolation: str) -> AIOKafkaConsumer:
        reader = AIOKafkaConsumer(**client_options(self._settings), enable_auto_commit=False, isolation_level=isolation)
        try:
            await reader.start()
        except BaseException:
            await reader.stop()
            raise
        return reader

    async def _lag(
        self, admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer, watermarks: AIOKafkaConsumer, name: str
    ) -> TopicLag:
        topic = getattr(self._settings.topics, name)
        committed = await admin.list_consumer_group_offsets(f"{self._settings.group_id}.{name}")
        described = await admin.describe_topics([topic])
        partitions = [TopicPartition(topic, each["partition"]) for each in described[0]["partitions"]]
        # The stable offsets first: records that come in between are not taken for held back for long.
        ends = await reader.end_offsets(partitions)
        written = await watermarks.end_offsets(partitions)
        begins = await reader.beginning_offsets(partitions)
        behind = held_back = 0
        longest = 0.0
        for partition in partitions:
            known = committed.get(partition)
            # A group that never committed begins at the oldest record; one that retention overtook does too.
            position = max(known.offset if known else 0, begins[partition])
            behind += max(ends[partition] - position, 0)
            held_back += max(written[partition] - ends[partition], 0)
            longest = max(longest, self._stalled_for(partition, ends[partition], written[partition]))
        return TopicLag(behind, held_back, longest)

    def _stalled_for(self, partition: TopicPartition, stable: int, written: int) -> float:
        """Seconds since this stable offset was first seen with records after it."""
        if written <= stable:
            self._stalled.pop(partition, None)
            return 0.0
        offset, since = self._stalled.get(partition, (-1, 0.0))
        if offset != stable:
            since = self._now()
            self._stalled[partition] = (stable, since)
        return self._now() - since


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
