"""What a push tells, keeps and gives back: runs, credits, retries, and a lease that was lost."""

from __future__ import annotations

from itertools import pairwise

import pytest

from consumer.domain.connection_state import ServedRequest
from consumer.domain.errors import LeaseLostError, RefusedError, RetryableError, UnavailableError
from consumer.domain.push.run import Tally, Trigger
from consumer.domain.records.identity import Kind
from consumer.ports import SyncRequest
from tests.support.builders import EVENT, ORG, SWOOGO_EVENT, a_contact, a_room, a_session, session_key
from tests.support.service_world import SETTINGS, SUBJECT, World, a_world

pytestmark = pytest.mark.rule("N1", "N2", "G1", "G4")


async def test_run_counts_attempts_results_and_credits_of_each_kind(world: World) -> None:
    world.swoogo.trouble.refused["title of s3|2026-07-01|09:00:00"] = RefusedError("No.")
    world.swoogo.add(Kind.SPEAKER, email="c2@example.org", first_name="Ada", last_name="C2")
    await world.sync(a_session("s1"), a_session("s4"))
    run = await world.sync(
        a_session("s1", title="Changed"),
        a_session("s2", people=["c1", "c2"], room=a_room()),
        a_session("s3"),
        a_session("s5", status="declined"),
        a_contact("c1"),
        a_contact("c2"),
    )
    assert run.tally(Kind.SESSION) == Tally(created=1, updated=1, unchanged=1, left_out=1, failed=1)
    assert run.tally(Kind.SPEAKER) == Tally(created=1, adopted=1)
    assert run.tally(Kind.LOCATION) == Tally(created=1)
    assert (run.links, run.issues, run.reasons) == (2, {"refused": 1}, {"session:not_accepted": 1})
    # two lists; room, three sessions of which one is refused, a speaker, two associations
    assert run.credits == 20 + 1 + 3 + 1 + 2
    assert (run.done_calls, run.trigger, run.ended) == (run.planned_calls, Trigger.CHANGES, world.clock.now())


async def test_only_a_push_with_work_reports_its_start_and_end(world: World) -> None:
    await world.sync(a_session("s1"))
    assert world.board.topic.outcomes == ["running", "completed"]
    await world.sync(a_session("s1", version=2))
    assert world.board.topic.outcomes == ["running", "completed"]
    assert len(await world.board.runs(EVENT)) == 2


async def test_a_manual_sync_is_told_also_when_there_is_nothing_to_do(world: World) -> None:
    await world.sync(a_session("s1"))
    world.board.topic.runs.clear()
    run = await world.push(SyncRequest("pressed"))
    assert (run.trigger, world.board.topic.outcomes) == (Trigger.MANUAL, ["running", "completed"])


@pytest.mark.rule("G6")
async def test_long_push_writes_progress_and_logs_its_ledger(world: World) -> None:
    """A push of an hour leaves less than a second of itself out of the changelog."""
    seen: list[tuple[int, int]] = []

    async def slow(work: object, call: object) -> None:
        world.clock.ms += 200
        current = await world.board.current(EVENT)
        seen.append((current.done_calls if current else 0, len(world.ledger.changelog.written)))

    world.swoogo.before_call = slow
    await world.sync(*(a_session(f"s{number}") for number in range(30)))
    done, logged = seen[-1]
    assert done > 5
    assert logged > 5


