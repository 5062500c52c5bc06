"""A Kafka of the tests' own that can be broken, and traffic that goes on meanwhile."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from redis.asyncio import Redis

from consumer.adapters.kafka.rebuild_source import KafkaRebuildSource
from consumer.adapters.kafka.topics import INPUT, create_topics
from consumer.ports.rebuild import TopicPartition as Place
from consumer.settings import KafkaSettings
from consumer.settings import Topics as TopicNames
from sandbox.embedded import EmbeddedKafka
from schemas.dead_letter import DeadLetterHeaders
from tests.contract.bench import Times, in_redis
from tests.integration.kafka.kafka_world import LARGEST, KafkaWorld, a_session_value, key_of
from tests.support.proxy import HOST, Proxy
from tests.support.topics import Topics
from tests.support.waiting import wait_until

Origin = tuple[str, int, int]
"""Topic, partition and offset of a record."""
_START: Final = datetime(2026, 10, 1, tzinfo=UTC)
_PAUSE_SECONDS: Final = 0.02


@dataclass(slots=True)
class Breakable:
    """A Kafka, and the proxy through which the service knows it; tests look in around the proxy."""

    kafka: EmbeddedKafka
    proxy: Proxy

    async def world(self, redis: Redis, *, partitions: int = 1) -> Trouble:
        """Topics of a test's own."""
        names = await Topics(self.kafka.bootstrap).service_topics(partitions=partitions)
        chosen = TopicNames(**{name: names[default] for name, default in TopicNames().model_dump().items()})
        settings = KafkaSettings(
            bootstrap_servers=self.kafka.bootstrap, group_id=uuid.uuid4().hex, topics=chosen, session_timeout=6
        )
        return Trouble(in_redis(redis, Times(quiet=60, max_wait=60)), settings, breakable=self)

    async def restart(self, *, hard: bool = False, away: float = 0.0) -> None:
        """Stop the broker, in order or as a crash does, and start it with its data on the same port."""
        await self.kafka.astop(keep=True, hard=hard)
        await asyncio.sleep(away)
        await self.kafka.astart()


@asynccontextmanager
async def a_breakable_kafka() -> AsyncIterator[Breakable]:
    """One of the tests' own, gone afterwards."""
    async with Proxy() as proxy, EmbeddedKafka(advertised=proxy.port) as kafka:
        proxy.upstream = kafka.behind
        yield Breakable(kafka, proxy)


