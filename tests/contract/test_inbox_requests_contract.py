"""The inbox, in memory and on Redis: manual syncs, and work that is put off."""

from __future__ import annotations

import asyncio

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.errors import LeaseLostError
from consumer.domain.planning.control import Approval, Control, Freeze
from consumer.domain.push.claim import ManualSync, Reconcile
from consumer.domain.surveys.survey import Depth
from consumer.ports import Requested, SyncRequest, event_subject, org_subject
from tests.contract.bench import Bench, a_change, stamped
from tests.contract.conftest import MakeBench
from tests.contract.inbox_ground import SUBJECT, is_due
from tests.support.builders import EVENT, ORG, a_mapping_request


@pytest.mark.rule("C5", "O3", "R6")
async def test_requests_that_wait_add_up(bench: Bench) -> None:
    """None is replaced by a later one before it ran, and the claim names each."""
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    await bench.inbox.request_sync(EVENT, SyncRequest("r2", "sponsors"), stamped(2))
    lease = await bench.claimed(SUBJECT)
    assert isinstance(lease.cause, ManualSync)
    assert lease.cause.request.scope == "all"
    assert [asked.id for asked in lease.asked] == ["r1", "r2"]
    await bench.inbox.complete(lease, {})
    assert (await bench.inbox.due(10)).next_in is None


@pytest.mark.rule("R6")
async def test_selections_that_wait_add_up(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda", ("s2",)), stamped(1))
    await bench.inbox.request_sync(EVENT, SyncRequest("r2", "agenda", ("s1",), ("c1",)), stamped(2))
    assert (await bench.claimed(SUBJECT)).cause == ManualSync(SyncRequest("r2", "agenda", ("s1", "s2"), ("c1",)))


@pytest.mark.rule("O3", "R6")
async def test_sponsors_and_a_selection_that_wait_add_up(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "sponsors"), stamped(1))
    await bench.inbox.request_sync(EVENT, SyncRequest("r2", "all", ("s1",)), stamped(2))
    lease = await bench.claimed(SUBJECT)
    assert lease.cause == ManualSync(SyncRequest("r2", "selected_and_sponsors", ("s1",)))


@pytest.mark.rule("C5")
async def test_a_request_that_arrives_late_is_served_although_it_is_older(bench: Bench) -> None:
    """Each has a key, hence a partition, of its own: they come in any order."""
    await bench.inbox.request_sync(EVENT, SyncRequest("r2", "agenda"), stamped(2))
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "sponsors"), stamped(1))
    lease = await bench.claimed(SUBJECT)
    assert {asked.id for asked in lease.asked} == {"r1", "r2"}


@pytest.mark.rule("C5")
async def test_a_replayed_request_is_ignored_while_it_waits_and_after_it_ran(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    await bench.inbox.request_sync(EVENT, SyncRequest("r2", "sponsors"), stamped(2))
    assert not await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    lease = await bench.claimed(SUBJECT)
    await bench.inbox.complete(lease, {})
    assert not await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    assert not await bench.inbox.request_sync(EVENT, SyncRequest("r2", "sponsors"), stamped(2))
    assert await bench.inbox.claim(SUBJECT, "more") is None


@pytest.mark.rule("C4", "C5")
async def test_what_was_asked_for_during_the_work_is_all_that_runs_next(bench: Bench) -> None:
    """What a former request asked for was done, and is not done again with the next one."""
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    lease = await bench.claimed(SUBJECT)
    await bench.inbox.request_sync(EVENT, SyncRequest("r2", "sponsors"), stamped(2))
    await bench.inbox.complete(lease, {})
    again = await bench.claimed(SUBJECT, "next")
    assert again.cause == ManualSync(SyncRequest("r2", "sponsors"))
    assert [asked.id for asked in again.asked] == ["r2"]


@pytest.mark.rule("C5")
async def test_a_failed_run_keeps_its_request_until_one_succeeds(bench: Bench) -> None:
    request = SyncRequest("r1")
    await bench.inbox.request_sync(EVENT, request, stamped(1))
    lease = await bench.claimed(SUBJECT)
    await bench.inbox.complete(lease, {}, retry_in=0.1, failed=True)
    again = await bench.claimed(SUBJECT, "again")
    assert (again.cause, again.attempt) == (ManualSync(request), 1)
    await bench.inbox.complete(again, {})
    assert await bench.inbox.claim(SUBJECT, "more") is None


@pytest.mark.rule("G1")
async def test_what_a_sync_left_out_comes_without_its_request(mapped: Bench) -> None:
    """An image on its way has no mark, and the sync has used up the moment at which the event was due."""
    await mapped.inbox.request_sync(EVENT, SyncRequest("r1", "sponsors"), stamped(1))
    await mapped.inbox.complete(await mapped.claimed(SUBJECT), {}, rest_in=0.1)
    again = await mapped.claimed(SUBJECT, "again")
    assert (isinstance(again.cause, ManualSync), again.attempt) == (False, 0)
    await mapped.inbox.complete(again, {})
    assert (await mapped.inbox.due(10)).next_in is None


@pytest.mark.rule("C4")
async def test_without_continuous_sync_what_a_sync_left_out_waits_for_the_next(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "sponsors"), stamped(1))
    await bench.inbox.complete(await bench.claimed(SUBJECT), {}, rest_in=0.0)
    assert await bench.inbox.claim(SUBJECT, "more") is None


