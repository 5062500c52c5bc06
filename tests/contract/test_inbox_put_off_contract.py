"""The inbox, in memory and on Redis: work that is put off, tried again, or left out by a sync."""

from __future__ import annotations

import pytest

from consumer.domain.errors import LeaseLostError
from consumer.domain.push.cause import ManualSync, Reconcile
from consumer.domain.surveys.survey import Depth
from consumer.ports import SyncRequest, event_subject
from tests.contract.bench import Bench, a_change, stamped
from tests.contract.inbox_ground import SUBJECT, is_due
from tests.support.builders import EVENT


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


@pytest.mark.rule("G1")
async def test_waiting_retry_survives_a_change_without_continuous_sync(bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    lease = await bench.claimed(SUBJECT)
    await bench.inbox.complete(lease, {}, retry_in=0.2, failed=True)
    await bench.inbox.record(SUBJECT, [a_change()])
    await bench.until(lambda: is_due(bench), "the retry is due")


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
