"""The role `webhooks`: receives what Swoogo delivers. Needs Redis and two secrets; no Kafka, no key, no credential."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from consumer.adapters.clock import SystemClock
from consumer.adapters.http_server import serving
from consumer.adapters.redis.replicas import RedisReplicas
from consumer.adapters.redis.webhooks import RedisHints
from consumer.adapters.webhooks.receiver import Receiver
from consumer.domain.errors import ConfigurationError
from consumer.observability.metrics.webhooks import WEBHOOK_DELIVERIES, WEBHOOK_REJECTED
from consumer.observability.polling import PolledValue
from consumer.observability.telemetry import Telemetry
from consumer.settings import PREFIX, Settings
from consumer.wiring.clients import open_redis
from consumer.wiring.process import Listener

log = structlog.get_logger("webhooks")


@asynccontextmanager
async def webhook_service(settings: Settings, watch: Telemetry) -> AsyncIterator[Listener]:
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
        yield Listener(port, watch, RedisReplicas(stores.redis, stores.keys), clock, settings.role)
