"""The inbox: newest state wins, changes wait for quiet, a subject has one worker; the same in memory and in Redis."""

from __future__ import annotations

import asyncio

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.cause import ManualSync, Reconcile
from consumer.domain.errors import LeaseLostError
from consumer.domain.identity import stamp
from consumer.domain.ledger_commands import Action, LedgerCommand
from consumer.domain.snapshot import Snapshot
from consumer.domain.survey import Depth
from consumer.ports import Change, EventState, Requested, SyncRequest, event_subject, org_subject
from tests.contract.bench import Bench, a_change, stamped
from tests.contract.conftest import MakeBench
from tests.support.builders import EVENT, ORG, a_contact, a_mapping_request, a_session

SUBJECT = event_subject(EVENT)


async def is_due(bench: Bench) -> bool:
    return SUBJECT in (await bench.inbox.due(100)).subjects


@pytest.fixture
async def mapped(bench: Bench) -> Bench:
    """The event syncs continuously."""
    await bench.inbox.set_continuous(EVENT, on=True)
    return bench


async def test_the_newest_state_of_each_record_is_kept_and_marked(bench: Bench) -> None:
    changes = [a_change("session/s1", 1), a_change("session/s2", 2), a_change("session/s1", 3)]
    contact = codecs.encode(a_contact("c1", version=4))
    assert await bench.inbox.record(SUBJECT, [*changes, a_change("contact/c1", 4, contact)]) == bench.news(4)
    state = await bench.inbox.load(EVENT)
    assert state.snapshot.sessions == {"s1": a_session("s1", version=3), "s2": a_session("s2", version=2)}
    assert state.snapshot.contacts == {"c1": a_contact("c1", version=4)}
    assert state.marks == {"session/s1": stamped(3), "session/s2": stamped(2), "contact/c1": stamped(4)}
    assert await bench.inbox.load(EVENT, snapshot=False) == EventState(Snapshot(), state.marks)


@pytest.mark.rule("G3")
@pytest.mark.parametrize("version", [4, 5])
async def test_an_older_or_equal_change_never_overwrites(bench: Bench, version: int) -> None:
    newest = a_change("session/s1", 5)
    assert await bench.inbox.record(SUBJECT, [newest]) == bench.news(1)
    forged = a_change("session/s1", version, codecs.encode(a_session("s1", title="from the past")))
    assert await bench.inbox.record(SUBJECT, [forged]) == 0
    assert (await bench.inbox.load(EVENT)).snapshot.sessions["s1"] == a_session("s1", version=5)


def placed(version: int, offset: int, title: str = "", partition: int = 0) -> Change:
    row = codecs.encode(a_session("s1", version=version, title=title or f"title of {version}"))
    return Change("session/s1", stamp(version, version, offset, partition), row)


@pytest.mark.rule("G3")
async def test_an_older_version_at_a_later_offset_is_told_until_a_newer_one_comes(mapped: Bench) -> None:
    """Compaction will leave it, and nothing else would say so."""
    await mapped.inbox.record(SUBJECT, [placed(5, 10)])
    lease = await mapped.claimed(SUBJECT)
    await mapped.inbox.complete(lease, (await mapped.inbox.load(EVENT)).marks)
    await mapped.inbox.record(SUBJECT, [placed(4, 11)])
    state = await mapped.inbox.load(EVENT)
    assert state.overtaken == {"session/s1"}
    assert state.snapshot.sessions["s1"].version == 5
    lease = await mapped.claimed(SUBJECT, "again")  # so that it is told
    await mapped.inbox.complete(lease, state.marks)
    await mapped.inbox.record(SUBJECT, [placed(5, 10), placed(4, 11)])
    assert (await mapped.inbox.load(EVENT)).marks == {}, "a replay tells nothing new"
    await mapped.inbox.record(SUBJECT, [placed(6, 12)])
    assert (await mapped.inbox.load(EVENT)).overtaken == frozenset()


@pytest.mark.rule("G3")
@pytest.mark.parametrize(
    "older",
    [
        pytest.param(placed(4, 9), id="read before, as in a replay"),
        pytest.param(placed(4, 11, partition=1), id="from another partition, whose offsets say nothing"),
        pytest.param(placed(4, 11, title="title of 5"), id="with the same content"),
        pytest.param(Change("session/s1", stamp(4, 4, 11), b"{}"), id="by a former version, without its partition"),
    ],
)
async def test_an_older_version_that_changes_nothing_for_anybody_is_not_told(bench: Bench, older: Change) -> None:
    await bench.inbox.record(SUBJECT, [placed(5, 10)])
    await bench.inbox.record(SUBJECT, [older])
    assert (await bench.inbox.load(EVENT)).overtaken == frozenset()


