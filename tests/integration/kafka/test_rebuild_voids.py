"""A pair is voided on a real Valkey and a real Kafka; after a loss it stays voided, compacted or not."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.kafka.publish import KafkaChangelog
from consumer.adapters.kafka.rebuild_source import KafkaRebuildSource
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.rebuild_marker import RedisMarkers
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.errors import UnavailableError
from consumer.ports import Lease, org_subject
from consumer.services.rebuild import Rebuilder
from consumer.services.rebuild_ports import RebuildPorts
from consumer.settings import KafkaSettings, load_settings
from consumer.settings import Topics as TopicNames
from tests.support.topics import Topics
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("M8", "G6")]

HERE, THERE = "here", "there"
PARTITIONS = 3
COMPACT_SOON = {
    "cleanup.policy": "compact",
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.001",
    "min.compaction.lag.ms": "0",
    "delete.retention.ms": "0",
}


def held(org_id: str) -> Lease:
    return Lease(org_subject(org_id), 2**50, "op")


@dataclass
class Ground:
    """One replica on servers of its own."""

    redis: Redis
    bootstrap: str
    settings: KafkaSettings
    producer: AIOKafkaProducer
    stores: Stores
    pairs: RedisPairs

    async def pair(self, org_id: str, event_id: str, swoogo_event_id: int, at: int) -> Pair:
        """Mapped, and on the changelog."""
        pair = await self.pairs.claim(held(org_id), event_id, swoogo_event_id, at)
        assert pair is not None
        await self.pairs.flush(held(org_id))
        return pair

    async def voided(self, org_id: str, event_id: str) -> None:
        """Ended, and taken back."""
        await self.pairs.end(held(org_id), event_id, PairEnd.REMOVED, 50)
        await self.pairs.flush(held(org_id))
        pair = await self.pairs.pair(event_id)
        assert pair is not None
        assert await self.pairs.void(pair, 60, "mapped by mistake")

    async def rebuilt(self) -> dict[str, Pair]:
        """What comes back after Redis lost everything, without who wrote it."""
        await self.redis.flushdb()
        source = KafkaRebuildSource(self.settings, self.producer)
        bound = self.stores
        ports = RebuildPorts(
            RedisMarkers(bound.redis, bound.keys, bound.scripts),
            source,
            RedisRestorer(bound.redis, bound.keys, bound.scripts, bound.inbox, 600.0),
            bound.inbox,
            bound.connections,
            KafkaDecoder(self.settings.topics, 4_194_304),
            SystemClock(),
            0.0,
        )

        async def restored() -> bool:
            with suppress(UnavailableError):  # a broker that has just begun knows of no coordinator yet
                return await Rebuilder(ports).restore()
            return False

        try:
            await wait_until(restored, "Redis is rebuilt", 60)
        finally:
            await source.aclose()
        return {event: replace(pair, epoch=0) for event, pair in (await self.pairs.all()).items()}

    async def records(self) -> list[bytes]:
        """Keys of all pairs on the changelog, a record each."""
        source = KafkaRebuildSource(self.settings, self.producer)
        try:
            ends = {place: end for place, end in (await source.ends()).items() if place.topic == source.ledger}
            found: list[bytes] = []
            async for batch in source.scan(dict.fromkeys(ends, 0), {each: end for each, end in ends.items() if end}):
                found += [each.key or b"" for each in batch.records if b"/pair/" in (each.key or b"")]
            return found
        finally:
            await source.aclose()


@pytest.fixture
async def ground(kafka_bootstrap: str, redis: Redis, redis_url: str) -> AsyncIterator[Ground]:
    made = Topics(kafka_bootstrap)
    names = await made.service_topics(partitions=PARTITIONS)
    chosen = TopicNames(**{name: names[default] for name, default in TopicNames().model_dump().items()})
    settings = KafkaSettings(bootstrap_servers=kafka_bootstrap, group_id=uuid.uuid4().hex, topics=chosen)
    producer = AIOKafkaProducer(bootstrap_servers=kafka_bootstrap)
    await producer.start()
    stores = open_stores(load_settings(redis={"url": redis_url, "prefix": "test"}))
    pairs = RedisPairs(stores.redis, stores.keys, stores.scripts, KafkaChangelog(producer, chosen.ledger))
    try:
        yield Ground(redis, kafka_bootstrap, settings, producer, stores, pairs)
    finally:
        await stores.redis.aclose()
        await producer.stop()
        await made.delete()


async def many_voids(ground: Ground) -> dict[str, Pair]:
    """Events of both organizations change their partners, some of them twice; what is so in the end."""
    for number in range(6):
        await ground.pair(HERE, f"event-{number}", 100 + number, 10 + number)
        await ground.voided(HERE, f"event-{number}")
    for number in range(6):  # each event and each Swoogo event with another one than before
        await ground.pair(THERE, f"event-{number}", 100 + (number + 1) % 6, 70 + number)
    await ground.voided(THERE, "event-0")
    await ground.pair(HERE, "event-0", 100 + 1, 90)
    stored = {event: replace(pair, epoch=0) for event, pair in (await ground.pairs.all()).items()}
    assert sorted(pair.round for pair in stored.values()) == [1, 1, 1, 1, 1, 2]
    return stored


async def test_voided_pairs_stay_voided_on_a_changelog_that_is_not_compacted(ground: Ground) -> None:
    before = await many_voids(ground)
    assert await ground.rebuilt() == before


async def test_voided_pairs_stay_voided_on_a_changelog_that_was_compacted(ground: Ground) -> None:
    """Compacted by the broker, and waited for."""
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.bootstrap)
    await admin.start()
    try:
        topic = ground.settings.topics.ledger
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=COMPACT_SOON)])
    finally:
        await admin.close()
    before = await many_voids(ground)

    async def once_each() -> bool:
        # A segment is compacted once another one has begun.
        for partition in range(PARTITIONS):
            await ground.producer.send_and_wait(topic, None, key=b"filler/session/s", partition=partition)
        keys = await ground.records()
        return len(keys) == len(set(keys))

    await wait_until(once_each, "the broker has compacted the changelog", 60)
    assert await ground.rebuilt() == before