async def test_long_push_estimates_its_end(world: World) -> None:
    """At its start, and every half minute on the status topic; more often for who looks it up."""

    async def slow(work: object, call: object) -> None:
        world.clock.ms += 4_000

    world.swoogo.before_call = slow
    await world.sync(*(a_session(f"s{number}") for number in range(30)))
    begun, *on_their_way, ended = world.board.topic.runs
    assert (begun.planned_calls, begun.done_calls, begun.credits_left) == (30, 0, 2_000)
    assert begun.eta == begun.started + 30 * 200 // SETTINGS.concurrency
    moments = [run.eta - (30 - run.done_calls) * 200 // SETTINGS.concurrency for run in on_their_way]
    assert 3 <= len(on_their_way) <= 5
    assert all(later - earlier > 30_000 for earlier, later in pairwise([begun.started, *moments]))
    assert all(0 < run.done_calls < 30 and run.outcome == "running" for run in on_their_way)
    assert ended.outcome == "completed"


async def test_with_no_credits_left_a_push_is_expected_after_the_window(world: World) -> None:
    world.swoogo.credits_left = 0
    await world.sync(a_session("s1"))
    begun = world.board.topic.runs[0]
    assert begun.eta == begun.started + 600_000 + 200 // SETTINGS.concurrency


@pytest.mark.rule("G6")
async def test_the_changelog_holds_every_entry_before_a_mark_is_cleared(world: World) -> None:
    await world.sync(a_session("s1", room=a_room(), people=["c1"]), a_contact("c1"))
    last = {key: entry for _, key, entry in world.ledger.changelog.written}
    assert last == world.ledger.entries[EVENT]
    world.ledger.changelog.failures.append(UnavailableError("Kafka is down."))
    await world.given(a_session("s1", title="Changed"))
    with pytest.raises(UnavailableError):
        await world.push()
    assert session_key() in world.marks
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.calls == []
    assert world.marks == {}
    assert {key: entry for _, key, entry in world.ledger.changelog.written} == world.ledger.entries[EVENT]


async def test_a_failed_push_keeps_its_marks_and_is_tried_again_ever_more_slowly(world: World) -> None:
    await world.given(a_session("s1"))
    waits = []
    for _ in range(4):
        world.swoogo.trouble.unavailable = 1
        run = await world.push()
        assert (run.outcome, run.error) == ("failed", "Swoogo did not answer.")
        assert session_key() in world.marks
        waits.append((await world.inbox.due(1)).next_in)
    assert waits == [5.0, 10.0, 20.0, 40.0]
    run = await world.push()
    assert (run.outcome, world.marks, world.inbox.state(SUBJECT).due) == ("completed", {}, None)


async def test_a_pause_that_swoogo_asks_for_is_kept_when_it_is_longer(world: World) -> None:
    async def busy(work: object, call: object) -> None:
        raise RetryableError("Swoogo asks for a pause.", after=300.0)

    world.swoogo.before_call = busy
    await world.sync(a_session("s1"))
    assert (await world.inbox.due(1)).next_in == 300.0


async def test_a_swoogo_that_is_down_ends_the_push_after_a_few_calls(world: World) -> None:
    world.swoogo.trouble.unavailable = 1_000
    run = await world.sync(*(a_session(f"s{number}") for number in range(100)))
    assert run.outcome == "failed"
    assert len(world.swoogo.calls) <= 5 + 8
    world.swoogo.trouble.unavailable = 0
    await world.push()
    assert len(world.swoogo.records[Kind.SESSION]) == 100


async def test_one_call_that_fails_for_now_leaves_the_rest_of_the_push_alone(world: World) -> None:
    world.swoogo.trouble.unavailable = 1
    run = await world.sync(*(a_session(f"s{number}") for number in range(10)))
    assert len(world.swoogo.records[Kind.SESSION]) == 9
    assert (run.tally(Kind.SESSION).created, run.tally(Kind.SESSION).failed) == (9, 1)


async def test_unreported_start_is_retried_before_anything_is_written(world: World) -> None:
    world.board.topic.failures.append(UnavailableError("The status topic could not be written."))
    run = await world.sync(a_session("s1"))
    assert (run.outcome, world.swoogo.calls) == ("failed", [])
    await world.push()
    assert len(world.swoogo.records[Kind.SESSION]) == 1


@pytest.mark.rule("M4")
@pytest.mark.parametrize("trouble", [False, True])
async def test_run_is_reported_to_its_end_though_its_pair_ended(world: World, trouble: bool) -> None:
    """`sync.started` was told for the pair; the mapping is gone when the run ends."""

    async def remove(work: object, call: object) -> None:
        await world.connections.put_mapping(ORG, EVENT, None)
        world.swoogo.trouble.unavailable = int(trouble)

    world.swoogo.before_call = remove
    await world.sync(a_session("s1"))
    assert world.board.topic.outcomes == ["running", "failed" if trouble else "completed"]
    assert [(run.org_id, run.swoogo_event_id) for run in world.board.topic.runs] == [(ORG, SWOOGO_EVENT)] * 2
    assert world.board.topic.runs[-1].pair_ended is trouble


@pytest.mark.parametrize("call", range(6))
async def test_a_worker_that_lost_its_lease_writes_nothing_more(call: int) -> None:
    """Whichever call the lease is lost under: no ledger entry, no issue, no run, no mark of the loser remains."""
    world = await a_world(concurrency=1)
    await world.given(a_session("s1", room=a_room(), people=["c1"]), a_session("s2"), a_contact("c1"))
    lost: list[int] = []

    async def take_over(work: object, made: object) -> None:
        if len(world.swoogo.calls) == call and not lost:
            lost.append(len(world.ledger.writes))
            world.inbox.state(SUBJECT).epoch += 1

    world.swoogo.before_call = take_over
    marks = dict(world.marks)
    with pytest.raises(LeaseLostError):
        await world.push()
    assert len(world.ledger.writes) == lost[0]
    assert await world.board.runs(EVENT) == []
    assert world.inbox.completed == []
    assert world.marks == marks


async def test_a_change_recorded_during_a_push_is_pushed_next(world: World) -> None:
    async def change(work: object, call: object) -> None:
        world.swoogo.before_call = None
        await world.given(a_session("s1", title="Meanwhile"))

    world.swoogo.before_call = change
    await world.sync(a_session("s1"))
    assert session_key() in world.marks
    await world.push()
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["Meanwhile"]
    assert world.marks == {}


@pytest.mark.rule("C5", "G6")
async def test_a_run_says_which_requests_it_serves_and_the_changelog_too(world: World) -> None:
    """Before the event is given back, so that no loss of Redis does them again."""
    await world.given(a_session("s1"))
    for number, scope in enumerate(("agenda", "sponsors")):
        await world.inbox.request_sync(EVENT, SyncRequest(f"r{number}", scope), f"{number:015d}")
    run = await world.push(SyncRequest("r2", "agenda"))
    assert (run.scope, run.requests[:2], len(run.requests)) == ("all", ("r0", "r1"), 3)
    assert world.board.topic.runs[0].requests == run.requests
    assert tuple(each.id for each in served(world)) == run.requests
    assert served(world)[1] == ServedRequest(EVENT, "r1", f"{1:015d}")


@pytest.mark.rule("C5")
async def test_a_request_whose_run_failed_is_not_told_as_served(world: World) -> None:
    await world.given(a_session("s1"))
    world.swoogo.trouble.unavailable = 1
    assert (await world.push(SyncRequest("r"))).outcome == "failed"
    assert served(world) == []
    assert (await world.push()).outcome == "completed"
    assert len(served(world)) == 1


@pytest.mark.rule("C5")
async def test_an_event_whose_changelog_cannot_be_written_keeps_its_requests(world: World) -> None:
    """They are served once more, to no effect."""
    world.state_log.failures.append(UnavailableError("The ledger changelog could not be written."))
    with pytest.raises(UnavailableError):
        await world.push(SyncRequest("r"))
    assert world.inbox.state(SUBJECT).request is not None


def served(world: World) -> list[ServedRequest]:
    return [each for each in world.state_log.written if isinstance(each, ServedRequest)]


@pytest.mark.parametrize("hour", [-3_600_000, 3_600_000])
async def test_a_run_lasts_as_long_as_it_does_however_the_clock_is_set(world: World, hour: int) -> None:
    """Redis failed over to a server whose clock is an hour off, and this process follows it."""

    async def set_clock(work: object, call: object) -> None:
        world.swoogo.before_call = None
        world.clock.off += hour
        world.clock.ms += 2_000

    world.swoogo.before_call = set_clock
    run = await world.sync(a_session("s1"))
    assert (run.outcome, run.ended - run.started) == ("completed", 2_000)
