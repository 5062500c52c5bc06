"""The life of a process: what `wiring` built starts, works and stops in order. One line a stage."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from faststream.kafka import KafkaBroker

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.broker import open_broker
from consumer.adapters.kafka.consumer_health import ConsumerHealth
from consumer.adapters.kafka.lag import KafkaLag
from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters
from consumer.adapters.kafka.topic_checks import check_codecs, ensure_topics
from consumer.adapters.redis.election import RedisElection
from consumer.adapters.redis.event_stats import RedisEventStats
from consumer.adapters.redis.fleet import RedisFleet
from consumer.adapters.redis.replicas import RedisReplicas
from consumer.adapters.redis.trouble_index import TroubleIndex
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.errors import UnavailableError
from consumer.entrypoints.subscribers import Subscribers
from consumer.observability.telemetry import Telemetry
from consumer.ports import Clock
from consumer.services.dispatch import Dispatcher
from consumer.services.housekeeping import Housekeeper
from consumer.services.workers import cancel_and_wait
from consumer.settings import Settings
from consumer.wiring.clients import close_within, open_kafka, open_redis, open_swoogo
from consumer.wiring.process import heartbeat
from consumer.wiring.services import build_archiver, build_dispatcher, build_order_relay, build_recorder

log = structlog.get_logger("app")

_PULSE_SECONDS: Final = 1.0
_LEAVE_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Service:
    """One running process: what records, what pushes, and what both stand on."""

    settings: Settings
    broker: KafkaBroker | None
    dispatcher: Dispatcher | None
    housekeeper: Housekeeper | None
    producer: AIOKafkaProducer
    swoogo: SwoogoClient
    consumers: ConsumerHealth
    watch: Telemetry
    replicas: RedisReplicas
    clock: Clock

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; then no new batch and no new claim, and what runs is finished.

        Raises:
            UnavailableError: a consumer is dead or lost for good; the work was ended in order.
        """
        # Whatever lives now lives for good; without this each full collection walks all of it (F1).
        gc.collect()
        gc.freeze()
        async with heartbeat(self.replicas, self.settings.role, self.clock):
            await self._run(stop)

    async def _run(self, stop: asyncio.Event) -> None:
        rebuilding = await self._watch_redis(stop)
        if self.broker and not await self._start(self.broker, stop):
            await cancel_and_wait(rebuilding)
            return
        self.consumers.watch(self.broker, self.producer)
        self.watch.health.starting = False
        log.info("app.started", role=self.settings.role)
        watching = asyncio.create_task(self._until_lost(stop))
        leaving = asyncio.create_task(self._leave(stop))
        keeping = asyncio.create_task(self.housekeeper.run(), name="housekeeping") if self.housekeeper else None
        try:
            if self.dispatcher:
                await self.dispatcher.run(stop)
            else:
                await stop.wait()
        finally:
            self.watch.health.stopping = True
            stop.set()
            await cancel_and_wait(keeping)
            await leaving
            lost = await watching
            await cancel_and_wait(rebuilding)
            log.info("app.stopped")
        if lost:
            raise UnavailableError(lost)

    async def _until_lost(self, stop: asyncio.Event) -> str:
        """Stop the work when only a fresh process helps; the answer says why, empty when it was stopped otherwise."""
        while not stop.is_set():
            lost = self.consumers.trouble()
            if lost:
                log.error("app.lost", reason=lost)
                self.watch.health.lost = lost
                stop.set()
                return lost
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _PULSE_SECONDS)
        return ""

    async def _leave(self, stop: asyncio.Event) -> None:
        """Read no more, finish the batches that are worked on, and leave the groups, all while pushes are drained."""
        await stop.wait()
        self.consumers.rest()
        if self.broker:
            await close_within(self.broker.stop(), _LEAVE_SECONDS, "consumers")

    async def _watch_redis(self, stop: asyncio.Event) -> asyncio.Task[None] | None:
        """Have Redis compared with Kafka from now on; a first start is known before anything is recorded (G6)."""
        rebuilder = self.dispatcher.rebuilder if self.dispatcher else None
        if rebuilder is None:
            return None  # a process that only records has nothing to stop
        watching = asyncio.create_task(rebuilder.run(stop), name="rebuild")
        deciding = asyncio.create_task(rebuilder.decided.wait())
        await asyncio.wait({deciding}, timeout=self.settings.kafka.start_timeout)
        deciding.cancel()
        return watching

    async def _start(self, broker: KafkaBroker, stop: asyncio.Event) -> bool:
        """Join the groups; False when the service was stopped before that. Raises UnavailableError."""
        seconds = self.settings.kafka.start_timeout
        stopped = asyncio.create_task(stop.wait())
        starting = asyncio.create_task(broker.start())
        await asyncio.wait({starting, stopped}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        trouble = "no answer"
        if starting.done():
            if not starting.exception():
                return True
            trouble = type(starting.exception()).__name__
        starting.cancel()
        await close_within(broker.stop(), _LEAVE_SECONDS, "consumers")
        if stop.is_set():
            return False
        raise UnavailableError(f"The consumer group could not be joined within {seconds:g} seconds ({trouble}).")


@asynccontextmanager
async def service(settings: Settings, watch: Telemetry | None = None) -> AsyncIterator[Service]:
    """Build everything, in order, and take it down in the opposite one.

    Raises:
        ConfigurationError: a setting, a topic or the environment is not as it must be.
        UnavailableError: Kafka or Redis does not answer.
    """
    check_codecs()
    watch = watch or Telemetry(settings)
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        await ensure_topics(settings.kafka)
        stores, time = await open_redis(stack, settings, clock, watch)
        kafka = await open_kafka(stack, settings)
        swoogo = open_swoogo(stack, settings, stores, clock, time, watch)
        dispatcher = build_dispatcher(stack, settings, stores, kafka, swoogo, clock, watch)
        election = RedisElection(stores.keys, stores.scripts, clock.new_id())
        trouble = TroubleIndex(stores.redis, stores.keys)
        orders = build_order_relay(settings, stores, kafka, clock)
        fleet = RedisFleet(stores.redis, stores.keys, RedisEventStats(stores.redis, stores.keys, stores.scripts), clock)
        archiver = build_archiver(settings, stores, kafka, clock)
        housekeeper = Housekeeper(stores.inbox, election, clock, dispatcher.rebuilder, trouble, orders, fleet, archiver)
        time.on_jump(lambda seconds: housekeeper.repair_soon() if seconds < 0 else None)
        broker = None
        if settings.role != "sync":
            broker = open_broker(settings.kafka)
            recorder = build_recorder(settings, stores, kafka, watch)
            Subscribers(recorder, clock, dispatcher.wake.set).register(broker, settings.kafka)
        consumers, active = (
            ConsumerHealth(settings.kafka.consumer_lost_timeout),
            None if settings.role == "ingest" else dispatcher,
        )
        if dispatcher.rebuilder:
            watch.rebuilds(dispatcher.rebuilder)
        watch.health.add("live", "consumers", consumers.trouble)
        watch.health.add("ready", "consumers", consumers.waiting)
        lag, letters = KafkaLag(settings.kafka), OpenDeadLetters(settings.kafka)
        await stack.enter_async_context(watch.monitor(stores.redis, fleet, lag, letters, clock, active))
        replicas = RedisReplicas(stores.redis, stores.keys)
        keeper = housekeeper if active else None
        yield Service(
            settings, broker, active, keeper, kafka.producer, swoogo.client, consumers, watch, replicas, clock
        )
