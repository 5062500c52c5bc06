"""The schedule of reconciles and what they remember; the same in memory and in Redis, and with two replicas."""

from __future__ import annotations

import asyncio
from math import inf

import pytest

from consumer.adapters.redis.inbox_requests import spread
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import LeaseLostError
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.push.cause import ManualSync, Reconcile
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Depth, SurveyState
from consumer.ports import Lease, SyncRequest, event_subject
from tests.contract.bench import Bench, a_change, a_work, stamped
from tests.contract.conftest import MakeBench
from tests.support.builders import EVENT, NOW, a_mapping

SUBJECT = event_subject(EVENT)
INTERVAL = 0.6


@pytest.fixture
def surveyed(make_bench: MakeBench) -> Bench:
    """Reconciles every 0.6 s."""
    return make_bench(survey=INTERVAL)


async def survey_due(bench: Bench, op_id: str = "op") -> Lease:
    """The lease of the next survey."""
    lease = await bench.claimed(SUBJECT, op_id)
    assert isinstance(lease.cause, Reconcile)
    return lease


async def next_in(bench: Bench) -> float | None:
    return (await bench.inbox.due(10)).next_in


@pytest.mark.rule("C4")
async def test_first_survey_comes_within_one_interval(surveyed: Bench) -> None:
    """Events mapped together are not surveyed together."""
    start = await surveyed.now()
    await surveyed.inbox.set_continuous(EVENT, on=True)
    lease = await survey_due(surveyed)
    assert lease.cause == Reconcile(Depth.SHALLOW)
    assert await surveyed.now() - start >= spread(EVENT) * INTERVAL * 1000
    assert len({round(spread(f"event-{number}"), 2) for number in range(50)}) > 25


@pytest.mark.rule("C4")
async def test_a_restart_or_another_replica_neither_skips_nor_doubles_a_survey(make_bench: MakeBench) -> None:
    """The moment lies in the event's state; switching on again does not move it, and one replica gets it."""
    one, two = make_bench(survey=INTERVAL), make_bench(survey=INTERVAL)
    await one.inbox.set_continuous(EVENT, on=True)
    before = await next_in(one)
    await two.inbox.set_continuous(EVENT, on=True)
    after = await next_in(two)
    assert before is not None
    assert after is not None
    assert after <= before
    await survey_due(one)
    assert await two.inbox.claim(SUBJECT, "other") is None


@pytest.mark.rule("C4")
async def test_the_next_survey_comes_after_what_the_last_one_said(surveyed: Bench) -> None:
    await surveyed.inbox.set_continuous(EVENT, on=True)
    lease = await survey_due(surveyed)
    done = await surveyed.now()
    await surveyed.inbox.complete(lease, {}, survey_in=0.3)
    await survey_due(surveyed, "again")
    assert await surveyed.now() - done >= 300


@pytest.mark.rule("C4")
async def test_changes_do_not_wait_for_the_survey_and_do_not_move_it(surveyed: Bench) -> None:
    """A claim because of changes is not asked to survey."""
    await surveyed.inbox.set_continuous(EVENT, on=True)
    lease = await survey_due(surveyed)
    await surveyed.inbox.complete(lease, {}, survey_in=60)
    await surveyed.inbox.record(SUBJECT, [a_change()])
    pushed = await surveyed.claimed(SUBJECT, "push")
    assert not isinstance(pushed.cause, Reconcile)
    await surveyed.inbox.complete(pushed, (await surveyed.inbox.load(EVENT)).marks)
    following = await next_in(surveyed)
    assert following is not None
    assert 50 < following <= 60


@pytest.mark.rule("G5")
async def test_manual_sync_and_changes_go_before_a_survey(surveyed: Bench) -> None:
    """The survey follows as a claim of its own."""
    await surveyed.inbox.set_continuous(EVENT, on=True)
    await surveyed.inbox.request_survey(EVENT, Depth.SHALLOW)
    await surveyed.inbox.request_sync(EVENT, SyncRequest("r"), stamped(1))
    lease = await surveyed.claimed(SUBJECT, "manual")
    assert lease.cause == ManualSync(SyncRequest("r"))
    await surveyed.inbox.complete(lease, {})
    assert isinstance((await survey_due(surveyed, "survey")).cause, Reconcile)