async def test_what_a_sync_left_out_does_not_bring_changes_forward(mapped: Bench) -> None:
    """They come in their own time, and it with them."""
    lease = await mapped.leased()
    await mapped.inbox.record(SUBJECT, [a_change("session/new", 2)])
    await mapped.inbox.complete(lease, {}, rest_in=0.0)
    assert not await is_due(mapped)


@pytest.mark.rule("C4", "R6")
async def test_deferred_work_keeps_its_request_and_is_no_failure(bench: Bench) -> None:
    """Without it, a push of everything would follow although sync is not continuous."""
    request = SyncRequest("r1", "agenda", ("s1",))
    await bench.inbox.request_sync(EVENT, request, stamped(1))
    await bench.inbox.complete(await bench.claimed(SUBJECT), {}, retry_in=0.1)
    again = await bench.claimed(SUBJECT, "again")
    assert (again.cause, again.attempt) == (ManualSync(request), 0)
    await bench.inbox.complete(again, {})
    assert await bench.inbox.claim(SUBJECT, "more") is None


@pytest.mark.rule("C5")
async def test_a_request_made_during_the_work_runs_next(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    lease = await bench.claimed(SUBJECT)
    await bench.inbox.request_sync(EVENT, SyncRequest("r2"), stamped(2))
    await bench.inbox.complete(lease, {})
    assert await is_due(bench)
    assert (await bench.claimed(SUBJECT, "next")).cause == ManualSync(SyncRequest("r2"))


@pytest.mark.rule("C5")
async def test_a_request_made_during_work_that_fails_does_not_wait_for_the_retry(bench: Bench) -> None:
    await bench.inbox.set_continuous(EVENT, on=True)
    lease = await bench.leased()
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    await bench.inbox.complete(lease, {}, retry_in=600, failed=True)
    assert await is_due(bench)


@pytest.mark.rule("C5")
@pytest.mark.parametrize("on", [True, False])
async def test_changes_that_come_meanwhile_neither_delay_nor_lose_a_request(bench: Bench, on: bool) -> None:
    await bench.inbox.set_continuous(EVENT, on=on)
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    await bench.inbox.record(SUBJECT, [a_change()])
    assert await is_due(bench)
    assert await bench.inbox.claim(SUBJECT, "op")


@pytest.mark.rule("C5")
@pytest.mark.parametrize("on", [True, False])
async def test_switching_continuous_sync_loses_no_request(bench: Bench, on: bool) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    await bench.inbox.set_continuous(EVENT, on=on)
    assert await is_due(bench)
    assert await bench.inbox.claim(SUBJECT, "op")


@pytest.mark.rule("G1")
async def test_waiting_retry_survives_a_change_without_continuous_sync(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    lease = await bench.claimed(SUBJECT)
    await bench.inbox.complete(lease, {}, retry_in=0.2, failed=True)
    await bench.inbox.record(SUBJECT, [a_change()])
    await bench.until(lambda: is_due(bench), "the retry is due")


@pytest.mark.rule("G1")
async def test_changes_do_not_extend_the_lease_of_a_dead_worker(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    await bench.claimed(SUBJECT)
    await bench.inbox.record(SUBJECT, [a_change()])
    await bench.until(lambda: is_due(bench), "the event is offered again")


async def test_an_organization_is_due_at_once_and_without_being_continuous(bench: Bench) -> None:
    request = a_mapping_request()
    subject = org_subject(ORG)
    await bench.inbox.record(subject, [a_change("mapping/ev", 1, codecs.encode(request))])
    lease = await bench.inbox.claim(subject, "op")
    assert lease is not None
    rows_, stamps = {"mapping/ev": request}, {"mapping/ev": stamped(1)}
    assert await bench.inbox.requests(ORG) == Requested(rows_, stamps, stamps)
    await bench.inbox.complete(lease, {"mapping/ev": stamped(1)})
    assert await bench.inbox.requests(ORG) == Requested(rows_, stamps, {})
    assert (await bench.inbox.due(10)).next_in is None


@pytest.mark.rule("M8")
async def test_a_request_dealt_with_before_can_be_brought_up_again(bench: Bench) -> None:
    subject = org_subject(ORG)
    await bench.inbox.record(subject, [a_change("mapping/ev", 1, codecs.encode(a_mapping_request()))])
    lease = await bench.claimed(subject)
    await bench.inbox.complete(lease, {"mapping/ev": stamped(1)})
    await bench.inbox.remind(ORG, "mapping/unknown")
    assert (await bench.inbox.due(10)).next_in is None
    await bench.inbox.remind(ORG, "mapping/ev")
    assert (await bench.inbox.requests(ORG)).marks == {"mapping/ev": stamped(1)}
    await bench.claimed(subject, "again")


async def test_what_is_due_longest_is_offered_first_and_no_more_than_asked_for(bench: Bench) -> None:
    expected = []
    for number in range(12):
        event = f"event-{number}"
        expected.append(event_subject(event))
        await bench.inbox.request_sync(event, SyncRequest("r"), stamped(1))
        await bench.passed(0.002)
    assert list((await bench.inbox.due(12)).subjects) == expected
    assert list((await bench.inbox.due(3)).subjects) == expected[:3]


async def test_two_replicas_see_the_same_work_and_only_one_gets_it(make_bench: MakeBench) -> None:
    here, there = make_bench(), make_bench()
    await here.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    assert (await there.inbox.due(1)).subjects == (SUBJECT,)
    claims = await asyncio.gather(here.inbox.claim(SUBJECT, "here"), there.inbox.claim(SUBJECT, "there"))
    assert len([lease for lease in claims if lease]) == 1


async def test_an_event_put_off_comes_again_as_it_was_and_that_is_no_failure(bench: Bench) -> None:
    """While Swoogo is away an event waits; its request, its marks and its failures stay what they are."""
    lease = await bench.leased()
    await bench.inbox.complete(lease, {}, retry_in=0.0, failed=True)
    again = await bench.claimed(lease.subject, "again")
    assert again.attempt == 1
    request = SyncRequest("asked")
    await bench.inbox.request_sync(again.subject.id, request, stamped(1))
    await bench.inbox.complete(again, {}, retry_in=0.0, failed=True)
    third = await bench.claimed(lease.subject, "third")
    start = await bench.now()
    await bench.inbox.defer(third, 0.3)
    await bench.inbox.defer(third, 0.3)  # a repeated command
    await bench.inbox.record(lease.subject, [a_change("session/more", 2)])
    later = await bench.claimed(lease.subject, "later")
    assert await bench.now() - start >= 300
    assert (later.attempt, later.cause) == (2, ManualSync(request))
    assert {"session/first", "session/more"} <= set((await bench.inbox.load(lease.subject.id)).marks)
    with pytest.raises(LeaseLostError):
        await bench.inbox.defer(third, 1.0)


@pytest.mark.rule("C5")
async def test_a_sync_asked_for_while_an_event_is_put_off_is_not_put_off_with_it(bench: Bench) -> None:
    """A manual sync may find out at once whether Swoogo is back."""
    lease = await bench.leased()
    await bench.inbox.request_sync(lease.subject.id, SyncRequest("asked"), stamped(1))
    await bench.inbox.defer(lease, 60.0)
    assert (await bench.claimed(lease.subject, "asked")).cause == ManualSync(SyncRequest("asked"))


@pytest.mark.rule("C4")
async def test_a_survey_that_is_put_off_comes_again_as_a_survey(bench: Bench) -> None:
    """Also where sync is not continuous, and with its depth."""
    await bench.inbox.request_survey(EVENT, Depth.DEEP)
    lease = await bench.claimed(event_subject(EVENT))
    assert lease.cause == Reconcile(Depth.DEEP)
    start = await bench.now()
    await bench.inbox.defer(lease, 0.3)
    again = await bench.claimed(event_subject(EVENT), "again")
    assert await bench.now() - start >= 300
    assert (again.cause, again.attempt) == (Reconcile(Depth.DEEP), 0)


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


@pytest.mark.rule("U1", "U2")
async def test_the_later_revision_of_a_control_is_kept(bench: Bench) -> None:
    first, second = Control(EVENT, "freeze::", 5, "o1", Freeze(until=9)), Control(EVENT, "freeze::", 6, "o2")
    for control, kept in ((first, True), (first, True), (second, True), (first, False), (second, True)):
        assert await bench.inbox.put_control(control) is kept
    assert (await bench.inbox.load(EVENT)).controls.held == {"freeze::": second}


@pytest.mark.rule("U2", "G4")
async def test_an_approval_is_changed_from_what_was_read_and_by_the_holder_of_the_lease_alone(bench: Bench) -> None:
    lease = await bench.leased()
    first = Control(EVENT, "approval", 5, "o1", approval=Approval("plan"))
    assert not await bench.inbox.put_control(first, expected=4)
    assert await bench.inbox.put_control(first, expected=0, by=lease)
    heir = await bench.claimed(SUBJECT, "heir")
    assert not await bench.inbox.put_control(first.followed_by(None), expected=5, by=lease)
    assert await bench.inbox.put_control(first.followed_by(None), expected=5, by=heir)
    assert (await bench.inbox.load(EVENT, snapshot=False)).controls.approval is None
