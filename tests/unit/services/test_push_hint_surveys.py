"""Hints beside reconciles: what deliveries cost, and what their loss costs (W2, W3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from tests.support.builders import EVENT
from tests.support.service_world import SUBJECT
from tests.unit.services.hinted import a_hint, a_hinted_world, deliver, drift, edit, look, survey, the_id

pytestmark = pytest.mark.rule("W2", "W3")


@pytest.mark.rule("W2")
async def test_the_reconcile_comes_when_it_would_have_come() -> None:
    world = await a_hinted_world()
    before = world.inbox.state(SUBJECT).survey or 0
    await deliver(world, a_hint(world, "session/s1", edit(world, "session/s1", name="Edited")))
    assert abs((world.inbox.state(SUBJECT).survey or 0) - before) <= 1000


@pytest.mark.rule("W2")
async def test_a_tombstone_makes_the_next_reconcile_plan_again() -> None:
    world = await a_hinted_world()
    hint = a_hint(world, "session/s1", deleted=True)
    del world.swoogo.records[Kind.SESSION][the_id(world, "session/s1")]
    await deliver(world, hint)
    assert (await world.ledger.survey(EVENT)).settled == ""


@pytest.mark.rule("W2")
async def test_an_unanswered_look_comes_again_and_loses_no_hint() -> None:
    world = await a_hinted_world()
    edit(world, "session/s1", name="Edited")
    world.swoogo.trouble.unavailable = 1
    run = await deliver(world, a_hint(world, "session/s1"))
    assert run.outcome == "failed"
    await look(world)
    assert await drift(world) == [("session/s1", "name")]


@pytest.mark.rule("W3")
async def test_what_deliveries_cost_between_two_reconciles_is_bounded() -> None:
    """Beyond it the reconcile sees to everything, and the bound starts again."""
    world = await a_hinted_world(max_credits=3)
    for number in range(6):
        await world.clock.advance(10)
        edit(world, "session/s1", name=f"Edited {number}")
        await deliver(world, a_hint(world, "session/s1"))
    assert (await world.ledger.survey(EVENT)).hinted_credits == 3
    await survey(world)
    assert (await world.ledger.survey(EVENT)).hinted_credits == 0


@pytest.mark.rule("W2")
async def test_a_regular_survey_takes_the_hints_along() -> None:
    world = await a_hinted_world()
    await world.hints.put(EVENT, a_hint(world, "session/s1", edit(world, "session/s1", name="Edited")))
    await survey(world)
    assert (await world.hints.load(EVENT)).known == ()
    assert await drift(world) == [("session/s1", "name")]


@pytest.mark.rule("W1")
@pytest.mark.parametrize(("told", "every"), [(True, 21_600.0), (False, 1800.0)])
async def test_proved_webhooks_make_reconciles_rarer(told: bool, every: float) -> None:
    world = await a_hinted_world(reconcile_interval=21_600.0)
    row = edit(world, "session/s1", name="Edited")
    if told:
        await deliver(world, a_hint(world, "session/s1", row))
    await survey(world)
    assert (await world.ledger.survey(EVENT)).every == every
    # A day without a delivery: nothing is known of them.
    await world.clock.advance(2 * 86_400)
    await survey(world)
    assert (await world.ledger.survey(EVENT)).every == 1800.0


@pytest.mark.rule("D2")
async def test_too_many_reported_deletions_are_an_issue_and_not_believed() -> None:
    world = await a_hinted_world(sessions=10)
    for number in range(1, 7):
        hint = a_hint(world, f"session/s{number}", deleted=True)
        del world.swoogo.records[Kind.SESSION][the_id(world, f"session/s{number}")]
        await deliver(world, hint)
    gone = [key for key, entry in world.ledger.entries[EVENT].items() if entry.state is State.GONE]
    assert len(gone) == 3
    assert Code.MANY_MISSING in {issue.code for issue in await world.issues()}


async def test_a_replica_without_webhooks_makes_a_usual_survey_of_a_hint() -> None:
    """While a rollout switches them on."""
    world = await a_hinted_world()
    world.pusher = replace(world.pusher, hints=None)
    edit(world, "session/s1", name="Edited")
    run = await deliver(world, a_hint(world, "session/s1"))
    assert (run.credits, await drift(world)) == (1, [("session/s1", "name")])


@pytest.mark.rule("W3")
async def test_loss_of_every_delivery_for_an_hour_costs_nothing_but_time() -> None:
    """What deliveries would have told is found by the reconciles, with as many credits as ever."""
    found = []
    for delivered in (True, False):
        world = await a_hinted_world(sessions=5)
        for number in range(1, 5):
            await world.clock.advance(300)
            hint = a_hint(world, f"session/s{number}", edit(world, f"session/s{number}", name="Edited"))
            if number == 4:
                hint = a_hint(world, "session/s4", deleted=True)
                del world.swoogo.records[Kind.SESSION][the_id(world, "session/s4")]
            if delivered:
                await deliver(world, hint)
        await world.clock.advance(3_600)
        run = await survey(world)
        states = {key: entry.state for key, entry in world.ledger.entries[EVENT].items()}
        found.append((await drift(world), states, run.outcome))
        assert run.credits <= 2
    with_deliveries, without = found
    assert with_deliveries == without
    assert with_deliveries[1]["session/s4"] is State.GONE


@pytest.mark.rule("W3")
async def test_ten_thousand_replayed_deliveries_change_nothing_and_cost_nothing() -> None:
    world = await a_hinted_world(sessions=3)
    hints = []
    for number in range(1, 4):
        await world.clock.advance(10)
        hints.append(a_hint(world, f"session/s{number}", edit(world, f"session/s{number}", name="Edited")))
    await deliver(world, *hints)
    before = world.ledger.entries[EVENT].copy(), await world.issues(), await world.ledger.survey(EVENT)
    world.swoogo.calls.clear()
    for number in range(10_000):
        await world.hints.put(EVENT, hints[number % 3])
        if number % 500 == 0:
            await look(world)
    await look(world)
    after = world.ledger.entries[EVENT], await world.issues(), await world.ledger.survey(EVENT)
    assert (after, world.swoogo.calls) == (before, [])
