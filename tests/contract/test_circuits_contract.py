"""The circuit of a credential: one for all replicas, one probe at a time, forgotten when a call succeeds."""

from __future__ import annotations

import asyncio

import pytest
import structlog
from redis.asyncio import Redis

from consumer.domain.pacing.circuit import Passage
from tests.contract.bench import CIRCUIT_FAILURES, CREDENTIAL, Bench
from tests.contract.conftest import MakeBench

pytestmark = pytest.mark.rule("G5")


async def opened(bench: Bench, failures: int = CIRCUIT_FAILURES) -> None:
    for _ in range(failures):
        await bench.circuits.failed(CREDENTIAL, "Swoogo answered 503 to the event.")


async def probe_is_due(bench: Bench) -> None:
    async def due() -> bool:
        return (await bench.circuits.admit(CREDENTIAL))[0] is Passage.PROBE

    await bench.until(due, "a probe may be made")


async def test_failures_of_all_replicas_count_together(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    assert await here.circuits.admit(CREDENTIAL) == (Passage.GO, 0.0)
    await opened(here, CIRCUIT_FAILURES - 1)
    assert await there.circuits.wait(CREDENTIAL) == 0.0
    await opened(there, 1)
    passage, seconds = await here.circuits.admit(CREDENTIAL)
    assert passage is Passage.WAIT
    assert 0 < seconds <= 0.3
    assert await here.circuits.wait(CREDENTIAL) > 0
    assert (await here.circuits.look(CREDENTIAL)).open
    assert await here.circuits.admit("another") == (Passage.GO, 0.0)


async def test_a_success_of_anybody_forgets_the_failures(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    await opened(here, CIRCUIT_FAILURES - 1)
    await there.circuits.succeeded(CREDENTIAL)
    assert (await here.circuits.look(CREDENTIAL)).is_clean
    await opened(here, CIRCUIT_FAILURES - 1)
    assert await there.circuits.wait(CREDENTIAL) == 0.0


async def test_one_of_many_makes_the_probe_and_its_success_lets_all_go(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    await opened(here)
    answers = await asyncio.gather(
        *(bench.circuits.admit(CREDENTIAL, at_once=True) for bench in (here, there) for _ in range(10))
    )
    assert sorted(passage.value for passage, _ in answers) == ["probe"] + ["wait"] * 19
    assert await there.circuits.wait(CREDENTIAL) > 0
    await there.circuits.succeeded(CREDENTIAL)
    assert await here.circuits.admit(CREDENTIAL) == (Passage.GO, 0.0)
    assert await here.circuits.wait(CREDENTIAL) == 0.0


async def test_a_probe_that_fails_makes_the_pause_longer(bench: Bench) -> None:
    await opened(bench)
    first = await bench.circuits.look(CREDENTIAL)
    await probe_is_due(bench)
    await bench.circuits.failed(CREDENTIAL, "still down")
    second = await bench.circuits.look(CREDENTIAL)
    assert second.open
    assert (second.opened, second.since) == (2, first.since)
    assert (await bench.circuits.admit(CREDENTIAL))[0] is Passage.WAIT


async def test_a_probe_whose_maker_died_is_made_by_somebody_else(bench: Bench) -> None:
    await opened(bench)
    assert (await bench.circuits.admit(CREDENTIAL, at_once=True))[0] is Passage.PROBE
    await probe_is_due(bench)


async def test_opening_and_closing_are_one_line_each_whoever_sees_it(redis: Redis, make_bench: MakeBench) -> None:
    """An outage costs no log lines."""
    here, there = make_bench(), make_bench()
    with structlog.testing.capture_logs() as lines:
        await asyncio.gather(*(opened(bench) for bench in (here, there) for _ in range(3)))
        await there.circuits.wait(CREDENTIAL)
        await here.circuits.admit(CREDENTIAL, at_once=True)
        await asyncio.gather(*(bench.circuits.succeeded(CREDENTIAL) for bench in (here, there) for _ in range(3)))
    if here.redis is not None:
        assert [line["event"] for line in lines] == ["swoogo.circuit_opened", "swoogo.circuit_closed"]
        assert lines[0]["reason"] == "Swoogo answered 503 to the event."
