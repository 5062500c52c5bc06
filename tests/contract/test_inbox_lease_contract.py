"""The inbox, in memory and on Redis: claims, leases and continuous sync."""

from __future__ import annotations

import asyncio

import pytest

from consumer.domain.errors import LeaseLostError
from consumer.domain.push.cause import ManualSync
from consumer.ports import SyncRequest
from tests.contract.bench import Bench, a_change, stamped
from tests.contract.conftest import MakeBench
from tests.contract.inbox_ground import SUBJECT, is_due
from tests.support.builders import EVENT


async def test_change_during_a_push_makes_the_event_due_again(mapped: Bench) -> None:
    lease = await mapped.leased()
    marks = (await mapped.inbox.load(EVENT)).marks
    await mapped.inbox.record(SUBJECT, [a_change("session/first", 2), a_change("session/second", 2)])
    changed = await mapped.now()
    await mapped.inbox.complete(lease, marks)
    assert (await mapped.inbox.load(EVENT)).marks == {"session/first": stamped(2), "session/second": stamped(2)}
    again = await mapped.claimed(SUBJECT, "again")
    assert await mapped.now() - changed >= mapped.times.quiet * 1000 - 50
    assert again.epoch > lease.epoch


async def test_marks_that_were_not_dealt_with_stay_and_the_event_comes_again(mapped: Bench) -> None:
    lease = await mapped.leased()
    await mapped.inbox.complete(lease, {})
    assert (await mapped.inbox.load(EVENT)).marks == {"session/first": stamped(1)}
    await mapped.claimed(SUBJECT, "again")


async def test_an_event_that_was_dealt_with_is_not_due(mapped: Bench) -> None:
    lease = await mapped.leased()
    await mapped.inbox.complete(lease, (await mapped.inbox.load(EVENT)).marks)
    assert (await mapped.inbox.load(EVENT)).marks == {}
    assert await mapped.inbox.claim(SUBJECT, "more") is None
    due = await mapped.inbox.due(10)
    assert (due.subjects, due.next_in) == ((), None)


@pytest.mark.rule("G4")
async def test_of_many_claims_at_once_exactly_one_wins(mapped: Bench) -> None:
    await mapped.inbox.record(SUBJECT, [a_change()])
    await mapped.until(lambda: is_due(mapped), "the change is due")
    claims = await asyncio.gather(*(mapped.inbox.claim(SUBJECT, f"op-{number}") for number in range(20)))
    assert len([lease for lease in claims if lease]) == 1


async def test_a_claim_asked_for_twice_with_one_op_id_gets_one_answer(mapped: Bench) -> None:
    lease = await mapped.leased(op_id="mine")
    assert await mapped.inbox.claim(SUBJECT, "mine") == lease
    assert await mapped.inbox.claim(SUBJECT, "another's") is None


async def test_claimed_event_is_offered_after_its_lease_with_a_higher_epoch(mapped: Bench) -> None:
    start = await mapped.now()
    first = await mapped.leased()
    assert not await is_due(mapped)
    second = await mapped.claimed(SUBJECT, "second")
    assert await mapped.now() - start >= mapped.times.lease * 1000
    assert second.epoch > first.epoch


async def test_a_renewed_lease_holds_longer_than_one_lease_time(mapped: Bench) -> None:
    lease = await mapped.leased()
    start = await mapped.now()
    while await mapped.now() - start < mapped.times.lease * 2_000:
        await mapped.inbox.renew(lease)
        assert await mapped.inbox.claim(SUBJECT, "thief") is None
        await mapped.passed(0.05)
    await mapped.claimed(SUBJECT, "heir")


@pytest.mark.rule("G4")
async def test_whoever_lost_the_lease_can_neither_renew_nor_complete(mapped: Bench) -> None:
    lost = await mapped.leased()
    marks = (await mapped.inbox.load(EVENT)).marks
    await mapped.claimed(SUBJECT, "heir")
    with pytest.raises(LeaseLostError):
        await mapped.inbox.renew(lost)
    with pytest.raises(LeaseLostError):
        await mapped.inbox.complete(lost, marks)
    assert (await mapped.inbox.load(EVENT)).marks == marks


async def test_completing_twice_counts_once(mapped: Bench) -> None:
    lease = await mapped.leased()
    for _ in range(2):
        await mapped.inbox.complete(lease, {}, retry_in=0.1, failed=True)
    assert (await mapped.claimed(SUBJECT, "again")).attempt == 1


async def test_failures_in_a_row_are_counted_until_a_success(mapped: Bench) -> None:
    lease = await mapped.leased()
    for attempt in (1, 2):
        await mapped.inbox.complete(lease, {}, retry_in=0, failed=True)
        lease = await mapped.claimed(SUBJECT, f"op-{attempt}")
        assert lease.attempt == attempt
    await mapped.inbox.complete(lease, {}, retry_in=0)
    assert (await mapped.claimed(SUBJECT, "after success")).attempt == 0


@pytest.mark.rule("C4", "M5")
async def test_without_continuous_sync_changes_are_recorded_and_nothing_is_due(bench: Bench) -> None:
    await bench.inbox.record(SUBJECT, [a_change()])
    assert (await bench.inbox.due(10)).next_in is None
    assert await bench.inbox.claim(SUBJECT, "op") is None
    assert (await bench.inbox.load(EVENT)).marks == {"session/s1": stamped(1)}


