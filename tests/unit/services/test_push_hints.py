"""What deliveries lead to, in memory: drift and tombstones, their price, and what they never do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from consumer.domain.cause import Reconcile
from consumer.domain.hints import Hint
from consumer.domain.identity import Kind
from consumer.domain.issue import Code
from consumer.domain.ledger import State
from consumer.domain.run import Run
from consumer.domain.snapshot import Sponsor
from consumer.domain.survey import Depth
from consumer.services.hints import HintTaker
from consumer.settings import ReconcileSettings, WebhookSettings
from tests.support.builders import EVENT, a_contact, a_room, a_session
from tests.support.service_world import SETTINGS, SUBJECT, World, a_world

pytestmark = pytest.mark.rule("W2", "W3")

RECONCILE = ReconcileSettings(interval=1800, deep_interval=86_400)
SECRET = SecretStr("0123456789abcdef")
HOOKS = WebhookSettings(
    enabled="on", public_url="https://h.example", path_secret=SECRET, secret=SECRET, clock_tolerance=5.0
)


def stamp(world: World) -> str:
    """`updated_at` of a record that is edited now."""
    return datetime.fromtimestamp(world.clock.now() // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


async def a_hinted_world(sessions: int = 1, **changed: Any) -> World:
    """A synced event that was surveyed, a while ago, and takes hints."""
    world = await a_world(RECONCILE)
    world.pusher = replace(
        world.pusher,
        hints=HintTaker(
            world.hints,
            world.inbox,
            world.ledger,
            world.swoogo,
            world.board,
            world.clock,
            world.pusher.reconciler,
            SETTINGS,
            HOOKS.model_copy(update=changed),
        ),
    )
    more = [a_session(f"s{number}") for number in range(2, sessions + 1)]
    await world.sync(a_session(people=["c1"], room=a_room()), *more, a_contact("c1"), Sponsor("p1", name="Acme"))
    await survey(world)
    await world.clock.advance(60)
    world.swoogo.calls.clear()
    return world


async def survey(world: World) -> Run:
    """A regular survey, now."""
    await world.inbox.request_survey(EVENT, Depth.SHALLOW)
    return await look(world, Depth.SHALLOW)


async def look(world: World, depth: Depth = Depth.HINTED) -> Run:
    """Claim the event as soon as it is due, and push it."""
    due = await world.inbox.due(1)
    if not due.subjects:
        await world.clock.advance(due.next_in or 0)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    assert lease.cause == Reconcile(depth)
    return await world.push_claimed(lease)


def the_id(world: World, key: str) -> int:
    return world.entry(key).swoogo_id or 0


def edit(world: World, key: str, **fields: str) -> dict[str, str]:
    """A person edits a record; returns it as Swoogo shows it."""
    kind = Kind(key.partition("/")[0])
    row = world.swoogo.records[kind][the_id(world, key)]
    row |= fields
    return dict(row)


def a_hint(world: World, key: str, row: dict[str, str] | None = None, **changed: Any) -> Hint:
    kind = Kind(key.partition("/")[0])
    hint = Hint(kind, the_id(world, key), stamp(world), f"d{world.clock.now()}{key}{row}", world.clock.now(), row=row)
    return replace(hint, **changed)


async def deliver(world: World, *hints: Hint | None) -> Run:
    """Deliver, and look as soon as the event is due."""
    world.swoogo.calls.clear()
    for hint in hints:
        await world.hints.put(EVENT, hint)
    return await look(world)


async def drift(world: World) -> list[tuple[str, str]]:
    return [(issue.key, issue.field) for issue in await world.issues() if issue.code is Code.EDITED_IN_SWOOGO]


@pytest.mark.rule("W2")
async def test_an_edit_that_came_whole_is_drift_for_no_credits() -> None:
    world = await a_hinted_world()
    row = edit(world, "session/s1", name="Edited by hand")
    run = await deliver(world, a_hint(world, "session/s1", row))
    assert (run.credits, world.swoogo.log) == (0, [])
    assert await drift(world) == [("session/s1", "name")]


@pytest.mark.rule("W2")
async def test_an_edit_that_is_undone_by_hand_is_no_drift_any_more() -> None:
    world = await a_hinted_world()
    before = dict(world.swoogo.records[Kind.SESSION][the_id(world, "session/s1")])
    await deliver(world, a_hint(world, "session/s1", edit(world, "session/s1", name="Edited")))
    await world.clock.advance(60)
    run = await deliver(world, a_hint(world, "session/s1", before))
    assert (run.credits, await drift(world)) == (0, [])


@pytest.mark.rule("W2")
async def test_an_edit_that_did_not_come_whole_is_read_for_one_credit() -> None:
    world = await a_hinted_world()
    edit(world, "speaker/c1", last_name="Edited")
    run = await deliver(world, a_hint(world, "speaker/c1"))
    assert (run.credits, world.swoogo.log) == (1, ["read speaker"])
    assert await drift(world) == [("speaker/c1", "last_name")]


@pytest.mark.rule("D2")
async def test_a_deletion_is_a_tombstone_once_swoogo_says_so_itself() -> None:
    """One credit: the same proof as for a survey."""
    world = await a_hinted_world()
    hint = a_hint(world, "session/s1", deleted=True)
    del world.swoogo.records[Kind.SESSION][the_id(world, "session/s1")]
    run = await deliver(world, hint)
    assert (run.credits, world.swoogo.log) == (1, ["read session"])
    assert world.entry("session/s1").state is State.GONE


@pytest.mark.rule("W3")
async def test_a_deletion_that_is_none_changes_nothing() -> None:
    world = await a_hinted_world()
    before = world.ledger.entries[EVENT].copy()
    await deliver(world, a_hint(world, "session/s1", deleted=True))
    assert world.ledger.entries[EVENT] == before
    assert await world.issues() == []


@pytest.mark.rule("W2")
async def test_many_edits_at_once_cost_one_look_at_the_event() -> None:
    world = await a_hinted_world(sessions=6)
    for number in range(1, 6):
        edit(world, f"session/s{number}", name=f"Edited {number}")
    run = await deliver(world, *(a_hint(world, f"session/s{number}") for number in range(1, 6)))
    assert (run.credits, world.swoogo.log) == (1, ["survey session"])
    assert len(await drift(world)) == 5


@pytest.mark.rule("W2")
async def test_where_lists_are_needed_records_are_read_singly_while_that_is_less() -> None:
    world = await a_hinted_world(sessions=6)
    world.swoogo.trouble.expand = 0
    await survey(world)
    await world.clock.advance(60)
    for number in range(1, 6):
        edit(world, f"session/s{number}", name=f"Edited {number}")
    run = await deliver(world, *(a_hint(world, f"session/s{number}") for number in range(1, 6)))
    assert (run.credits, world.swoogo.log) == (5, ["read session"] * 5)


@pytest.mark.rule("W1")
async def test_after_a_webhook_is_registered_the_whole_event_is_looked_at() -> None:
    """Register first, then survey: what was edited before it is no gap."""
    world = await a_hinted_world()
    edit(world, "session/s1", name="Edited before")
    run = await deliver(world, None)
    assert (run.credits, await drift(world)) == (1, [("session/s1", "name")])


@pytest.mark.rule("C4", "W3")
async def test_look_pushes_nothing() -> None:
    """Changes that wait are neither sent nor forgotten."""
    world = await a_hinted_world()
    await world.given(a_session(title="Changed in Sessionboard", people=["c1"], room=a_room()))
    await world.hints.put(EVENT, a_hint(world, "session/s1", edit(world, "session/s1", capacity="5")))
    await look(world)
    assert world.swoogo.called("update") == []
    assert list(world.marks) == ["session/s1"]
    await world.push()
    assert world.swoogo.called("update") != []


@pytest.mark.rule("W3", "G2")
async def test_what_is_created_by_hand_is_never_ours() -> None:
    """A delivery is no truth for a create."""
    world = await a_hinted_world()
    before = world.ledger.entries[EVENT].copy()
    made = world.swoogo.add(Kind.SESSION, name="By hand")
    run = await deliver(world, a_hint(world, "session/s1", {"name": "By hand"}, swoogo_id=made))
    assert (run.credits, world.ledger.entries[EVENT]) == (0, before)


@pytest.mark.rule("W3")
async def test_deliveries_again_and_out_of_order_change_nothing_and_cost_nothing() -> None:
    world = await a_hinted_world()
    old = a_hint(world, "session/s1", edit(world, "session/s1", name="First"))
    await world.clock.advance(10)
    new = a_hint(world, "session/s1", edit(world, "session/s1", name="Second"))
    gone = a_hint(world, "session/s1", deleted=True)
    await deliver(world, new)
    await deliver(world, gone)
    state = world.ledger.entries[EVENT].copy(), await world.issues()
    runs = len(world.board.ended_runs) if hasattr(world.board, "ended_runs") else 0
    for _ in range(20):
        for hint in (old, new, gone):
            run = await deliver(world, hint)
            assert run.credits == 0
    assert (world.ledger.entries[EVENT], await world.issues()) == state
    assert runs == (len(world.board.ended_runs) if hasattr(world.board, "ended_runs") else 0)


@pytest.mark.rule("W3")
async def test_a_late_delivery_from_before_our_own_write_is_no_drift() -> None:
    """It shows the record as it was; Swoogo is asked instead."""
    world = await a_hinted_world()
    late = a_hint(world, "session/s1", edit(world, "session/s1"))
    await world.clock.advance(60)
    await world.sync(a_session(title="Ours, newer", people=["c1"], room=a_room()))
    run = await deliver(world, late)
    assert (run.credits, await drift(world)) == (1, [])


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