@pytest.mark.rule("G3")
async def test_replaying_a_batch_changes_nothing_and_makes_nothing_due(mapped: Bench) -> None:
    batch = [a_change("session/s1", 1), a_change("session/s2", 2)]
    await mapped.inbox.record(SUBJECT, batch)
    lease = await mapped.claimed(SUBJECT)
    await mapped.inbox.complete(lease, (await mapped.inbox.load(EVENT)).marks)
    before = await mapped.inbox.load(EVENT)
    assert await mapped.inbox.record(SUBJECT, batch) == 0
    assert await mapped.inbox.load(EVENT) == before
    assert before.marks == {}
    assert (await mapped.inbox.due(10)).next_in is None


async def test_more_changes_than_one_script_call_takes_are_all_recorded(bench: Bench) -> None:
    changes = [a_change(f"session/s{number}", 1, b'{"id":"x"}') for number in range(2_500)]
    assert await bench.inbox.record(SUBJECT, changes) == bench.news(2_500)
    assert len((await bench.inbox.load(EVENT)).marks) == 2_500


async def test_a_change_is_due_after_the_quiet_period_and_not_before(mapped: Bench) -> None:
    start = await mapped.now()
    await mapped.inbox.record(SUBJECT, [a_change()])
    assert not await is_due(mapped)
    assert await mapped.inbox.claim(SUBJECT, "early") is None
    due = await mapped.inbox.due(10)
    assert due.next_in is not None
    assert 0 < due.next_in <= mapped.times.quiet
    end = await mapped.until(lambda: is_due(mapped), "the change is due")
    assert end - start >= mapped.times.quiet * 1000


async def test_every_change_restarts_the_quiet_period_up_to_the_max_wait(mapped: Bench) -> None:
    start, version = await mapped.now(), 0

    async def claimed_between_changes() -> bool:
        nonlocal version
        version += 1
        await mapped.inbox.record(SUBJECT, [a_change(version=version)])
        return await is_due(mapped)

    end = await mapped.until(claimed_between_changes, "the event is due although changes go on")
    assert end - start >= mapped.times.max_wait * 1000
    assert end - start < mapped.times.max_wait * 1000 + 1_000


async def test_after_a_failure_no_change_brings_the_next_try_forward(mapped: Bench) -> None:
    lease = await mapped.leased()
    failed = await mapped.now()
    await mapped.inbox.complete(lease, {}, retry_in=0.6, failed=True)
    await mapped.inbox.record(SUBJECT, [a_change("session/new", 2)])
    again = await mapped.claimed(SUBJECT, "again")
    assert await mapped.now() - failed >= 600
    assert again.attempt == 1


@pytest.mark.rule("G2")
async def test_waiting_work_does_not_delay_changes(mapped: Bench) -> None:
    """One record whose create is unanswered holds up no other."""
    lease = await mapped.leased()
    await mapped.inbox.complete(lease, {}, retry_in=600)
    await mapped.inbox.record(SUBJECT, [a_change("session/new", 2)])
    due = (await mapped.inbox.due(10)).next_in
    assert due is None or due <= mapped.times.quiet
    again = await mapped.claimed(SUBJECT, "again")
    # The same for a change that comes while the work goes on.
    await mapped.inbox.record(SUBJECT, [a_change("session/newer", 3)])
    await mapped.inbox.complete(again, {}, retry_in=600)
    await mapped.claimed(SUBJECT, "and again")


@pytest.mark.rule("G4")
async def test_orders_are_taken_out_by_the_holder_of_the_lease_alone(mapped: Bench) -> None:
    """One that lost it may have done something else than was asked for since."""
    order = LedgerCommand(Action.ADOPT, "level/Gold and more", 7)
    lost = await mapped.leased()
    await mapped.inbox.complete(lost, {})
    await mapped.inbox.request_commands(EVENT, [order])
    held = await mapped.claimed(SUBJECT, "held")
    with pytest.raises(LeaseLostError):
        await mapped.inbox.drop_commands(lost, [order])
    assert (await mapped.inbox.load(EVENT)).commands == {order}
    await mapped.inbox.drop_commands(held, [order])
    assert (await mapped.inbox.load(EVENT)).commands == frozenset()


@pytest.mark.rule("G1")
async def test_commands_for_a_large_event_are_stored_and_removed_at_once(mapped: Bench) -> None:
    """5,000 sessions and as many speakers, all of them refused and to be tried again."""
    orders = [LedgerCommand(Action.RETRY, f"session/s{number}") for number in range(10_000)]
    await mapped.inbox.request_commands(EVENT, orders)
    held = await mapped.claimed(SUBJECT, "held")
    assert (await mapped.inbox.load(EVENT)).commands == frozenset(orders)
    await mapped.inbox.drop_commands(held, orders)
    assert (await mapped.inbox.load(EVENT)).commands == frozenset()


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


async def test_claimed_event_is_offered_after_its_lease_with_a_higher_epoch(
    mapped: Bench,
) -> None:
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
async def test_an_event_whose_pair_ends_is_claimed_again_where_its_worker_dies(
    make_bench: MakeBench,
) -> None:
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
    """Issue 5.5: while Swoogo is away an event waits; its request, its marks and its failures stay what they are."""
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
