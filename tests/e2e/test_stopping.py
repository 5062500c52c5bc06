"""A stop is in order and in time, and another replica goes on at once."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import uuid

import pytest

from sandbox.demo.play import Chapter, Play, play
from sandbox.demo.world import ServiceProcess
from tests.e2e.conftest import OpenWorld
from tests.support.conferences import small
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G4")]

_events = itertools.count(9101)
_CONCURRENCY = 2
LONG = {"PUSH__LEASE": "600", "PUSH__CREATE_SETTLE_TIME": "600", "KAFKA__SESSION_TIMEOUT": "6"}


async def ended(process: ServiceProcess) -> int:
    """The exit code of a process that ends by itself, within the 30 seconds that Kubernetes gives."""
    await wait_until(lambda: process.pid is None, "the process ends in time", 30)
    return await asyncio.to_thread(process.stop) or 0


async def created(playing: Play) -> int:
    return len((await playing.state())["sessions"])


async def in_the_middle(playing: Play, *, delay_ms: int) -> ServiceProcess:
    """A replica that waits for the answers of its first creates of sessions, with more of them to come."""
    world = playing.world
    slow = {"match": {"method": "POST", "path": "sessions/create"}, "times": None, "do": {"delay_ms": delay_ms}}
    await world.post("faults", [slow])
    first = world.start_service("first")
    await playing.connect()
    await playing.publisher.publish(small(), at=playing.now())

    async def begun() -> bool:
        return any(each["hits"] for each in await world.get("faults"))

    await wait_until(begun, "sessions are being created", 60)
    return first


async def gone_on(playing: Play, first: ServiceProcess) -> Chapter:
    """Another replica takes over, and answers are quick again."""
    world = playing.world
    world.replicas.remove(first)
    (await world.control.delete("/_control/faults")).raise_for_status()
    world.start_service("second")
    return await playing.publish([small()], "another goes on")


async def test_sigterm_finishes_calls_and_another_replica_continues(open_world: OpenWorld) -> None:
    """The lease would last ten minutes, and an unanswered create would be waited for as long: neither is needed."""
    async with (
        open_world(settings={**LONG, "PUSH__CONCURRENCY": str(_CONCURRENCY)}) as world,
        play(world, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as playing,
    ):
        first = await in_the_middle(playing, delay_ms=1500)
        os.kill(first.pid or 0, signal.SIGTERM)
        os.kill(first.pid or 0, signal.SIGTERM)  # one more changes nothing
        assert await ended(first) == 0
        # What ran was finished: as many as run side by side, and those that had begun beside them.
        assert 1 <= await created(playing) <= 2 * _CONCURRENCY
        assert "push.given_back" in first.tail(50)
        chapter = await gone_on(playing, first)
        assert (chapter.differences, chapter.duplicates) == ([], 0)


async def test_a_drain_that_takes_too_long_is_broken_off_and_nothing_is_doubled(open_world: OpenWorld) -> None:
    """Answers take three seconds, the drain none: what is on the wire becomes an intent and is adopted."""
    async with (
        open_world(settings={**LONG, "PUSH__SHUTDOWN_GRACE": "0", "PUSH__CREATE_SETTLE_TIME": "4"}) as world,
        play(world, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as playing,
    ):
        first = await in_the_middle(playing, delay_ms=3000)
        os.kill(first.pid or 0, signal.SIGTERM)
        assert await ended(first) == 0
        assert "push.given_back" in first.tail(50)
        chapter = await gone_on(playing, first)
        assert (chapter.differences, chapter.duplicates) == ([], 0)


async def test_a_second_sigint_ends_the_process_at_once(open_world: OpenWorld) -> None:
    """Somebody at a terminal who does not want to wait; whatever was not finished is done by the next start."""
    async with (
        open_world(settings=LONG) as world,
        play(world, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as playing,
    ):
        first = await in_the_middle(playing, delay_ms=15_000)
        os.kill(first.pid or 0, signal.SIGINT)
        await wait_until(lambda: "app.stopping" in first.tail(50), "it is asked to stop", 30)
        os.kill(first.pid or 0, signal.SIGINT)
        assert await ended(first) == 130
        world.replicas.remove(first)