@pytest.mark.rule("M5")
async def test_earlier_changes_are_due_when_continuous_sync_comes_on(bench: Bench) -> None:
    await bench.inbox.record(SUBJECT, [a_change()])
    await bench.inbox.set_continuous(EVENT, on=True)
    assert await is_due(bench)
    assert await bench.inbox.claim(SUBJECT, "op")


@pytest.mark.rule("M5")
async def test_an_event_found_without_a_pair_waits_for_nothing(mapped: Bench) -> None:
    await mapped.inbox.record(SUBJECT, [a_change()])
    lease = await mapped.claimed(SUBJECT)
    assert await mapped.inbox.set_continuous(EVENT, on=False, by=lease)
    await mapped.inbox.complete(lease, {})
    due = await mapped.inbox.due(10)
    assert (due.subjects, due.next_in) == ((), None)


@pytest.mark.rule("M5", "G4")
async def test_what_was_switched_on_since_the_claim_is_not_switched_off_by_it(mapped: Bench) -> None:
    """The worker that accepted the pair meanwhile may have been on another replica."""
    await mapped.inbox.record(SUBJECT, [a_change()])
    lease = await mapped.claimed(SUBJECT)
    await mapped.inbox.set_continuous(EVENT, on=False)
    await mapped.inbox.set_continuous(EVENT, on=True)
    assert not await mapped.inbox.set_continuous(EVENT, on=False, by=lease)
    await mapped.inbox.complete(lease, {})
    assert (await mapped.claimed(SUBJECT, "next")).epoch > lease.epoch


@pytest.mark.rule("M4", "G1")
async def test_an_event_whose_pair_ends_is_claimed_again_where_its_worker_dies(make_bench: MakeBench) -> None:
    """What that worker published last is taken back; one that ends in order leaves nothing due."""
    bench = make_bench(lease=0.3)
    for dies in (False, True):
        lease = await bench.leased()
        await bench.inbox.set_continuous(EVENT, on=False, ended=True)
        if dies:
            assert (await bench.claimed(SUBJECT, "next")).epoch > lease.epoch
        else:
            await bench.inbox.complete(lease, {})
            due = await bench.inbox.due(10)
            assert (due.subjects, due.next_in) == ((), None)


@pytest.mark.rule("G4")
async def test_who_lost_the_event_switches_it_neither_on_nor_off(mapped: Bench) -> None:
    await mapped.inbox.record(SUBJECT, [a_change()])
    lost = await mapped.claimed(SUBJECT)
    await mapped.inbox.complete(lost, {})
    await mapped.claimed(SUBJECT, "next")
    with pytest.raises(LeaseLostError):
        await mapped.inbox.set_continuous(EVENT, on=False, by=lost)


@pytest.mark.rule("C4")
async def test_continuous_sync_switched_off_keeps_the_marks_and_ends_the_waiting(mapped: Bench) -> None:
    await mapped.inbox.record(SUBJECT, [a_change()])
    await mapped.inbox.set_continuous(EVENT, on=False)
    due = await mapped.inbox.due(10)
    assert (due.subjects, due.next_in) == ((), None)
    assert (await mapped.inbox.load(EVENT)).marks == {"session/s1": stamped(1)}
    await mapped.inbox.set_continuous(EVENT, on=True)
    assert await is_due(mapped)


@pytest.mark.rule("C5")
@pytest.mark.parametrize("on", [True, False])
async def test_a_manual_sync_is_due_at_once_whether_sync_is_continuous_or_not(bench: Bench, on: bool) -> None:
    await bench.inbox.set_continuous(EVENT, on=on)
    request = SyncRequest("r1", "agenda", ("s1",), ("c1",))
    assert await bench.inbox.request_sync(EVENT, request, stamped(1)) == bool(bench.news(1))
    assert await is_due(bench)
    lease = await bench.inbox.claim(SUBJECT, "op")
    assert lease is not None
    assert lease.cause == ManualSync(request)
    await bench.inbox.complete(lease, {})
    assert (await bench.inbox.due(10)).next_in is None


async def test_two_replicas_see_the_same_work_and_only_one_gets_it(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    await here.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    assert (await there.inbox.due(1)).subjects == (SUBJECT,)
    claims = await asyncio.gather(here.inbox.claim(SUBJECT, "here"), there.inbox.claim(SUBJECT, "there"))
    assert len([lease for lease in claims if lease]) == 1


@pytest.mark.rule("G1")
async def test_changes_do_not_extend_the_lease_of_a_dead_worker(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    await bench.claimed(SUBJECT)
    await bench.inbox.record(SUBJECT, [a_change()])
    await bench.until(lambda: is_due(bench), "the event is offered again")


async def test_continuous_sync_promises_quick_changes(bench: Bench) -> None:
    """What was recorded before, or while only a manual sync would push it, never was."""
    assert (await bench.inbox.load(EVENT)).fresh_since is None
    await bench.inbox.set_continuous(EVENT, on=True)
    since = (await bench.inbox.load(EVENT)).fresh_since
    assert since is not None
    await bench.passed(0.05)
    await bench.inbox.set_continuous(EVENT, on=True)
    assert (await bench.inbox.load(EVENT)).fresh_since == since
    await bench.inbox.set_continuous(EVENT, on=False)
    assert (await bench.inbox.load(EVENT)).fresh_since is None
    await bench.inbox.set_continuous(EVENT, on=True)
    assert ((await bench.inbox.load(EVENT)).fresh_since or 0) > since
