"""REBUILD: how long a wiped Redis takes to come back from Kafka, beside reading the same topics and doing nothing."""

from __future__ import annotations

import asyncio
import time
from dataclasses import fields
from typing import Final

from aiokafka import AIOKafkaProducer

from benchmarks.figure import Figure
from benchmarks.ingest import preload
from benchmarks.servers import Ground
from benchmarks.traffic import Traffic
from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.kafka.publish import KafkaChangelog, producer
from consumer.adapters.kafka.rebuild_source import KafkaRebuildSource
from consumer.adapters.kafka.topics import DEFAULT_TOPICS, create_topics
from consumer.adapters.redis.rebuild_marker import RedisMarkers
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.adapters.redis.stores import open_stores
from consumer.domain.errors import UnavailableError
from consumer.domain.records.identity import digest
from consumer.domain.records.ledger import Entry, State
from consumer.services.rebuild import Rebuilder
from consumer.services.rebuild_ports import RebuildPorts
from consumer.settings import Settings, load_settings
from sandbox.conference.records import TopicNames

NAME: Final = "rebuild"
_EVENTS: Final = 20
_PAIRS: Final = 250
_VERSIONS: Final = 100
_ENTRIES: Final = 10_000
_GOAL_SECONDS: Final = 120.0
_PEER: Final = "aiokafka reads the same topics and does nothing"


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """`scale` 1 is a million changes of 10,000 records, and 10,000 ledger entries."""
    servers = ground.named(NAME)
    names = {each.name: f"{servers.prefix}.{getattr(TopicNames(), each.name)}" for each in fields(TopicNames)}
    versions = max(1, round(_VERSIONS * scale))
    traffic = Traffic(events=_EVENTS, pairs=_PAIRS, versions=versions, topics=TopicNames(**names))
    await create_topics(
        servers.bootstrap, {f"{servers.prefix}.{name}": policy for name, policy in DEFAULT_TOPICS.items()}
    )
    settings = _settings(servers.bootstrap, servers.redis_url, servers.prefix)
    await preload(servers.bootstrap, traffic)
    publisher = producer(settings.kafka)
    await publisher.start()
    try:
        await _entries(KafkaChangelog(publisher, settings.kafka.topics.ledger))
        floor = await _read(settings, publisher)
        seconds, restored = await _rebuild(settings, publisher)
    finally:
        await publisher.stop()
    count = traffic.count + _ENTRIES
    return [
        Figure(
            benchmark=NAME,
            what=f"a wiped Redis: {traffic.count:,} changes of {_EVENTS * _PAIRS * 2:,} records, {restored:,} entries",
            value=seconds,
            unit="s",
            goal=_GOAL_SECONDS * scale,
            peer=floor,
            peer_name=_PEER,
            note=f"{count / seconds:,.0f} records/s, peer {count / floor:,.0f}/s; without the wait for a lease",
        )
    ]


def _settings(bootstrap: str, redis_url: str, prefix: str) -> Settings:
    return load_settings(
        kafka={
            "bootstrap_servers": bootstrap,
            "group_id": f"{prefix}.group",
            "topics": {each.name: f"{prefix}.{getattr(TopicNames(), each.name)}" for each in fields(TopicNames)}
            | {"ledger": f"{prefix}.swoogo-sync.ledger", "status": f"{prefix}.swoogo-sync.status"},
        },
        redis={"url": redis_url, "prefix": prefix},
    )


async def _entries(changelog: KafkaChangelog) -> None:
    """As many entries as a year of conferences leaves behind."""
    pushed = {name: digest(f"{name} of a record") for name in ("name", "date", "start_time", "end_time", "location")}
    for event in range(_EVENTS):
        entries = {
            f"session/{number}": Entry(State.APPLIED, number + 1, pushed, pushed, f"talk {number}", epoch=1, at=1)
            for number in range(_ENTRIES // _EVENTS)
        }
        await changelog.write(str(9000 + event), entries)


async def _read(settings: Settings, publisher: AIOKafkaProducer) -> float:
    """Seconds for every record of every topic."""
    history = KafkaRebuildSource(settings.kafka, publisher)
    try:
        started = time.perf_counter()
        async for _ in history.scan({}, await history.ends()):
            pass
        return time.perf_counter() - started
    finally:
        await history.aclose()


async def _coordinated(history: KafkaRebuildSource) -> None:
    """A broker that has just been started has no coordinator for groups yet; that is not to be measured."""
    async with asyncio.timeout(60):
        while True:
            try:
                await history.committed()
            except UnavailableError:
                await asyncio.sleep(0.5)
            else:
                return


async def _rebuild(settings: Settings, publisher: AIOKafkaProducer) -> tuple[float, int]:
    bound, history = open_stores(settings), KafkaRebuildSource(settings.kafka, publisher)
    ports = RebuildPorts(
        RedisMarkers(bound.redis, bound.keys, bound.scripts),
        history,
        RedisRestorer(bound.redis, bound.keys, bound.scripts, bound.inbox, settings.swoogo.credit_window),
        bound.inbox,
        bound.connections,
        KafkaDecoder(settings.kafka.topics, settings.kafka.max_record_bytes, settings.kafka.tier_field),
        SystemClock(),
        lease=0.0,
    )
    rebuilder = Rebuilder(ports)
    try:
        await _coordinated(history)
        started = time.perf_counter()
        await rebuilder.restore()
        seconds = time.perf_counter() - started
        restored = 0
        for event in range(_EVENTS):
            restored += await bound.redis.hlen(bound.keys.event(str(9000 + event), "ledger"))
        return seconds, restored
    finally:
        await history.aclose()
        await bound.redis.aclose()
