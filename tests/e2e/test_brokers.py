"""End to end: three brokers, one of which dies for good, and a topic that takes no records for lack of copies."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from consumer.adapters.kafka.topics import DEFAULT_TOPICS, create_topics
from consumer.adapters.redis.stores import open_stores
from sandbox.demo.play import Play, play
from sandbox.demo.world import Servers, world
from sandbox.embedded import EmbeddedBrokers
from tests.e2e.conftest import QUICK
from tests.support.conferences import edited, grown, small
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G3"), pytest.mark.timeout(180)]

_events = itertools.count(9701)


@asynccontextmanager
async def on_brokers(redis_url: str) -> AsyncIterator[tuple[Play, EmbeddedBrokers]]:
    """A conference that was synced; each topic has a copy at every broker, and needs two of them."""
    async with EmbeddedBrokers() as kafka:
        prefix = f"brokers-{uuid.uuid4().hex[:8]}"
        names = {f"{prefix}.{name}": policy for name, policy in DEFAULT_TOPICS.items()}
        await create_topics(kafka.bootstrap, names, partitions=3, replication=None)
        servers = Servers(kafka.bootstrap, f"{redis_url.rpartition('/')[0]}/2", prefix)
        async with (
            world(window=60.0, latency_ms=5.0, limit=100_000, settings=QUICK, servers=servers) as running,
            play(running, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as begun,
        ):
            running.start_service()
            await begun.connect()
            await begun.publish([small()], "import")
            assert begun.exact
            yield begun, kafka


@asynccontextmanager
async def admin_of(kafka: EmbeddedBrokers) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def needs_copies(kafka: EmbeddedBrokers, topic: str, copies: int) -> None:
    """From now on a record counts as written when so many brokers have it."""
    config = DEFAULT_TOPICS[topic.partition(".")[2]].config() | {"min.insync.replicas": str(copies)}
    async with admin_of(kafka) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, config)])


async def coordinator(kafka: EmbeddedBrokers, group: str) -> int:
    async with admin_of(kafka) as admin:
        return int(await admin.find_coordinator(group))


async def count(kafka: EmbeddedBrokers, topic: str) -> int:
    """Records of a topic."""
    async with AIOKafkaConsumer(topic, bootstrap_servers=kafka.bootstrap) as consumer:
        return sum((await consumer.end_offsets(consumer.assignment())).values())


async def test_a_broker_dies_for_good_and_a_topic_lacks_copies(redis_url: str) -> None:
    """Leaders and coordinators move; what cannot be written holds its event up, and nothing is lost or doubled."""
    async with on_brokers(redis_url) as (playing, kafka):
        topics, group = playing.world.settings.kafka.topics, playing.world.settings.kafka.group_id
        conference = edited(small(), 1, title="While a broker dies")
        dead = await coordinator(kafka, f"{group}.sessions")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(kafka.broker(dead).astop(keep=True, hard=True))
            await playing.publish([conference := grown(conference, 20)], "a broker dies")
        assert playing.exact
        assert await coordinator(kafka, f"{group}.sessions") != dead
        # Two brokers are left, and these topics want three copies: what the changelog does not have is not called.
        for topic in (topics.ledger, topics.dead_letters):
            await needs_copies(kafka, topic, 3)
        before = len(await playing.journal(0))
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, acks="all") as producer:
            garbage = await producer.send_and_wait(topics.sponsors, b"no json", key=b"1", partition=0)

        async def refused() -> None:
            stores = open_stores(playing.world.settings)
            begun = stores.keys.event(str(playing.event.id), "unlogged")
            await wait_until(lambda: stores.redis.scard(begun), "a create waits for the changelog", 60)
            await stores.redis.aclose()
            calls = await playing.journal(before)
            assert [call["path"] for call in calls if call["method"] == "POST" and "/sessions" in call["path"]] == []
            async with admin_of(kafka) as admin:
                committed = await admin.list_consumer_group_offsets(f"{group}.sponsors")
            place = TopicPartition(topics.sponsors, 0)
            assert place not in committed or committed[place].offset <= garbage.offset
            assert await count(kafka, topics.dead_letters) == 0
            for topic in (topics.ledger, topics.dead_letters):
                await needs_copies(kafka, topic, 2)

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(refused())
            await playing.publish([grown(conference, 21)], "a topic lacks copies")
        assert playing.exact
        assert await count(kafka, topics.dead_letters) == 1
