"""A dead consumer or a stuck loop in a living process turns `/livez` red within 30 seconds."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from consumer.adapters.sealing import KeyPair
from consumer.app import Service, service
from consumer.domain.errors import UnavailableError
from consumer.observability import telemetry
from consumer.observability.probes import probes
from consumer.observability.telemetry import Telemetry
from consumer.ports import Due
from consumer.settings import Settings, load_settings
from tests.integration.kafka.kafka_world import KafkaWorld
from tests.support.scrape import Looking
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration

WITHIN = 30.0


@dataclass
class Running:
    """The whole service in this process, and its probes."""

    service: Service
    probes: Looking
    task: asyncio.Task[None]
    stop: asyncio.Event


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    watch, stop = Telemetry(settings), asyncio.Event()
    async with probes(settings.http, watch.health, watch.scrape) as port, service(settings, watch) as built:
        task = asyncio.create_task(built.run(stop))
        try:
            yield Running(built, Looking(f"http://127.0.0.1:{port}"), task, stop)
        finally:
            stop.set()
            await asyncio.wait({task}, timeout=60)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def settings(kafka: KafkaWorld, redis_url: str) -> Settings:
    return load_settings(
        kafka=kafka.settings.model_dump(),
        redis={"url": redis_url, "prefix": "live"},
        http={"port": 0},
        keys={"private": KeyPair.generate().private},
        push={"shutdown_grace": 0.0},
    )


async def green(looking: Looking) -> None:
    async def fine() -> bool:
        return await looking.status("/livez") == await looking.status("/readyz") == 200

    await wait_until(fine, "the service is alive and ready", 60)


async def red(looking: Looking) -> str:
    """What liveness says once it is red; within the time that the issue gives."""
    began = time.monotonic()

    async def not_fine() -> str:
        answer = await looking.get("/livez")
        return answer.text if answer.status_code == 503 else ""

    said = await wait_until(not_fine, "/livez is red", WITHIN)
    assert time.monotonic() - began < WITHIN
    return said


async def test_a_dead_consumer_turns_liveness_red_and_ends_the_process(settings: Settings) -> None:
    async with running(settings) as process:
        await green(process.probes)
        broker: Any = process.service.broker
        dead = next(each for each in broker.subscribers if settings.kafka.topics.sessions in each.topic_names)
        dead.consumer._coordinator._coordination_task.cancel()
        said = await red(process.probes)
        assert f"The consumer of {settings.kafka.topics.sessions} is dead: its group membership ended." in said
        with pytest.raises(UnavailableError, match="is dead"):
            await asyncio.wait_for(process.task, 60)
        assert "is dead" in await red(process.probes)  # and stays so until the process has ended


async def test_a_dispatcher_that_stands_still_turns_liveness_red(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert telemetry.LOOP_PATIENCE <= WITHIN
    monkeypatch.setattr(telemetry, "LOOP_PATIENCE", 3.0)
    stuck = asyncio.Event()

    async def never(_: int) -> Due:
        await stuck.wait()
        return Due((), None)

    async with running(settings) as process:
        await green(process.probes)
        assert process.service.dispatcher is not None
        monkeypatch.setattr(process.service.dispatcher.inbox, "due", never)
        assert "dispatcher: The loop that looks for due events has not come round for" in await red(process.probes)
        stuck.set()
