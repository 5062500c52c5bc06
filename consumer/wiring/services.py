"""Services are put together on ports; nothing runs yet. Tests and benchmarks use the same builders."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from consumer.adapters.digest_keys import digests_of
from consumer.adapters.images.images import IMAGES_AT_ONCE, open_images
from consumer.adapters.kafka.publish import KafkaDeadLetters, KafkaIssuesTopic, KafkaStatusTopic
from consumer.adapters.redis.arrivals import RecentArrivals
from consumer.adapters.redis.issue_feed import IssueFeed
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.orders import RedisOrders
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.adapters.redis.status import RedisStatusBoard
from consumer.adapters.redis.stores import Stores
from consumer.adapters.redis.timeline import RedisTimeline
from consumer.adapters.redis.trace_parents import RedisTraceParents
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.records.digests import PLAIN, Digests
from consumer.observability.telemetry import Telemetry
from consumer.ports import (
    Budget,
    Circuits,
    Clock,
    Connections,
    CredentialCheck,
    Inbox,
    LedgerStore,
    PairRegister,
    StateLog,
    StatusBoard,
    Swoogo,
)
from consumer.ports.status import Timeline
from consumer.services.archive import Archiver
from consumer.services.circuit_gate import CircuitGate
from consumer.services.connect import Connector
from consumer.services.dispatch import Dispatcher, Pushes
from consumer.services.images import ImageQueue
from consumer.services.orders import OrderRelay
from consumer.services.plan_input import rules_of
from consumer.services.push import Pusher
from consumer.services.rebuild import Rebuilder
from consumer.services.rebuild_ports import RebuildPorts
from consumer.services.reconcile import Reconciler
from consumer.services.record import Recorder, Records
from consumer.services.unmapped import UnmappedEvents
from consumer.services.voids import Voids
from consumer.settings import PushSettings, ReconcileSettings, Settings, SwoogoSettings
from consumer.wiring.clients import Kafka, SwoogoSide

if TYPE_CHECKING:
    from consumer.services.webhooks import Registrar


@dataclass(frozen=True, slots=True)
class PushPorts:
    """What a pusher needs of the world; real ones, or those of a test."""

    inbox: Inbox
    store: LedgerStore
    swoogo: Swoogo
    budget: Budget
    images: ImageQueue
    board: StatusBoard
    clock: Clock
    connections: Connections
    state_log: StateLog
    timeline: Timeline


def build_pusher(
    ports: PushPorts,
    push: PushSettings,
    reconcile: ReconcileSettings,
    api: SwoogoSettings,
    stopping: asyncio.Event | None = None,
    digests: Digests = PLAIN,
) -> Pusher:
    """What pushes events. `stopping`: set when no further call may begin."""
    return Pusher(
        ports.inbox,
        ports.store,
        ports.swoogo,
        ports.images,
        ports.board,
        ports.clock,
        push,
        rules_of(push, api, digests),
        Reconciler(
            ports.store, ports.swoogo, ports.budget, ports.clock, reconcile, api, digests, push.create_settle_time
        ),
        ports.connections,
        api.pace(push.concurrency),
        ports.state_log,
        ports.timeline,
        stopping or asyncio.Event(),
    )


def dispatcher_on(
    ports: PushPorts,
    pairs: PairRegister,
    credentials: CredentialCheck,
    circuits: Circuits,
    pusher: Pushes,
    push: PushSettings,
    rebuilder: Rebuilder | None = None,
    stopping: asyncio.Event | None = None,
    webhooks: Registrar | None = None,
) -> Dispatcher:
    """What claims and works on these ports: connector and pusher, behind the gate of the circuits and of rebuilds."""
    inbox, swoogo, board, clock, connections = ports.inbox, ports.swoogo, ports.board, ports.clock, ports.connections
    hooked, voids = webhooks is not None, Voids(inbox, connections, ports.store, pairs, clock)
    return Dispatcher(
        inbox,
        connections,
        Connector(inbox, connections, pairs, credentials, swoogo, board, clock, ports.state_log, webhooks=hooked),
        pusher,
        CircuitGate(circuits, swoogo, connections, board, clock),
        UnmappedEvents(inbox, connections, board, ports.state_log, voids, clock, push.retry_first, webhooks),
        clock,
        push,
        rebuilder,
        stopping or asyncio.Event(),
    )


def build_rebuilder(settings: Settings, stores: Stores, kafka: Kafka, clock: Clock) -> Rebuilder:
    """What notices a loss of Redis, and makes it good."""
    redis, keys, scripts = stores.redis, stores.keys, stores.scripts
    return Rebuilder(
        RebuildPorts(
            stores.markers,
            kafka.source,
            RedisRestorer(redis, keys, scripts, stores.inbox, settings.swoogo.credit_window),
            stores.inbox,
            stores.connections,
            kafka.decoder,
            clock,
            settings.push.lease,
        )
    )


def build_dispatcher(
    stack: AsyncExitStack,
    settings: Settings,
    stores: Stores,
    kafka: Kafka,
    swoogo: SwoogoSide,
    clock: Clock,
    watch: Telemetry,
) -> Dispatcher:
    redis, keys, scripts, inbox = stores.redis, stores.keys, stores.scripts, stores.inbox
    client, topics = swoogo.client, settings.kafka.topics
    images = open_images(settings.images)
    stack.push_async_callback(images.aclose)
    queue = ImageQueue(images, at_once=IMAGES_AT_ONCE)
    stack.push_async_callback(queue.aclose)
    status = KafkaStatusTopic(kafka.producer, topics.status, stores.connections, clock)
    issues = KafkaIssuesTopic(kafka.producer, topics.issues, clock)
    feed = IssueFeed(redis, keys, scripts, stores.connections, issues)
    board = RedisStatusBoard(redis, keys, scripts, status, feed)
    ledger = RedisLedger(redis, keys, scripts, kafka.changelog, stores.archive)
    pairs = RedisPairs(redis, keys, scripts, kafka.changelog)
    timeline = RedisTimeline(redis, keys, scripts)
    ports = PushPorts(
        inbox, ledger, client, swoogo.budget, queue, board, clock, stores.connections, kafka.changelog, timeline
    )
    stopping, digests = asyncio.Event(), digests_of(settings.keys)
    pusher = build_pusher(ports, settings.push, settings.reconcile, settings.swoogo, stopping, digests)
    registrar = None
    if settings.webhooks.enabled != "off":
        pusher, registrar = with_webhooks(pusher, settings, stores, client)
    return dispatcher_on(
        ports,
        pairs,
        client.credentials,
        swoogo.circuits,
        watch.pusher(pusher, swoogo.calls, RedisTraceParents(redis, keys), RecentArrivals(redis, keys)),
        settings.push,
        build_rebuilder(settings, stores, kafka, clock),
        stopping,
        registrar,
    )


def with_webhooks(pusher: Pusher, settings: Settings, stores: Stores, client: SwoogoClient) -> tuple[Pusher, Registrar]:
    """The pusher that keeps Swoogo's webhooks and takes what they say. Nothing of it is loaded without them."""
    from consumer.adapters.redis.webhooks import RedisHints, RedisWebhooks
    from consumer.adapters.swoogo.webhooks import Webhooks
    from consumer.services.hints import HintTaker
    from consumer.services.webhooks import Registrar

    redis, keys, scripts, clock = stores.redis, stores.keys, stores.scripts, pusher.clock
    hints, api, hooks = RedisHints(redis, keys, scripts), settings.swoogo, settings.webhooks
    swoogo = Webhooks(client.caller, client.watch, api.delete_path, api.page_size)
    registrar = Registrar(swoogo, RedisWebhooks(redis, keys, scripts), hints, pusher.connections, clock, hooks)
    taker = HintTaker(
        hints,
        pusher.inbox,
        pusher.store,
        client,
        pusher.board,
        pusher.timeline,
        clock,
        pusher.reconciler,
        settings.push,
        hooks,
    )
    return replace(pusher, hints=taker, webhooks=registrar), registrar


