"""Kafka away for too long ends the process, a stop meanwhile is in time, logs stay short."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator

import pytest

from sandbox.demo.play import play
from sandbox.demo.world import Servers, ServiceProcess, World, world
from tests.e2e.conftest import QUICK
from tests.integration.kafka.outages import Breakable, a_breakable_kafka
from tests.support.conferences import edited, small
from tests.support.proxy import HOST
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

_MOST_LINES = 60
"""Of one outage of some seconds; unbounded it would be some eighty a second."""


@pytest.fixture(scope="module")
async def breakable() -> AsyncIterator[Breakable]:
    async with a_breakable_kafka() as kafka:
        yield kafka


@pytest.fixture
async def away(breakable: Breakable, redis_url: str) -> AsyncIterator[World]:
    """A world whose service has Kafka behind the proxy."""
    servers = Servers(f"{HOST}:{breakable.proxy.port}", f"{redis_url.rpartition('/')[0]}/1", uuid.uuid4().hex[:8])
    settings = {**QUICK, "KAFKA__SESSION_TIMEOUT": "6", "KAFKA__CONSUMER_LOST_TIMEOUT": "4"}
    async with world(window=60.0, latency_ms=2.0, limit=100_000, settings=settings, servers=servers) as opened:
        yield opened
        await breakable.proxy.up()


async def ended(process: ServiceProcess) -> int | None:
    """The exit code of a process that ends by itself, within the 30 seconds that Kubernetes gives."""
    await wait_until(lambda: process.pid is None, "the process ends in time", 30)
    return await asyncio.to_thread(process.stop)


async def test_lost_kafka_ends_the_process_and_a_stop_meanwhile_is_in_time(breakable: Breakable, away: World) -> None:
    """Exit code 3 and one sentence, so that Kubernetes starts it again; nothing that was published is missing.

    A stop while Kafka is away is in order: neither groups that cannot be left nor what cannot be published hold it up.
    """
    async with play(away, small(), event_id=9301, org_id=str(uuid.uuid4())) as playing:
        first = away.start_service("first")
        await playing.connect()
        assert (await playing.publish([small()], "before")).differences == []
        before = len(first.tail(10_000).splitlines())
        await breakable.proxy.down()
        assert await ended(first) == 3
        away.replicas.remove(first)
        assert "is lost for" in first.tail(200)
        assert "Traceback" not in first.tail(200)
        assert len(first.tail(10_000).splitlines()) - before < _MOST_LINES
        await breakable.proxy.up()
        second = away.start_service("second", KAFKA__CONSUMER_LOST_TIMEOUT="300")
        chapter = await playing.publish([edited(small(), 0, title="After the outage")], "after")
        assert (chapter.differences, chapter.duplicates) == ([], 0)
        await breakable.proxy.down()
        await wait_until(lambda: "aiokafka" in second.tail(50), "the outage is noticed", 30)
        os.kill(second.pid or 0, signal.SIGTERM)
        assert await ended(second) == 0
        away.replicas.remove(second)
        await breakable.proxy.up()
