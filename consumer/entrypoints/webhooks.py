"""The role `webhooks`: receives what Swoogo delivers. Needs Redis and two secrets; no Kafka, no key, no credential."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from consumer.adapters.clock import SystemClock
from consumer.adapters.http_server import serving
from consumer.adapters.redis.replicas import RedisReplicas, Replica
from consumer.adapters.redis.webhooks import RedisHints
from consumer.adapters.webhooks.receiver import Receiver
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.observability.health import PolledValue
from consumer.observability.metrics.webhooks import WEBHOOK_DELIVERIES, WEBHOOK_REJECTED
from consumer.observability.telemetry import Telemetry
from consumer.ports import Clock
from consumer.services.workers import cancel_and_wait
from consumer.settings import PREFIX, Settings
from consumer.version import installed_version
from consumer.wiring.clients import open_redis

log = structlog.get_logger("webhooks")


@dataclass(frozen=True, slots=True)
class WebhookService:
    """One running process. `port`: where it listens."""

    port: int
    watch: Telemetry
    replicas: RedisReplicas
    clock: Clock
    role: str

    async def run(self, stop: asyncio.Event) -> None:
        """Receive until `stop` is set."""
        now, me = self.clock.now(), self.clock.new_id()
        replica = Replica(me, installed_version(), self.role, now, now)
        beating = asyncio.create_task(self.replicas.keep_beating(replica, self.clock))
        self.watch.health.starting = False
        try:
            await stop.wait()
        finally:
            self.watch.health.stopping = True
            await cancel_and_wait(beating)
            with suppress(UnavailableError):
                await self.replicas.leave(me)


@asynccontextmanager
async def webhook_service(settings: Settings, watch: Telemetry) -> AsyncIterator[WebhookService]:
    """Listen while the block runs. Raises ConfigurationError, UnavailableError."""
    hooks, clock = settings.webhooks, SystemClock()
    if hooks.enabled != "on":
        raise ConfigurationError(f"The role webhooks has nothing to do: set {PREFIX}WEBHOOKS__ENABLED=on.")
    async with AsyncExitStack() as stack:
        stores, _ = await open_redis(stack, settings, clock, watch)
        pinged = PolledValue("Redis", stores.redis.ping, every=5.0)
        stack.push_async_callback(pinged.aclose)
        watch.health.add("ready", "redis", lambda: pinged.trouble(20.0, 1.5))
        receiver = Receiver(
            hooks,
            RedisHints(stores.redis, stores.keys, stores.scripts),
            clock,
            lambda outcome: watch.meters.add(WEBHOOK_DELIVERIES, outcome=outcome),
            lambda reason: watch.meters.add(WEBHOOK_REJECTED, reason=reason),
        )
        advice = f"set {PREFIX}WEBHOOKS__HOST and {PREFIX}WEBHOOKS__PORT to an address that is free."
        port = await stack.enter_async_context(serving(receiver, hooks.host, hooks.port, "Webhooks", advice))
        log.info("webhooks.listening", host=hooks.host, port=port)
        yield WebhookService(port, watch, RedisReplicas(stores.redis, stores.keys), clock, settings.role)
