"""End to end: a worker that stood still for longer than its lease starts no call and writes nothing."""

from __future__ import annotations

import os
import signal
import time

import pytest

from sandbox.demo.play import play
from sandbox.demo.world import ServiceProcess
from tests.e2e.conftest import OpenWorld
from tests.e2e.looks import half_way, kept
from tests.support.conferences import edited, small
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G4")]

LEASE = 4.0


async def test_worker_paused_beyond_its_lease_calls_and_writes_nothing(open_world: OpenWorld) -> None:
    """SIGSTOP in the middle of an import; another process ends it; then SIGCONT."""
    settings = {"PUSH__LEASE": f"{LEASE:g}", "SWOOGO__DEADLINE": "2", "KAFKA__SESSION_TIMEOUT": "6"}
    async with open_world(latency_ms=30.0, settings=settings) as world:
        paused = world.start_service("paused")
        conference = small(talks=80, people=60)
        async with play(world, conference, event_id=6301, org_id="org-paused") as begun:
            await begun.connect()
            await begun.publisher.publish(conference, at=begun.now())
            await half_way(begun, 25)
            stopped = time.monotonic()
            os.kill(pid_of(paused), signal.SIGSTOP)
            try:
                world.start_service("other")
                await begun.watch.until_idle(120)
                await wait_until(lambda: time.monotonic() > stopped + 2 * LEASE, "two leases have passed", timeout=60)
                before, journal = await kept(world, "6301"), (await world.get("stats"))["calls"]
                assert before["runs"], "the other one has done the work"
            finally:
                os.kill(pid_of(paused), signal.SIGCONT)
            await wait_until(lambda: "lease_lost" in paused.log_path.read_text(), "it has noticed", timeout=60)
            chapter = await begun.publish([conference], "again")
            assert (chapter.differences, chapter.duplicates) == ([], 0)
            assert (await world.get("stats"))["calls"] == journal, "it has called nothing"
            assert await kept(world, "6301") == before, "it has written nothing"
            chapter = await begun.publish([edited(conference, 3, title="Talk 3, edited")], "either goes on")
            assert (chapter.differences, chapter.duplicates) == ([], 0)


def pid_of(process: ServiceProcess) -> int:
    """Its process id. It runs."""
    pid = process.pid
    assert pid is not None
    return pid
