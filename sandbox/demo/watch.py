"""Knowing when the service has nothing left to do: all topics read, nothing dirty, no push running, nothing lost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final, Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from consumer.adapters.kafka.security import client_options
from consumer.adapters.redis.stores import open_stores
from consumer.domain.errors import UnavailableError
from consumer.ports import Subject, event_subject, org_subject
from consumer.settings import Settings

_POLL_SECONDS: Final = 0.1
_SOON_MS: Final = 20_000


class Watch:
    """Looks at the consumer groups and at the state of the subjects. Use as an async context manager."""

    def __init__(self, settings: Settings, event_id: str, org_id: str) -> None:
        """`settings` are the service's."""
        self._settings = settings
        self._subjects = (event_subject(event_id), org_subject(org_id))
        stores = open_stores(settings)
        self._keys, self._redis, self._markers = stores.keys, stores.redis, stores.markers
        self._admin = AIOKafkaAdminClient(**client_options(settings.kafka))
        self._ends = AIOKafkaConsumer(**client_options(settings.kafka))

    async def __aenter__(self) -> Self:
        await self._admin.start()
        await self._ends.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ends.stop()
        await self._admin.close()
        await self._redis.aclose()

    async def until_idle(
        self, timeout: float, *, group_id: str | None = None, check: Callable[[], object] = lambda: None
    ) -> None:
        """Return when everything published has been dealt with.

        Args:
            timeout: seconds after which TimeoutError says what was still going on.
            group_id: read by this consumer group instead of the one in the settings.
            check: called on every look; raises to give up.
        """
        deadline = time.monotonic() + timeout
        quiet = 0
        while quiet < 2:  # twice in a row: a batch may be between the topic and the inbox
            check()
            busy = await self._busy(group_id or self._settings.kafka.group_id)
            quiet = 0 if busy else quiet + 1
            if busy and time.monotonic() > deadline:
                raise TimeoutError(f"After {timeout:.0f} s the service still has work: {busy}.")
            await asyncio.sleep(_POLL_SECONDS)

    async def _busy(self, group_id: str) -> str:
        # A subject that is busy says enough: the brokers are asked when none is, and the subjects once more after them.
        if work := await self._work():
            return work
        try:
            lag = await self._lag(group_id)
        except KafkaError:
            return "the consumer groups are not there yet"
        return f"{lag} records to read" if lag else await self._work()

    async def _work(self) -> str:
        try:
            busy = [each for subject in self._subjects if (each := await self._at_work(subject))]
            marker = await self._markers.look()  # after the states: a server that lags shows nothing due
        except (RedisError, UnavailableError):
            return "Redis does not answer"
        if marker.generation and not marker.complete:
            busy.append("Redis is to be compared with Kafka")
        return busy[0] if busy else ""

    async def _lag(self, group_id: str) -> int:
        topics = self._settings.kafka.topics
        names = {getattr(topics, name): name for name in ("mappings", "sessions", "speakers", "sponsors")}
        partitions = [
            TopicPartition(described["topic"], partition["partition"])
            for described in await self._admin.describe_topics(list(names))
            for partition in described["partitions"]
        ]
        ends: dict[TopicPartition, int] = await self._ends.end_offsets(partitions)
        lag = sum(ends.values())
        for name in names.values():
            committed: dict[TopicPartition, Any] = await self._admin.list_consumer_group_offsets(f"{group_id}.{name}")
            lag -= sum(max(known.offset, 0) for partition, known in committed.items() if partition in ends)
        return lag

    async def _at_work(self, subject: Subject) -> str:
        state = self._keys.subject(subject, "state")
        due, until, failures = await self._redis.hmget(state, ["due", "until", "attempt"])
        if until not in {None, b"0"}:
            return f"{subject} is being pushed"
        # Due much later is what may be tried once more, such as a picture; but a push that failed is not over.
        if due is not None and (failures not in {None, b"0"} or int(due) < time.time() * 1000 + _SOON_MS):
            return f"{subject} is due"
        return ""
