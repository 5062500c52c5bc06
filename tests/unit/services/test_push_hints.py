"""What deliveries lead to, in memory: drift and tombstones, their price, and what they never do."""

from __future__ import annotations

import pytest

from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import State
from tests.support.builders import EVENT, a_room, a_session
from tests.unit.services.hinted import a_hint, a_hinted_world, deliver, drift, edit, look, survey, the_id

pytestmark = pytest.mark.rule("W2", "W3")


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
