"""Composition root: builds clients, binds ports, starts and stops in order. One line a stage."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer
from faststream.kafka import KafkaBroker

from consumer.adapters.clock import SystemClock
from consumer.adapters.images.pictures import open_images
from consumer.adapters.kafka.broker import open_broker
from consumer.adapters.kafka.codecs import check_codecs
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.kafka.lag import KafkaLag
from consumer.adapters.kafka.open_letters import OpenLetters
from consumer.adapters.kafka.publish import (
    KafkaChangelog,
    KafkaDeadLetters,
    KafkaIssuesTopic,
    KafkaStatusTopic,
    producer,
)
from consumer.adapters.kafka.pulse import Pulse
from consumer.adapters.kafka.rebuild_source import KafkaRebuildSource
from consumer.adapters.kafka.topic_checks import ensure_topics
from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.circuits import RedisCircuits
from consumer.adapters.redis.freshness import RedisFreshness
from consumer.adapters.redis.issue_feed import IssueFeed
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.overview import RedisOverview
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.parents import RedisParents
from consumer.adapters.redis.rebuild_marker import RedisMarkers
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.adapters.redis.refusal import check_redis
from consumer.adapters.redis.replicas import RedisReplicas
from consumer.adapters.redis.server_time import ServerTime
from consumer.adapters.redis.status import RedisStatusBoard
from consumer.adapters.redis.stores import open_stores
from consumer.adapters.redis.tokens import RedisTokens
from consumer.adapters.sealing import CredentialOpener, TokenCipher
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.desired import TextLimits
from consumer.domain.errors import UnavailableError
from consumer.entrypoints.subscribers import Subscribers
from consumer.observability.watch import Watch
from consumer.ports import Clock
from consumer.ports.replicas import Replica
from consumer.services.connect import Connector
from consumer.services.dispatch import Dispatcher
from consumer.services.images import ImageQueue
from consumer.services.outage import Outage
from consumer.services.push import Pusher
from consumer.services.rebuild import Rebuilder
from consumer.services.rebuild_ports import RebuildPorts
from consumer.services.reconcile import Reconciler
from consumer.services.record import Recorder
from consumer.services.voids import Voids
from consumer.services.workers import cancel_and_wait
from consumer.settings import Settings
from consumer.version import installed_version

log = structlog.get_logger("app")

_PULSE_SECONDS: Final = 1.0
_LEAVE_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Service:
    """One running process: what records, what pushes, and what both stand on."""

    settings: Settings
    broker: KafkaBroker | None
    dispatcher: Dispatcher | None
    producer: AIOKafkaProducer
    swoogo: SwoogoClient
    pulse: Pulse
    watch: Watch
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
        now, me = self.clock.now(), self.clock.new_id()
        beating = asyncio.create_task(
            self.replicas.keep_beating(Replica(me, installed_version(), self.settings.role, now, now), self.clock)
        )
        try:
            await self._run(stop)
        finally:
            await cancel_and_wait(beating)
            with suppress(UnavailableError):
                await self.replicas.leave(me)

    async def _run(self, stop: asyncio.Event) -> None:
        rebuilding = await self._watch_redis(stop)
        if self.broker and not await self._start(self.broker, stop):
            await cancel_and_wait(rebuilding)
            return
        self.pulse.watch(self.broker, self.producer)
        self.watch.health.starting = False
        log.info("app.started", role=self.settings.role)
        watching = asyncio.create_task(self._until_lost(stop))
        leaving = asyncio.create_task(self._leave(stop))
        try:
            if self.dispatcher:
                await self.dispatcher.run(stop)
            else:
                await stop.wait()
        finally:
            self.watch.health.stopping = True
            stop.set()
            await leaving
            lost = await watching
            await cancel_and_wait(rebuilding)
            log.info("app.stopped")
        if lost:
            raise UnavailableError(lost)

    async def _until_lost(self, stop: asyncio.Event) -> str:
        """Stop the work when only a fresh process helps; the answer says why, empty when it was stopped otherwise."""
        while not stop.is_set():
            lost = self.pulse.trouble()
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
        self.pulse.rest()
        if self.broker:
            await in_time(self.broker.stop(), _LEAVE_SECONDS, "consumers")

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
        await in_time(broker.stop(), _LEAVE_SECONDS, "consumers")
        if stop.is_set():
            return False
        raise UnavailableError(f"The consumer group could not be joined within {seconds:g} seconds ({trouble}).")


@asynccontextmanager
async def service(settings: Settings, watch: Watch | None = None) -> AsyncIterator[Service]:
    """Build everything, in order, and take it down in the opposite one.

    Raises:
        ConfigurationError: a setting, a topic or the environment is not as it must be.
        UnavailableError: Kafka or Redis does not answer.
    """
    check_codecs()
    watch = watch or Watch(settings)
    opener = CredentialOpener(settings.keys)
    cipher = TokenCipher(settings.keys.private.get_secret_value(), settings.keys.previous.get_secret_value())
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        await ensure_topics(settings.kafka)
        bound = open_stores(settings)
        stack.push_async_callback(bound.redis.aclose)
        await check_redis(bound.redis, settings.redis)
        time = ServerTime(bound.redis, clock, quiet=settings.swoogo.deadline + settings.push.settle)
        time.tell(watch.clock_set)
        await stack.enter_async_context(time.following())
        publisher = producer(settings.kafka)
        await publisher.start()
        # It would wait for a broker that is away for ever. What it holds is in Redis too, and is sent again.
        stack.push_async_callback(lambda: in_time(publisher.stop(), _CLOSE_SECONDS, "producer"))
        topics = settings.kafka.topics
        budget = watch.budget(
            RedisBudget(bound.redis, bound.keys, bound.scripts, bound.leases, clock, settings.swoogo, time)
        )
        circuits = RedisCircuits(bound.redis, bound.keys, bound.scripts, clock, settings.swoogo)
        watch.circuits(circuits)
        client = SwoogoClient(
            settings.swoogo,
            budget,
            RedisTokens(bound.redis, bound.keys, bound.scripts, cipher),
            clock,
            opener,
            circuits,
            settle=settings.push.settle,
        )
        stack.push_async_callback(client.aclose)
        swoogo = watch.swoogo(client)
        images = open_images(settings.images)
        stack.push_async_callback(images.aclose)
        queue = ImageQueue(images, at_once=settings.images.concurrency)
        stack.push_async_callback(queue.aclose)
        told = KafkaStatusTopic(publisher, topics.status, bound.connections, clock)
        feed = IssueFeed(
            bound.redis,
            bound.keys,
            bound.scripts,
            bound.connections,
            KafkaIssuesTopic(publisher, topics.issues, clock),
        )
        board = watch.board(RedisStatusBoard(bound.redis, bound.keys, bound.scripts, told, feed))
        changelog = KafkaChangelog(publisher, topics.ledger)
        ledger = watch.ledger(RedisLedger(bound.redis, bound.keys, bound.scripts, changelog), clock)
        parents = RedisParents(bound.redis, bound.keys)
        inbox = watch.inbox(bound.inbox, clock, RedisFreshness(bound.redis, bound.keys), parents)
        pairs = RedisPairs(bound.redis, bound.keys, bound.scripts, changelog)
        decoder = KafkaDecoder(topics, settings.kafka.max_record_bytes, settings.kafka.tier_field)
        source = KafkaRebuildSource(settings.kafka, publisher)
        stack.push_async_callback(source.aclose)
        rebuilder = Rebuilder(
            RebuildPorts(
                RedisMarkers(bound.redis, bound.keys, bound.scripts),
                source,
                RedisRestorer(bound.redis, bound.keys, bound.scripts, bound.inbox, settings.swoogo.credit_window),
                bound.inbox,
                bound.connections,
                decoder,
                clock,
                settings.push.lease,
            )
        )
        stopping = asyncio.Event()
        dispatcher = Dispatcher(
            inbox,
            bound.connections,
            Connector(inbox, bound.connections, pairs, client.credentials, swoogo, board, clock, changelog),
            watch.pusher(
                Pusher(
                    inbox,
                    ledger,
                    swoogo,
                    queue,
                    board,
                    clock,
                    settings.push,
                    TextLimits(settings.swoogo.max_name, settings.swoogo.max_text),
                    Reconciler(ledger, swoogo, budget, clock, settings.reconcile, settings.swoogo),
                    bound.connections,
                    settings.pace(),
                    changelog,
                    stopping,
                )
            ),
            Outage(circuits, swoogo, bound.connections, board, clock),
            Voids(inbox, bound.connections, ledger, pairs, clock),
            clock,
            settings.push,
            rebuilder,
            stopping,
        )
        time.tell(lambda seconds: dispatcher.mend_soon() if seconds < 0 else None)
        broker = None
        if settings.role != "sync":
            broker = open_broker(settings.kafka)
            recorder = Recorder(
                watch.decoder(decoder),
                watch.records(bound.inbox, parents),
                bound.connections,
                watch.dead_letters(KafkaDeadLetters(publisher, topics.dead_letters, topics.mappings)),
                changelog,
            )
            Subscribers(watch.recorder(recorder), clock, dispatcher.wake.set).register(broker, settings.kafka)
        pulse = Pulse(settings.kafka.lost_after)
        watch.rebuilds(rebuilder)
        active = None if settings.role == "ingest" else dispatcher
        watch.health.add("live", "consumers", pulse.trouble)
        watch.health.add("ready", "consumers", pulse.waiting)
        overview = RedisOverview(bound.redis, bound.keys, bound.scripts)
        lag, letters = KafkaLag(settings.kafka), OpenLetters(settings.kafka)
        await stack.enter_async_context(watch.over(bound.redis, overview, lag, letters, clock, active))
        yield Service(
            settings, broker, active, publisher, client, pulse, watch, RedisReplicas(bound.redis, bound.keys), clock
        )


async def in_time(closing: Awaitable[None], seconds: float, what: str) -> None:
    """Wait for an orderly end for so long; the process ends all the same, and safely at any moment (G1)."""
    try:
        async with asyncio.timeout(seconds):
            await closing
    except TimeoutError:
        log.warning("app.not_closed", what=what, seconds=seconds)
