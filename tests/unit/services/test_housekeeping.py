"""Housekeeping: one replica repairs the due index, slice by slice, and another follows it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from consumer.services.housekeeping import Housekeeper
from tests.support.fakes.clock import settle
from tests.support.service_world import World, a_world


class Votes:
    """An election that a test decides."""

    def __init__(self) -> None:
        self.answers: list[bool] = []
        self.now = True

    async def elected(self, seconds: float) -> bool:
        return self.answers.pop(0) if self.answers else self.now


class Kept:
    """A housekeeper at work."""

    def __init__(self, world: World) -> None:
        self.inbox, self.clock, self.votes = world.inbox, world.clock, Votes()
        self.keeper = Housekeeper(world.inbox, self.votes, world.clock)

    async def looked(self) -> None:
        self.keeper.wake.set()
        await settle()


@pytest.fixture
async def kept() -> AsyncIterator[Kept]:
    made = Kept(await a_world())
    made.votes.now = False
    task = asyncio.create_task(made.keeper.run())
    await settle()
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.rule("G1")
async def test_the_due_index_is_repaired_bit_by_bit_within_ten_minutes(kept: Kept) -> None:
    """Whatever was left out of it would wait until something is recorded for it."""
    kept.votes.now = True
    await kept.looked()
    for seconds in (2, 60, 6_000):
        kept.clock.ms += seconds * 1_000
        await kept.looked()
    assert kept.inbox.repairs[1:] == [pytest.approx(2 / 600), 0.1, 1.0]


@pytest.mark.rule("G1")
async def test_after_a_clock_was_set_back_all_of_the_index_is_repaired_at_once(kept: Kept) -> None:
    """A pass may be half over: so up to its end, and once more."""
    kept.votes.now = True
    await kept.looked()
    kept.inbox.ends = iter([False, False, True, False, True])
    kept.keeper.repair_soon()
    await settle()
    assert len(kept.inbox.repairs) == 6
    assert kept.inbox.repairs[2:] == [1.0] * 4
    await kept.looked()
    assert len(kept.inbox.repairs) == 7


async def test_only_the_elected_replica_does_housekeeping(kept: Kept) -> None:
    await kept.looked()
    assert kept.inbox.repairs == []
    kept.inbox.ends = iter([False] * 10)
    kept.votes.answers = [True, True, False]
    kept.keeper.repair_soon()
    await settle()
    assert len(kept.inbox.repairs) == 2, "a repair is broken off where another replica is elected"


async def test_events_are_counted_every_ten_seconds_by_the_elected_replica(kept: Kept) -> None:
    counted: list[int] = []

    class Counting:
        async def count(self) -> None:
            counted.append(kept.clock.ms)

    kept.keeper.figures = Counting()
    await kept.looked()
    assert counted == []
    kept.votes.now = True
    await kept.looked()
    await kept.looked()
    assert len(counted) == 1
    kept.clock.ms += 10_000
    await kept.looked()
    assert len(counted) == 2
