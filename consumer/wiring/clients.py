"""Clients of Redis, Kafka and Swoogo are opened; each closes with the stack it was opened on."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer

from consumer.adapters.clock import SystemClock
from consumer.adapters.digest_keys import digests_of
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.kafka.publish import KafkaChangelog, producer
from consumer.adapters.kafka.rebuild_source import KafkaRebuildSource
from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.circuits import RedisCircuits
from consumer.adapters.redis.server_checks import check_redis
from consumer.adapters.redis.server_time import ServerTime
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.adapters.redis.tokens import RedisTokens
from consumer.adapters.sealing import CredentialOpener, TokenCipher
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.observability.calls import CallMetrics
from consumer.observability.telemetry import Telemetry
from consumer.ports import Clock
from consumer.settings import Settings

_CLOSE_SECONDS: Final = 5.0

log = structlog.get_logger("app")


@dataclass(frozen=True, slots=True)
class Kafka:
    """What is written to Kafka, and read again from it."""

    producer: AIOKafkaProducer
    changelog: KafkaChangelog
    decoder: KafkaDecoder
    source: KafkaRebuildSource


@dataclass(frozen=True, slots=True)
class SwoogoSide:
    client: SwoogoClient
    budget: RedisBudget
    circuits: RedisCircuits
    calls: CallMetrics


async def open_redis(
    stack: AsyncExitStack, settings: Settings, clock: SystemClock, watch: Telemetry
) -> tuple[Stores, ServerTime]:
    """The stores, and the server's time, which is followed until the stack ends.

    Raises ConfigurationError, UnavailableError.
    """
    stores = open_stores(settings)
    stack.push_async_callback(stores.aclose)
    await check_redis(stores.redis, settings.redis)
    time = ServerTime(stores.redis, clock, quiet=settings.swoogo.deadline + settings.push.create_settle_time)
    time.on_jump(watch.clock_set)
    await stack.enter_async_context(time.following())
    return stores, time


async def open_kafka(stack: AsyncExitStack, settings: Settings) -> Kafka:
    """A producer that is started, and what it stands under. Raises UnavailableError."""
    publisher, topics = producer(settings.kafka), settings.kafka.topics
    await publisher.start()
    # It would wait for a broker that is away for ever. What it holds is in Redis too, and is sent again.
    stack.push_async_callback(lambda: close_within(publisher.stop(), _CLOSE_SECONDS, "producer"))
    decoder = KafkaDecoder(topics, settings.kafka.max_record_bytes, settings.kafka.tier_field)
    source = KafkaRebuildSource(settings.kafka, publisher)
    stack.push_async_callback(source.aclose)
    return Kafka(publisher, KafkaChangelog(publisher, topics.ledger), decoder, source)


def open_swoogo(
    stack: AsyncExitStack, settings: Settings, stores: Stores, clock: Clock, time: ServerTime, watch: Telemetry
) -> SwoogoSide:
    """The one way to Swoogo, watched call by call."""
    redis, keys, scripts = stores.redis, stores.keys, stores.scripts
    budget = RedisBudget(redis, keys, scripts, stores.leases, clock, settings.swoogo, time)
    circuits, calls = RedisCircuits(redis, keys, scripts, clock, settings.swoogo), watch.calls()
    watch.budget(budget)
    watch.circuits(circuits)
    cipher = TokenCipher(settings.keys.private.get_secret_value(), settings.keys.previous.get_secret_value())
    client = SwoogoClient(
        settings.swoogo,
        budget,
        RedisTokens(redis, keys, scripts, cipher),
        clock,
        CredentialOpener(settings.keys),
        circuits,
        settle_time=settings.push.create_settle_time,
        watch=calls,
        digests=digests_of(settings.keys),
    )
    stack.push_async_callback(client.aclose)
    return SwoogoSide(client, budget, circuits, calls)


async def close_within(closing: Awaitable[None], seconds: float, what: str) -> None:
    """Wait for an orderly end for so long; the process ends all the same, and safely at any moment (G1)."""
    try:
        async with asyncio.timeout(seconds):
            await closing
    except TimeoutError:
        log.warning("app.not_closed", what=what, seconds=seconds)
