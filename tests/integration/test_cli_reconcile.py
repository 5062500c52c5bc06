"""`reconcile` and `ledger lift`: asked for at the command line, done by a worker that the test plays."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.run import Trigger
from consumer.domain.records.ledger import State
from consumer.domain.surveys.survey import Depth, SurveyState
from consumer.entrypoints.cli.app import app
from consumer.ports import Lease
from tests.support.builders import EVENT, a_mapping, an_entry
from tests.support.desk import Desk, soon
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration


async def a_worker(desk: Desk, outcome: str) -> Lease:
    """Surveys when it is asked to, and reports."""

    async def asked() -> bool:
        return (await desk.stores.inbox.waiting(EVENT)).survey_in == 0

    await wait_until(asked, "a reconcile is asked for")
    lease = await desk.claim()
    run = replace(desk.run(Trigger.RECONCILE, outcome=outcome, credits=7), id=desk.clock.new_id())
    await desk.board.ended(run, {}, lease)
    failed = outcome == "failed"
    await desk.stores.inbox.complete(lease, {}, failed=failed, survey_in=60)
    return lease


@pytest.mark.rule("C4")
@pytest.mark.parametrize(
    ("options", "depth"),
    [((), Depth.SHALLOW), (("--deep",), Depth.DEEP), (("--confirm-deletions",), Depth.CONFIRMED)],
)
@pytest.mark.parametrize(("outcome", "code"), [("completed_with_issues", 0), ("failed", 1)])
async def test_a_reconcile_is_asked_for_and_followed(
    desk: Desk, options: tuple[str, ...], depth: Depth, outcome: str, code: int
) -> None:
    """A reconcile that ended before is not the answer."""
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    await desk.pushed({}, {}, desk.run(Trigger.RECONCILE))
    document, lease = await asyncio.gather(desk.read("reconcile", EVENT, *options, code=code), a_worker(desk, outcome))
    assert lease.cause == Reconcile(depth)
    assert (document["run"]["credits"], document["run"]["trigger"]) == (7, "reconcile")


async def test_a_reconcile_that_nobody_does_says_so_after_the_timeout(desk: Desk) -> None:
    await desk.map(a_mapping())
    result = await desk.call("reconcile", EVENT, "--timeout", "0.3")
    assert result.exit_code == 3
    assert "is `swoogo-sync run` running?" in result.stderr


async def test_a_reconcile_need_not_be_waited_for(desk: Desk) -> None:
    await desk.map(a_mapping())
    assert (await desk.read("reconcile", EVENT, "--no-wait"))["run"] is None
    assert (await desk.stores.inbox.waiting(EVENT)).survey_in == 0


async def test_an_event_that_is_not_mapped_is_not_reconciled(desk: Desk) -> None:
    result = await desk.call("reconcile", EVENT)
    assert result.exit_code == 1
    assert "not mapped" in result.stderr


@pytest.mark.rule("C4")
async def test_status_shows_when_the_next_reconcile_comes_and_how_often(desk: Desk) -> None:
    """A stretched interval is visible."""
    await desk.map(a_mapping())
    await desk.record(soon("s1"))
    lease = await desk.claim()
    await desk.ledger.put_survey(lease, SurveyState(every=2_700.0))
    await desk.stores.inbox.complete(lease, {})
    row = (await desk.read("status", EVENT))["event"]
    assert row["survey_every"] == 2_700
    assert 0 < row["survey_in"] <= 1_800
    assert "(every 45 min)" in (await desk.call("status", EVENT)).stdout


async def a_tombstone(desk: Desk, *, continuous: bool = True) -> None:
    await desk.map(a_mapping(continuous=continuous))
    await desk.record(soon("s1"))
    if not continuous:
        await desk.stores.inbox.set_continuous(EVENT, on=True)
    await desk.pushed({"session/s1": an_entry(7, state=State.GONE), "session/s2": an_entry(8)})
    if not continuous:
        await desk.stores.inbox.set_continuous(EVENT, on=False)


@pytest.mark.rule("D3")
@pytest.mark.parametrize("name", ["s1", "session/s1", "7"])
async def test_a_lift_is_asked_for_by_any_of_its_names(desk: Desk, name: str) -> None:
    """The worker that claims the event next lifts it."""
    await a_tombstone(desk)
    document = await desk.read("ledger", "lift", EVENT, name, "--yes")
    assert (document["keys"], document["at_once"]) == (["session/s1"], True)
    await desk.claim()
    assert (await desk.stores.inbox.load(EVENT)).commands == {LedgerCommand(Action.LIFT, "session/s1")}


@pytest.mark.rule("D3")
@pytest.mark.parametrize(("answer", "code", "keys"), [("y\n", 0, {"session/s1"}), ("n\n", 1, set())])
async def test_without_yes_it_is_asked_whether_that_is_meant(
    desk: Desk, answer: str, code: int, keys: set[str]
) -> None:
    await a_tombstone(desk)
    result = await asyncio.to_thread(
        CliRunner().invoke, app, ["ledger", "lift", EVENT, "s1"], env=desk.environment, input=answer
    )
    assert result.exit_code == code
    assert "session/s1" in result.stderr
    assert (await desk.stores.inbox.load(EVENT)).commands == {LedgerCommand(Action.LIFT, key) for key in keys}


@pytest.mark.rule("D3")
async def test_what_was_not_deleted_in_swoogo_cannot_be_lifted(desk: Desk) -> None:
    await a_tombstone(desk)
    result = await desk.call("ledger", "lift", EVENT, "s2", "--yes")
    assert result.exit_code == 1
    assert (await desk.stores.inbox.load(EVENT)).commands == frozenset()


@pytest.mark.rule("C4", "D3")
async def test_without_continuous_sync_the_lift_says_that_it_waits(desk: Desk) -> None:
    await a_tombstone(desk, continuous=False)
    result = await desk.call("ledger", "lift", EVENT, "s1", "--yes")
    assert "with the next sync" in result.stdout
    assert (await desk.stores.inbox.due(10)).subjects == ()


@pytest.mark.rule("C4")
async def test_a_reconcile_of_all_is_of_mapped_events_with_continuous_sync(desk: Desk) -> None:
    """What a CronJob asks for; an event that is synced by hand only, or not mapped, is left alone."""
    for event_id, continuous in (("4001", True), ("4002", False), ("4003", True)):
        await desk.map(replace(a_mapping(event_id=event_id, continuous=continuous), swoogo_event_id=int(event_id)))
        await desk.record(soon("s1"), event_id=event_id)
    await desk.record(soon("s1"), event_id="4004")
    assert await desk.read("reconcile", "--all") == {"event_ids": ["4001", "4003"]}
    waiting = {event_id: (await desk.stores.inbox.waiting(event_id)).survey_in for event_id in ("4001", "4003")}
    assert waiting == {"4001": 0, "4003": 0}
    assert (await desk.stores.inbox.waiting("4002")).survey_in != 0
    assert "2." in (await desk.call("reconcile", "--all")).stdout


@pytest.mark.parametrize("arguments", [(), (EVENT, "--all"), ("--all", "--confirm-deletions")])
async def test_a_reconcile_is_of_one_event_or_of_all(desk: Desk, arguments: tuple[str, ...]) -> None:
    result = await desk.call("reconcile", *arguments)
    assert result.exit_code == 2
