"""The inbox: newest state wins, changes wait for quiet, a subject has one worker; the same in memory and in Redis."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.errors import LeaseLostError
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.identity import stamp
from consumer.domain.records.snapshot import Snapshot
from consumer.ports import Change, EventState, SyncRequest, event_subject
from tests.contract.bench import Bench, a_change, stamped
from tests.contract.inbox_ground import SUBJECT, is_due
from tests.support.builders import EVENT, a_contact, a_session


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


@pytest.mark.rule("G1", "G4")
async def test_marks_of_a_large_push_are_cleared_but_for_what_moved_and_by_its_holder_alone(mapped: Bench) -> None:
    """More than one script takes care of."""
    changes = [a_change(f"session/s{number}", number) for number in range(1, 1202)]
    await mapped.inbox.record(SUBJECT, changes)
    lease = await mapped.claimed(SUBJECT)
    marks = (await mapped.inbox.load(EVENT)).marks
    moved = {f"session/s{number}": stamped(2000) for number in range(1, 1202, 100)}
    await mapped.inbox.record(SUBJECT, [a_change(key, 2000) for key in moved])
    with pytest.raises(LeaseLostError):
        await mapped.inbox.complete(replace(lease, epoch=lease.epoch - 1), marks)
    assert len((await mapped.inbox.load(EVENT)).marks) == 1201
    await mapped.inbox.complete(lease, marks)
    assert (await mapped.inbox.load(EVENT)).marks == moved


@pytest.mark.rule("G6", "G3")
async def test_what_is_read_again_is_marked_again_unless_it_is_older(mapped: Bench) -> None:
    await mapped.inbox.record(SUBJECT, [a_change("session/s1", 5)])
    await mapped.inbox.complete(await mapped.claimed(SUBJECT), {"session/s1": stamped(5)})
    older = a_change("session/s1", 4, codecs.encode(a_session("s1", title="from the past")))
    assert await mapped.inbox.record(SUBJECT, [older], again=True) == 0
    assert not (await mapped.inbox.load(EVENT)).marks
    await mapped.inbox.record(SUBJECT, [a_change("session/s1", 5)], again=True)
    state = await mapped.inbox.load(EVENT)
    assert (state.marks, state.snapshot.sessions["s1"]) == ({"session/s1": stamped(5)}, a_session("s1", version=5))


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
    early = (await is_due(mapped), await mapped.inbox.claim(SUBJECT, "early"), (await mapped.inbox.due(10)).next_in)
    if await mapped.now() < start + mapped.times.quiet * 1000:  # else this machine slept through the quiet period
        assert early[:2] == (False, None)
        assert early[2] is not None
        assert 0 < early[2] <= mapped.times.quiet
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


async def test_what_is_due_longest_is_offered_first_and_no_more_than_asked_for(bench: Bench) -> None:
    expected = []
    for number in range(12):
        event = f"event-{number}"
        expected.append(event_subject(event))
        await bench.inbox.request_sync(event, SyncRequest("r"), stamped(1))
        await bench.passed(0.002)
    assert list((await bench.inbox.due(12)).subjects) == expected
    assert list((await bench.inbox.due(3)).subjects) == expected[:3]