@pytest.mark.rule("G1")
async def test_a_worker_that_dies_in_a_survey_leaves_it_due(surveyed: Bench) -> None:
    """The lease ends, the event is claimed for whatever else there is, and then surveyed."""
    await surveyed.inbox.set_continuous(EVENT, on=True)
    await survey_due(surveyed)
    heir = await surveyed.claimed(SUBJECT, "heir")
    if not isinstance(heir.cause, Reconcile):
        await surveyed.inbox.complete(heir, {})
        heir = await surveyed.claimed(SUBJECT, "then")
    assert heir.cause == Reconcile(Depth.SHALLOW)


async def test_failed_survey_returns_with_its_depth_and_failure_count(surveyed: Bench) -> None:
    await surveyed.inbox.set_continuous(EVENT, on=True)
    await surveyed.inbox.request_survey(EVENT, Depth.DEEP)
    failed = await surveyed.now()
    await surveyed.inbox.complete(await survey_due(surveyed), {}, failed=True, survey_in=0.3)
    again = await survey_due(surveyed, "again")
    assert (again.cause, again.attempt) == (Reconcile(Depth.DEEP), 1)
    assert await surveyed.now() - failed >= 300
    await surveyed.inbox.complete(again, {}, survey_in=0.1)
    last = await survey_due(surveyed, "last")
    assert (last.cause, last.attempt) == (Reconcile(Depth.SHALLOW), 0)


@pytest.mark.rule("G1")
async def test_changes_wait_as_long_as_the_survey_that_failed(surveyed: Bench) -> None:
    """Swoogo did not answer; the changes keep their marks and get their try."""
    await surveyed.inbox.set_continuous(EVENT, on=True)
    lease = await survey_due(surveyed)
    await surveyed.inbox.record(SUBJECT, [a_change()])
    failed = await surveyed.now()
    await surveyed.inbox.complete(lease, {}, failed=True, survey_in=0.7)
    again = await surveyed.claimed(SUBJECT, "again")
    assert not isinstance(again.cause, Reconcile)
    assert await surveyed.now() - failed >= 700


async def test_a_survey_asked_for_while_one_goes_on_is_still_to_come(surveyed: Bench) -> None:
    await surveyed.inbox.set_continuous(EVENT, on=True)
    lease = await survey_due(surveyed)
    await surveyed.passed(0.02)
    await surveyed.inbox.request_survey(EVENT, Depth.CONFIRMED)
    await surveyed.inbox.complete(lease, {}, survey_in=60)
    assert (await survey_due(surveyed, "again")).cause == Reconcile(Depth.CONFIRMED)


async def test_the_deepest_survey_asked_for_counts(surveyed: Bench) -> None:
    for depth in (Depth.DEEP, Depth.CONFIRMED, Depth.SHALLOW):
        await surveyed.inbox.request_survey(EVENT, depth)
    assert (await survey_due(surveyed)).cause == Reconcile(Depth.CONFIRMED)


@pytest.mark.rule("C4", "C5")
@pytest.mark.parametrize(("on", "survey_in"), [(False, 0.1), (True, inf)], ids=["not continuous", "no interval"])
async def test_a_survey_asked_for_is_done_once_where_none_comes_round(
    surveyed: Bench, on: bool, survey_in: float
) -> None:
    await surveyed.inbox.set_continuous(EVENT, on=on)
    await surveyed.inbox.request_survey(EVENT, Depth.SHALLOW)
    await surveyed.inbox.complete(await survey_due(surveyed), {}, survey_in=survey_in)
    due = await surveyed.inbox.due(10)
    assert (due.subjects, due.next_in) == ((), None)


@pytest.mark.rule("C4")
async def test_switching_continuous_sync_off_ends_the_surveys(surveyed: Bench) -> None:
    """Also while one goes on."""
    await surveyed.inbox.set_continuous(EVENT, on=True)
    lease = await survey_due(surveyed)
    await surveyed.inbox.set_continuous(EVENT, on=False)
    await surveyed.inbox.complete(lease, {}, survey_in=0.1)
    due = await surveyed.inbox.due(10)
    assert (due.subjects, due.next_in) == ((), None)


