"""What happened to each record, and the calls of each run: bounded, fenced, and the same when it is repeated."""

from __future__ import annotations

import pytest

from consumer.adapters.redis.timeline import RUNS_KEPT
from consumer.domain.errors import LeaseLostError
from consumer.domain.push.run import MadeCall, RunCalls
from consumer.domain.push.timeline import KEPT, Happening, What
from consumer.ports import Lease, event_subject
from consumer.ports.status import RecordTimeline
from tests.contract.bench import Bench
from tests.support.builders import EVENT, NOW, session_key, speaker_key

KEY = session_key()
NOTHING = RunCalls()
CALLS = RunCalls(
    (
        MadeCall(NOW, "the update of a session", "PUT", "/sessions/update/1", KEY, 1, 160, 200),
        MadeCall(NOW + 5, "the list of speakers", "GET", "/speakers", credits=10, took=5_000),
    ),
    7,
)


async def test_a_timeline_is_read_newest_first_with_all_it_says(bench: Bench) -> None:
    lease = await bench.leased()
    first = Happening(NOW, What.CHANGED, ("name",), run="r1")
    second = Happening(NOW + 9, What.ISSUE, ("capacity",), "refused", "r1")
    await bench.timeline.note(lease, "r1", {KEY: [first, second], speaker_key(): [first]}, NOTHING)
    third = Happening(NOW + 4, What.EDITED, run="r2")
    await bench.timeline.note(lease, "r2", {KEY: [third]}, NOTHING)
    found = await bench.timeline.of(EVENT, KEY)
    assert list(found.happened) == [second, third, first]
    assert found.since > 0
    assert list((await bench.timeline.of(EVENT, speaker_key())).happened) == [first]


async def test_of_an_event_without_any_nothing_is_known(bench: Bench) -> None:
    await bench.timeline.note(await bench.leased(), "r1", {}, CALLS)
    assert await bench.timeline.of(EVENT, KEY) == RecordTimeline()


async def test_repeating_adds_nothing_and_no_other_record_has_it(bench: Bench) -> None:
    """A push that fails after this, and runs again, deals with the same changes."""
    lease, again = await bench.leased(), Happening(NOW, What.CHANGED, run="r1")
    for what in (What.CHANGED, What.CHANGED, What.UPDATED):
        await bench.timeline.note(lease, "r1", {KEY: [again, Happening(NOW + 1, what, run="r1")]}, NOTHING)
    found = await bench.timeline.of(EVENT, KEY)
    assert [each.what for each in found.happened] == [What.UPDATED, What.CHANGED, What.CHANGED]
    assert (await bench.timeline.of(EVENT, session_key("s"))).happened == ()


async def test_the_newest_are_kept_of_a_record_and_of_no_other_fewer(bench: Bench) -> None:
    lease = await bench.leased()
    for number in range(0, KEPT + 20, 10):
        some = [Happening(NOW + number + each, What.UPDATED) for each in range(10)]
        await bench.timeline.note(lease, "r", {KEY: some}, NOTHING)
    found = (await bench.timeline.of(EVENT, KEY)).happened
    assert [each.at - NOW for each in found] == list(range(KEPT + 19, 19, -1))
    many = [Happening(NOW + each, What.EDITED) for each in range(KEPT + 20)]
    await bench.timeline.note(lease, "r", {speaker_key(): many}, NOTHING)
    assert (await bench.timeline.of(EVENT, speaker_key())).happened[0].at == NOW + KEPT + 19


async def test_more_records_than_one_command_takes(bench: Bench) -> None:
    lease = await bench.leased()
    happened = {session_key(str(each)): [Happening(NOW, What.CREATED)] for each in range(1_203)}
    await bench.timeline.note(lease, "r", happened, CALLS)
    for number in (0, 99, 100, 1_202):
        assert len((await bench.timeline.of(EVENT, session_key(str(number)))).happened) == 1
    assert await bench.timeline.calls(EVENT, "r") == CALLS


@pytest.mark.rule("N2")
async def test_the_calls_of_the_last_runs_are_kept(bench: Bench) -> None:
    lease = await bench.leased()
    for number in range(RUNS_KEPT + 3):
        await bench.timeline.note(lease, f"run-{number:02}", {}, CALLS)
    await bench.timeline.note(lease, "run-99", {}, NOTHING)
    assert await bench.timeline.calls(EVENT, "run-02") is None
    assert await bench.timeline.calls(EVENT, "run-99") is None
    assert await bench.timeline.calls(EVENT, "run-03") == await bench.timeline.calls(EVENT, "run-22") == CALLS


@pytest.mark.rule("N2")
async def test_the_calls_of_a_run_go_with_its_place(bench: Bench) -> None:
    lease = await bench.leased()
    await bench.timeline.note(lease, "run-1", {}, CALLS)
    await bench.timeline.note(lease, "run-2", {}, CALLS, instead_of="run-1")
    assert await bench.timeline.calls(EVENT, "run-1") is None
    assert await bench.timeline.calls(EVENT, "run-2") == CALLS


@pytest.mark.rule("G4")
async def test_only_the_holder_of_the_event_adds(bench: Bench) -> None:
    lease = await bench.leased()
    former = Lease(event_subject(EVENT), lease.epoch - 1, "op")
    with pytest.raises(LeaseLostError):
        await bench.timeline.note(former, "r", {KEY: [Happening(NOW, What.CHANGED)]}, CALLS)
    assert (await bench.timeline.of(EVENT, KEY)).happened == ()
    assert await bench.timeline.calls(EVENT, "r") is None
