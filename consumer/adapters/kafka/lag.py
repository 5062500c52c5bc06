"""How far the consumer groups are behind, as the brokers know it: true also when a consumer here is dead."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.access import client_options
from consumer.domain.errors import UnavailableError
from consumer.settings import KafkaSettings

INPUTS = ("mappings", "sessions", "speakers", "sponsors")


class KafkaLag:
    """Asks the brokers, with clients of its own that are members of no group."""

    def __init__(self, settings: KafkaSettings) -> None:
        """Connect to nothing yet."""
        self._settings = settings
        self._admin: AIOKafkaAdminClient | None = None
        self._reader: AIOKafkaConsumer | None = None

    async def records(self) -> Mapping[str, int]:
        """Input topic -> records behind the group's committed offsets. Raises UnavailableError."""
        try:
            admin, reader = await self._connected()
            lags = await asyncio.gather(*(self._behind(admin, reader, name) for name in INPUTS))
        except (KafkaError, TimeoutError, OSError) as error:
            raise UnavailableError(f"Kafka did not say how far it is: {type(error).__name__}.") from error
        return {getattr(self._settings.topics, name): lag for name, lag in zip(INPUTS, lags, strict=True)}

    async def aclose(self) -> None:
        """Disconnect."""
        if self._admin is not None:
            await self._admin.close()
        if self._reader is not None:
            await self._reader.stop()

    async def _connected(self) -> tuple[AIOKafkaAdminClient, AIOKafkaConsumer]:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**client_options(self._settings))
            try:
                await admin.start()
            except BaseException:
                await admin.close()
                raise
            self._admin = admin
        if self._reader is None:
            # What an aborted transaction left is not behind: nobody will ever read it.
            reader = AIOKafkaConsumer(
                **client_options(self._settings), enable_auto_commit=False, isolation_level="read_committed"
            )
            try:
                await reader.start()
            except BaseException:
                await reader.stop()
                raise
            self._reader = reader
        return self._admin, self._reader

    async def _behind(self, admin: AIOKafkaAdminClient, reader: AIOKafkaConsumer, name: str) -> int:
        topic = getattr(self._settings.topics, name)
        committed = await admin.list_consumer_group_offsets(f"{self._settings.group_id}.{name}")
        described = await admin.describe_topics([topic])
        partitions = [TopicPartition(topic, each["partition"]) for each in described[0]["partitions"]]
        ends = await reader.end_offsets(partitions)
        begins = await reader.beginning_offsets(partitions)
        behind = 0
        for partition in partitions:
            known = committed.get(partition)
            # A group that never committed begins at the oldest record; one that retention overtook does too.
            position = max(known.offset if known else 0, begins[partition])
            behind += max(ends[partition] - position, 0)
        return behind
