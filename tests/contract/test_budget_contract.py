"""The budget: a credential's credits are shared, never exceeded in any window, and given by priority."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from consumer.domain.errors import LeaseLostError
from consumer.domain.push.run import Trigger
from consumer.ports import Grant, Lease, Work, event_subject
from tests.contract.bench import CREDENTIAL, Bench, a_work
from tests.contract.conftest import MakeBench
from tests.support.builders import EVENT, a_mapping

pytestmark = pytest.mark.rule("G4", "G5")

DEADLINE = 0.05
"""Seconds a call may take."""


@pytest.fixture
def calm(make_bench: MakeBench) -> Bench:
    """Leases that outlast the test."""
    return make_bench(lease=60.0, window=0.4, limit=20)


@pytest.fixture
def still(make_bench: MakeBench) -> Bench:
    """The same with a window that nothing here waits for, however slow the machine is."""
    return make_bench(lease=60.0, window=30.0, limit=20)


@asynccontextmanager
async def in_background(*works: Coroutine[Any, Any, Any]) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """Tasks that are cancelled when the test is over."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def granted(bench: Bench, work: Work, cost: int, timeout: float = 5.0) -> Grant:
    """A permit, waited for on the bench's own clock."""
    async with in_background(bench.budget.permit(work, cost, DEADLINE)) as [task]:
        await bench.until(task.done, f"{cost} credits are granted", timeout)
        grant = task.result()
        assert isinstance(grant, Grant)
        return grant


async def spend(bench: Bench, work: Work, cost: int) -> None:
    await bench.budget.spent(await granted(bench, work, cost))


@dataclass(frozen=True)
class Arrival:
    """A call as Swoogo counts it."""

    at: int
    cost: int


async def test_in_no_window_more_is_spent_than_the_limit_by_two_replicas_together(make_bench: MakeBench) -> None:
    """Twelve callers on two replicas, calls of one and ten credits that take their time, over several windows."""
    times = {"lease": 60.0, "window": 0.25, "limit": 20}
    sides = [make_bench(**times), make_bench(**times)]
    arrivals: list[Arrival] = []
    works = [a_work(await sides[number % 2].leased(f"event-{number}")) for number in range(12)]

    async def caller(number: int) -> None:
        side = sides[number % 2]
        for call in range(3):
            cost = 10 if (number + call) % 6 == 0 else 1
            grant = await side.budget.permit(works[number], cost, DEADLINE)
            await side.clock.sleep(0.005 * (number % 4))
            arrivals.append(Arrival(await side.now(), cost))
            await side.clock.sleep(0.005 * (call % 4))
            await side.budget.spent(grant)

    async with in_background(*(caller(number) for number in range(12))) as tasks:
        await sides[0].until(lambda: all(task.done() for task in tasks), "all calls are made", 20)
        for task in tasks:
            task.result()
    window = sides[0].times.window * 1000
    for start in arrivals:
        spent = sum(each.cost for each in arrivals if start.at <= each.at < start.at + window)
        assert spent <= sides[0].times.limit
    assert sum(each.cost for each in arrivals) == 6 * 10 + 30
    assert max(each.at for each in arrivals) - min(each.at for each in arrivals) >= 3 * window


async def test_a_full_window_may_be_spent_in_a_burst(still: Bench) -> None:
    work = a_work(await still.leased())
    start = await still.now()
    for _ in range(20):
        await spend(still, work, 1)
    assert await still.now() - start < still.times.window * 1000
    assert await still.budget.left(CREDENTIAL) == 0


async def test_a_slow_call_counts_from_its_answer(calm: Bench) -> None:
    """Swoogo may have counted it at any moment until then."""
    work = a_work(await calm.leased())
    slow = await granted(calm, work, 20)
    start = await calm.now()
    await calm.passed(0.3)
    await calm.budget.spent(slow)
    await granted(calm, work, 1)
    assert await calm.now() - start >= 300 + calm.times.window * 1000


async def test_a_call_without_an_answer_yet_keeps_its_credits(still: Bench) -> None:
    work = a_work(await still.leased())
    await granted(still, work, 15)
    assert await still.budget.left(CREDENTIAL) == 5


async def test_credits_of_a_call_that_was_never_sent_are_given_back(still: Bench) -> None:
    work = a_work(await still.leased())
    grant = await granted(still, work, 20)
    for _ in range(2):
        await still.budget.returned(grant)
    assert await still.budget.left(CREDENTIAL) == 20
    await granted(still, work, 20, timeout=0.1)


async def test_settling_a_call_twice_counts_once(still: Bench) -> None:
    work = a_work(await still.leased())
    grant = await granted(still, work, 5)
    await still.budget.spent(grant)
    await still.budget.spent(grant)
    await still.budget.returned(grant)
    assert await still.budget.left(CREDENTIAL) == 15


