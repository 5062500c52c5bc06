"""Topics of a test's own, so that tests share one broker without seeing each other."""

from __future__ import annotations

import uuid

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from consumer.adapters.kafka.topics import DEFAULT_TOPICS, INPUT, TopicPolicy, create_topics
from consumer.ports import RawRecord


class Topics:
    """Makes topics that no other test sees. `await topics("sessions")` creates one and returns its name."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.created: list[str] = []
        self._prefix = uuid.uuid4().hex[:12]

    async def __call__(self, name: str, policy: TopicPolicy = INPUT, *, partitions: int = 1) -> str:
        """Create one topic and return its full name. Records of a compacted one need a key."""
        full = f"{self._prefix}.{name}"
        self.created.append(full)
        await create_topics(self.bootstrap, {full: policy}, partitions=partitions)
        return full

    async def service_topics(self, *, partitions: int = 1) -> dict[str, str]:
        """Create all topics of the service; the answer maps each default name to its name in this test."""
        names = {name: f"{self._prefix}.{name}" for name in DEFAULT_TOPICS}
        self.created.extend(names.values())
        policies = {names[name]: policy for name, policy in DEFAULT_TOPICS.items()}
        await create_topics(self.bootstrap, policies, partitions=partitions)
        return names

    async def delete(self) -> None:
        """Delete everything made here."""
        if not self.created:
            return
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            await admin.delete_topics(self.created)
        finally:
            await admin.close()


async def read_all(bootstrap: str, topic: str) -> list[RawRecord]:
    """Everything on a topic of one partition now, in order."""
    partition = TopicPartition(topic, 0)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([partition])
        end = (await consumer.end_offsets([partition]))[partition]
        found: list[RawRecord] = []
        while await consumer.position(partition) < end:
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += [RawRecord(topic, 0, each.offset, each.timestamp, each.key, each.value) for each in batch]
        return found
    finally:
        await consumer.stop()
