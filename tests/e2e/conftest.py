"""The service in a process of its own, between a real Kafka, a real Redis and the sandbox Swoogo."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from sandbox.demo.play import Play, play
from sandbox.demo.world import Servers, World, world
from sandbox.embedded import EmbeddedValkey
from tests.support.conferences import small
from tests.support.followed_topics import StatusTopic, following

_events = itertools.count(5001)

QUICK = {
    "DEBOUNCE__QUIET_PERIOD": "0.4",
    "DEBOUNCE__MAX_WAIT": "2",
    "PUSH__CREATE_SETTLE_TIME": "2",
    "PUSH__RETRY_FIRST": "0.3",
    "LOG__FORMAT": "console",
}

OpenWorld = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture(scope="session")
def open_world(kafka_bootstrap: str, redis_url: str) -> OpenWorld:
    """Opens a world of a test's own on the shared servers; the service is started by the test."""

    def opened(**options: Any) -> AbstractAsyncContextManager[World]:
        servers = Servers(kafka_bootstrap, f"{redis_url.rpartition('/')[0]}/1", f"e2e-{uuid.uuid4().hex[:8]}")
        settings: Mapping[str, str] = {**QUICK, **options.pop("settings", {})}
        # Enough for three replicas to share; each costs the broker, and there are forty worlds.
        defaults = {"window": 60.0, "latency_ms": 2.0, "limit": 100_000, "partitions": 3}
        return world(**{**defaults, **options}, settings=settings, servers=servers)

    return opened


@pytest.fixture(scope="package")
async def shared(open_world: OpenWorld) -> AsyncIterator[World]:
    """One world with one replica, for all tests that only need an event of their own."""
    async with open_world() as running:
        running.start_service()
        yield running


@pytest.fixture
async def playing(shared: World) -> AsyncIterator[Play]:
    """A small conference of an organization of its own, not connected and not published yet."""
    async with play(shared, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as begun:
        yield begun


@pytest.fixture
async def status(shared: World) -> AsyncIterator[StatusTopic]:
    """What the service tells."""
    async with following(StatusTopic, shared.bootstrap, shared.settings.kafka.topics.status) as topic:
        yield topic


@pytest.fixture
async def valkey() -> AsyncIterator[EmbeddedValkey]:
    """A Valkey that this test may do anything to."""
    server = EmbeddedValkey()
    await server.astart()
    yield server
    await server.astop()


@pytest.fixture
async def faults(shared: World) -> AsyncIterator[Any]:
    """Injects faults into the sandbox; none is left afterwards."""

    async def inject(*rules: dict[str, Any]) -> None:
        await shared.post("faults", list(rules))

    yield inject
    (await shared.control.delete("/_control/faults")).raise_for_status()