async def test_429_stops_calls_until_the_reset_and_returns_credits(still: Bench) -> None:
    work = a_work(await still.leased())
    grant = await granted(still, work, 5)
    start = await still.now()
    await still.budget.throttled(grant, 0.3)
    assert await still.budget.left(CREDENTIAL) == 0
    await granted(still, work, 20)
    assert 300 <= await still.now() - start < still.times.window * 1000


async def test_what_others_spent_on_the_credential_counts_until_the_reset(calm: Bench) -> None:
    work = a_work(await calm.leased())
    grant = await granted(calm, work, 1)
    start = await calm.now()
    await calm.budget.spent(grant, remaining=2, reset=0.3)
    assert await calm.budget.left(CREDENTIAL) == 2
    await granted(calm, work, 3)
    assert await calm.now() - start >= 300


async def test_a_header_that_shows_more_than_ours_frees_nothing(calm: Bench) -> None:
    work = a_work(await calm.leased())
    await granted(calm, work, 10)
    grant = await granted(calm, work, 5)
    await calm.budget.spent(grant, remaining=19, reset=0.3)
    assert await calm.budget.left(CREDENTIAL) == 5


async def test_the_reserve_is_never_touched(make_bench: MakeBench) -> None:
    bench = make_bench(lease=60.0, limit=20, reserve=5, window=0.4)
    assert await bench.budget.left(CREDENTIAL) == 15
    work = a_work(await bench.leased())
    start = await bench.now()
    await spend(bench, work, 15)
    await spend(bench, work, 1)
    assert await bench.now() - start >= bench.times.window * 1000


async def test_a_manual_sync_goes_first_then_changes_then_reconcile(calm: Bench) -> None:
    lease = await calm.leased()
    await spend(calm, a_work(lease), 20)
    order: list[Trigger] = []

    async def caller(trigger: Trigger) -> None:
        await calm.budget.spent(await calm.budget.permit(a_work(lease, trigger), 20, DEADLINE))
        order.append(trigger)

    queued = (Trigger.RECONCILE, Trigger.CHANGES, Trigger.MANUAL)
    async with in_background(*(caller(trigger) for trigger in queued)) as tasks:
        await calm.until(lambda: all(task.done() for task in tasks), "all were served", 15)
    assert order == [Trigger.MANUAL, Trigger.CHANGES, Trigger.RECONCILE]


@pytest.mark.rule("M1")
async def test_pairs_share_the_credits_of_their_credential(make_bench: MakeBench) -> None:
    here, there = make_bench(lease=60.0, limit=20), make_bench(lease=60.0, limit=20)
    one, two = await here.leased("one"), await there.leased("two")
    await granted(here, a_work(one), 12)
    await granted(there, a_work(two), 8)
    assert await here.budget.left(CREDENTIAL) == await there.budget.left(CREDENTIAL) == 0
    other = replace(a_mapping(event_id="two"), credential="another")
    await granted(there, a_work(two, mapping=other), 20, timeout=1)


async def test_without_the_lease_no_call_may_start(bench: Bench) -> None:
    never_held = Lease(event_subject("other"), 1, "op")
    with pytest.raises(LeaseLostError):
        await bench.budget.permit(a_work(never_held), 1, DEADLINE)
    assert await bench.budget.left(CREDENTIAL) == bench.times.limit


@pytest.mark.parametrize("called_before", [True, False])
async def test_after_a_takeover_the_former_holder_starts_no_call_and_the_heir_does(
    make_bench: MakeBench, called_before: bool
) -> None:
    here, there = make_bench(), make_bench()
    lost = await here.leased()
    if called_before:
        await granted(here, a_work(lost), 1)
    heir = await there.claimed(event_subject(EVENT), "heir")
    await granted(there, a_work(heir), 1)
    with pytest.raises(LeaseLostError):
        await here.budget.permit(a_work(lost), 1, DEADLINE)
    await granted(there, a_work(heir), 1)


async def test_lease_shorter_than_a_call_gives_no_permit(bench: Bench) -> None:
    lease = await bench.leased()
    near_the_end = bench.times.lease - 0.1
    await bench.passed(0.15)
    async with in_background(bench.budget.permit(a_work(lease), 1, near_the_end)) as [waiting]:
        await bench.passed(0.1)
        assert not waiting.done()
        await bench.inbox.renew(lease)
        await bench.until(waiting.done, "the renewed lease is long enough")
        assert isinstance(waiting.result(), Grant)


async def test_a_lease_too_short_that_nobody_renews_ends_in_lease_lost(bench: Bench) -> None:
    lease = await bench.leased()
    async with in_background(bench.budget.permit(a_work(lease), 1, bench.times.lease * 2)) as [waiting]:
        await bench.until(waiting.done, "the lease is over")
        with pytest.raises(LeaseLostError):
            waiting.result()
