"""The inbox, in memory and on Redis: manual syncs, and what organizations ask for."""

from __future__ import annotations

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.push.cause import ManualSync
from consumer.ports import Requested, SyncRequest, org_subject
from tests.contract.bench import Bench, a_change, stamped
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


@pytest.mark.rule("O3", "R6")
@pytest.mark.parametrize(
    ("first", "second", "together"),
    [
        (
            SyncRequest("r1", "agenda", ("s2",)),
            SyncRequest("r2", "agenda", ("s1",), ("c1",)),
            SyncRequest("r2", "agenda", ("s1", "s2"), ("c1",)),
        ),
        (
            SyncRequest("r1", "sponsors"),
            SyncRequest("r2", "all", ("s1",)),
            SyncRequest("r2", "selected_and_sponsors", ("s1",)),
        ),
    ],
    ids=["selections", "sponsors and a selection"],
)
async def test_selections_that_wait_add_up(
    bench: Bench, first: SyncRequest, second: SyncRequest, together: SyncRequest
) -> None:
    await bench.inbox.request_sync(EVENT, first, stamped(1))
    await bench.inbox.request_sync(EVENT, second, stamped(2))
    assert (await bench.claimed(SUBJECT)).cause == ManualSync(together)


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
    assert await is_due(bench)
    again = await bench.claimed(SUBJECT, "next")
    assert again.cause == ManualSync(SyncRequest("r2", "sponsors"))
    assert [asked.id for asked in again.asked] == ["r2"]


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