def build_archiver(settings: Settings, stores: Stores, kafka: Kafka, clock: Clock) -> Archiver | None:
    """What archives events that are over; None while none are (Y4)."""
    if not settings.archive.after:
        return None
    topic = KafkaIssuesTopic(kafka.producer, settings.kafka.topics.issues, clock)
    feed = IssueFeed(stores.redis, stores.keys, stores.scripts, stores.connections, topic)
    return Archiver(stores.archive, feed, clock, settings.archive.after)


def build_order_relay(settings: Settings, stores: Stores, kafka: Kafka, clock: Clock) -> OrderRelay:
    """What sees to the orders that people gave."""
    status = KafkaStatusTopic(kafka.producer, settings.kafka.topics.status, stores.connections, clock)
    store = RedisOrders(stores.redis, stores.keys, stores.scripts)
    return OrderRelay(store, status, stores.inbox, stores.connections, kafka.changelog, clock)


def build_recorder(settings: Settings, stores: Stores, kafka: Kafka, watch: Telemetry) -> Records:
    topics = settings.kafka.topics
    recorder = Recorder(
        watch.decoder(kafka.decoder),
        watch.records(stores.inbox, RedisTraceParents(stores.redis, stores.keys)),
        stores.connections,
        watch.dead_letters(KafkaDeadLetters(kafka.producer, topics.dead_letters, topics.mappings)),
        kafka.changelog,
    )
    return watch.recorder(recorder)