@dataclass(kw_only=True)
class Trouble(KafkaWorld):
    """A world whose service goes through the proxy. `wanted` is what must be recorded in the end."""

    breakable: Breakable
    direct: bool = False
    wanted: dict[str, str] = field(default_factory=dict)
    unreadable: set[Origin] = field(default_factory=set)
    placed: set[Origin] = field(default_factory=set)

    @property
    def served(self) -> KafkaSettings:
        """The service's settings."""
        if self.direct:
            return self.settings
        return self.settings.model_copy(update={"bootstrap_servers": f"{HOST}:{self.breakable.proxy.port}"})

    def replica(self, *, direct: bool = False) -> Trouble:
        """Another member of the same groups, on the same topics and stores; `direct`: not through the proxy."""
        return replace(self, direct=direct)

    @asynccontextmanager
    async def traffic(self, sessions: int = 20) -> AsyncIterator[list[Any]]:
        """Sessionboard publishes edit after edit, and now and then something no one can read.

        Gives the list of records that Kafka has accepted so far; in the end all have been.
        """
        accepted: list[Any] = []
        over = asyncio.Event()
        publisher = AIOKafkaProducer(
            bootstrap_servers=self.settings.bootstrap_servers,
            enable_idempotence=True,
            max_request_size=LARGEST,
            retry_backoff_ms=20,
            metadata_max_age_ms=500,
            request_timeout_ms=180_000,  # what was not accepted for so long is given up
        )
        await publisher.start()

        async def publish() -> None:
            sent = []
            for number in itertools.count():
                if over.is_set():
                    break
                value = b"unreadable %d" % number if number % 50 == 25 else self._edit(number, sessions)
                delivery = await publisher.send(self.topics.sessions, value, key=key_of(value))
                delivery.add_done_callback(lambda done: accepted.append(done))
                sent.append((value, delivery))
                await asyncio.sleep(_PAUSE_SECONDS)
            for value, delivery in sent:
                where = await delivery
                self.placed.add((where.topic, where.partition, where.offset))
                if value.startswith(b"unreadable"):
                    self.unreadable.add((where.topic, where.partition, where.offset))

        publishing = asyncio.create_task(publish())
        try:
            yield accepted
        finally:
            over.set()
            await asyncio.wait_for(publishing, 60)
            await publisher.stop()

    def _edit(self, number: int, sessions: int) -> bytes:
        identifier, title = f"s{number % sessions}", f"Edit {number}"
        self.wanted[identifier] = title
        moment = (_START + timedelta(milliseconds=number)).isoformat()
        return a_session_value(identifier, title=title, updated_at=moment)

    async def edits(self, count: int, *, compression: str | None = None) -> None:
        """Publish so many edits at once; those of a session get newer with every call."""
        first = len(self.wanted) * 1000
        await self.send(*(self._edit(first + number, count) for number in range(count)), compression=compression)

    async def delete(self, topic: str) -> None:
        """Delete a topic, and wait until it is gone."""
        async with self._admin() as admin:
            await admin.delete_topics([topic])

            async def gone() -> bool:
                return topic not in await admin.list_topics()

            await wait_until(gone, "the topic is gone", 30)

    async def create(self, topic: str) -> None:
        """Make a topic as the service's are made."""
        await create_topics(self.settings.bootstrap_servers, {topic: INPUT}, partitions=1)

    async def make_anew(self, topic: str, count: int) -> None:
        """Delete a topic, make it again, and publish so many edits to it, all around the proxy."""
        await self.delete(topic)
        await self.create(topic)
        await self.edits(count)

    async def places(self) -> list[Place]:
        """Where the service has committed sessions, as a rebuild sees it."""
        history = KafkaRebuildSource(self.settings, cast("AIOKafkaProducer", None))
        try:
            return [place for place in await history.committed() if place.topic == self.topics.sessions]
        finally:
            await history.aclose()

    async def set_offset(self, topic: str, offset: int) -> None:
        """As `kafka-consumer-groups.sh --reset-offsets` does."""
        group = f"{self.settings.group_id}.sessions"
        # It would commit once more as it stops: where it would read on.
        tool = AIOKafkaConsumer(
            bootstrap_servers=self.settings.bootstrap_servers, group_id=group, enable_auto_commit=False
        )
        await tool.start()
        try:
            tool.assign([TopicPartition(topic, 0)])
            await tool.commit({TopicPartition(topic, 0): offset})
        finally:
            await tool.stop()

    async def grow(self, topic: str, partitions: int) -> None:
        """Add partitions to a topic, so that there are so many."""
        async with self._admin() as admin:
            await admin.create_partitions({topic: NewPartitions(partitions)})

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.bootstrap_servers)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()

    async def nothing_lost(self) -> None:
        """G1, G3: every edit is recorded, the last one of each session stands, the unreadable are dead letters."""

        async def recorded() -> bool:
            return await self.sessions() == self.wanted

        await wait_until(recorded, "the last edit of every session is recorded", 60)
        await self.all_committed()
        assert await self.sessions() == self.wanted
        dead = await self.dead()
        assert sorted(dead - self.unreadable) == [], "more than the unreadable are dead letters"
        assert sorted(self.unreadable - dead) == [], "lost without a dead letter"

    async def dead(self) -> set[Origin]:
        """Where the dead letters come from. One may be there twice (at least once); none may be missing."""
        consumer = AIOKafkaConsumer(
            self.topics.dead_letters, bootstrap_servers=self.settings.bootstrap_servers, auto_offset_reset="earliest"
        )
        await consumer.start()
        try:
            ends = await consumer.end_offsets(consumer.assignment())
            letters = [await asyncio.wait_for(consumer.getone(), 30) for _ in range(sum(ends.values()))]
        finally:
            await consumer.stop()
        told = [DeadLetterHeaders.from_headers(letter.headers) for letter in letters]
        assert all(each.error.endswith(".") for each in told)
        return {(each.origin_topic, each.origin_partition, each.origin_offset) for each in told}
