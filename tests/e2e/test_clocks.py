"""End to end: replicas whose clocks are ten minutes apart agree on the time (fault matrix "clocks")."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sandbox.demo.play import play
from tests.e2e.conftest import OpenWorld
from tests.e2e.looks import kept
from tests.support.conferences import edited, small
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G2")]

_WRONG = """
import time
_time, _time_ns = time.time, time.time_ns
time.time = lambda: _time() - 600
time.time_ns = lambda: _time_ns() - 600_000_000_000
"""
_LATE_MS = 8_000


async def test_slow_clock_does_not_shorten_the_settle_time_of_a_create(
    open_world: OpenWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The create takes effect when another replica has the event already, which has to wait for that all the same."""
    (tmp_path / "sitecustomize.py").write_text(_WRONG)
    settings = {
        "SWOOGO__DEADLINE": "1",
        "PUSH__CREATE_SETTLE_TIME": "10",
        "PUSH__LEASE": "5",
        "KAFKA__SESSION_TIMEOUT": "6",
    }
    async with open_world(settings=settings) as world:
        with monkeypatch.context() as wrong:
            wrong.setenv("PYTHONPATH", str(tmp_path))
            slow = world.start_service("slow", ROLE="sync")
        world.start_service("reader", ROLE="ingest")
        conference = small()
        async with play(world, conference, event_id=6401, org_id="org-clocks") as begun:
            await begun.connect()
            late = {"match": {"method": "POST", "path": "sessions/create"}, "times": 1, "do": {"delay_ms": _LATE_MS}}
            await world.post("faults", [late])
            await begun.publisher.publish(conference, at=begun.now())

            async def given_up() -> bool:
                ledger = (await kept(world, "6401"))["ledger"]
                return any(b'"unanswered":true' in entry for entry in ledger.values())

            await wait_until(given_up, "the create is given up", timeout=60)
            known = time.monotonic()
            slow.stop(hard=True)
            assert "clock_set" in slow.log_path.read_text()
            world.start_service("right", ROLE="sync")
            conference = edited(conference, 3, title="Talk 3, edited")
            await begun.publish([conference], "edited meanwhile")
            await wait_until(lambda: time.monotonic() > known + _LATE_MS / 1000, "the late one took effect", timeout=60)
            chapter = await begun.publish([conference], "again")
            assert (chapter.differences, chapter.duplicates) == ([], 0)
