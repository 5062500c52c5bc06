"""The short form of `make chaos`: the same seeds every time, in processes of their own."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from tests.chaos.machine import DeadlockError, Process, VirtualLoop, end_everything
from tests.chaos.report import many


@pytest.mark.rule("M2", "X2", "G1", "G2", "G5")
@pytest.mark.integration
@pytest.mark.timeout(300)
def test_nothing_is_lost_or_doubled_whatever_breaks() -> None:
    """Seeded runs with faults at effect boundaries: some with two organizations, or with orders by hand."""
    command = [sys.executable, "-m", "tests.chaos", "--runs", "8", "--peer", "0", "--jobs", "2"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Nothing lost, nothing doubled." in done.stdout


@pytest.mark.integration
@pytest.mark.timeout(120)
def test_the_checks_see_what_a_simpler_consumer_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer, with the same faults, doubles records in some of these runs: the faults and the checks are real."""
    monkeypatch.setenv("PYTHONHASHSEED", "0")  # of the processes that play: the same runs every time
    verdicts = list(many([(seed, "peer") for seed in range(1, 5)], 2))
    assert sum(verdict.doubled for verdict in verdicts) > 0


def test_a_dead_process_does_nothing_more() -> None:
    """SIGKILL: no `finally`, no timer; a wait without an end is noticed."""
    done: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(5)
            done.append("awoke")
        finally:
            done.append("cleaned up")

    process = Process("one")

    async def play() -> None:
        process.start(work())
        await asyncio.sleep(1)
        process.kill()
        await asyncio.sleep(100)
        assert done == []
        await asyncio.get_running_loop().create_future()

    async def end() -> None:
        # Nothing of it is left to whichever test comes next.
        process.bury()
        await end_everything()

    loop = VirtualLoop()
    with pytest.raises(DeadlockError):
        loop.run_until_complete(play())
    assert done == []
    loop.run_until_complete(end())
    loop.close()


def test_a_frozen_process_goes_on_where_it_was() -> None:
    """SIGSTOP and SIGCONT: timers that ran out meanwhile fire when it goes on."""
    moments: list[float] = []

    async def work() -> None:
        await asyncio.sleep(5)
        moments.append(asyncio.get_running_loop().time())

    async def play() -> None:
        process = Process("one")
        task = process.start(work())
        await asyncio.sleep(1)
        process.freeze(60)
        await task

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(play())
    assert moments == [61.0]