@pytest.mark.rule("D3")
async def test_a_lift_makes_the_event_due_and_stays_until_it_was_done(surveyed: Bench) -> None:
    """Asked for while somebody works, it is done by the next claim."""
    await surveyed.inbox.set_continuous(EVENT, on=True)
    await surveyed.inbox.complete(await survey_due(surveyed), {}, survey_in=60)
    await surveyed.inbox.request_commands(EVENT, [LedgerCommand(Action.LIFT, "session/s1")])
    first = await surveyed.claimed(SUBJECT, "first")
    assert (await surveyed.inbox.load(EVENT)).commands == {LedgerCommand(Action.LIFT, "session/s1")}
    await surveyed.inbox.request_commands(EVENT, [LedgerCommand(Action.LIFT, "session/s2")])
    await surveyed.inbox.drop_commands(first, [LedgerCommand(Action.LIFT, "session/s1")])
    await surveyed.inbox.complete(first, {})
    second = await surveyed.claimed(SUBJECT, "second")
    assert (await surveyed.inbox.load(EVENT)).commands == {LedgerCommand(Action.LIFT, "session/s2")}
    await surveyed.inbox.drop_commands(second, [LedgerCommand(Action.LIFT, "session/s2")])
    await surveyed.inbox.complete(second, {})
    assert (await surveyed.inbox.due(10)).subjects == ()


@pytest.mark.rule("C4", "D3")
async def test_without_continuous_sync_a_lift_waits_for_the_next_sync(surveyed: Bench) -> None:
    """Nothing is pushed until somebody asks."""
    await surveyed.inbox.request_commands(EVENT, [LedgerCommand(Action.LIFT, "session/s1")])
    due = await surveyed.inbox.due(10)
    assert (due.subjects, due.next_in) == ((), None)
    assert (await surveyed.inbox.load(EVENT)).commands == {LedgerCommand(Action.LIFT, "session/s1")}


@pytest.mark.rule("G4")
async def test_only_the_lease_holder_keeps_the_survey_state(bench: Bench) -> None:
    assert await bench.ledger.survey(EVENT) == SurveyState()
    lost = await bench.leased()
    memory = SurveyState(
        lists=True, deep_at=NOW, newest={Kind.SESSION: "2026-06-01 09:00:00"}, every=1800.5, timezone="Asia/Tokyo"
    )
    await bench.ledger.put_survey(lost, memory)
    assert await bench.ledger.survey(EVENT) == memory
    await bench.claimed(SUBJECT, "heir")
    with pytest.raises(LeaseLostError):
        await bench.ledger.put_survey(lost, SurveyState())
    assert await bench.ledger.survey(EVENT) == memory


@pytest.mark.rule("G5")
async def test_the_surveys_of_all_events_of_a_credential_are_added_up(make_bench: MakeBench) -> None:
    """Over all replicas; an event that was not surveyed for long stops counting."""
    one, two = make_bench(), make_bench()

    def work(event_id: str) -> tuple[Lease, EventMapping]:
        return Lease(event_subject(event_id), 1, "op"), a_mapping(event_id=event_id)

    async def noted(bench: Bench, event_id: str, cost: int, seconds: float = 60) -> int:
        lease, mapping = work(event_id)
        return await bench.budget.surveys(a_work(lease, Trigger.RECONCILE, mapping), cost, seconds)

    assert await noted(one, "a", 31) == 31
    assert await noted(two, "b", 1, 0.1) == 32
    assert await noted(one, "a", 21) == 22

    async def forgotten() -> bool:
        return await noted(one, "a", 21) == 21

    await one.until(forgotten, "the survey of event b is forgotten")


@pytest.mark.rule("C4", "G4")
async def test_two_workers_never_get_the_same_survey(make_bench: MakeBench) -> None:
    """Claimed by both at once, many times over."""
    one, two = make_bench(survey=INTERVAL), make_bench(survey=INTERVAL)
    await one.inbox.set_continuous(EVENT, on=True)
    for turn in range(5):
        await one.inbox.request_survey(EVENT, Depth.SHALLOW)
        claims = await asyncio.gather(one.inbox.claim(SUBJECT, f"one-{turn}"), two.inbox.claim(SUBJECT, f"two-{turn}"))
        [lease] = [claim for claim in claims if claim]
        await one.inbox.complete(lease, {}, survey_in=60)
