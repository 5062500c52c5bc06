"""Nothing frozen is sent, the rest is; what waited goes when the freeze ends (U1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import RefusedError, UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.planning.plan import Update
from consumer.ports import Work
from tests.support.builders import EVENT, MINUTE, ORG, a_contact, a_mapping, a_session
from tests.support.fakes.swoogo_calls import Called
from tests.support.ordering import Desk
from tests.support.service_world import SUBJECT, World, a_world
from tests.unit.services.reconciled import SETTINGS, reconcile

pytestmark = pytest.mark.rule("U1")

TALK = a_session(people=["c1"])
ADA = a_contact("c1")


@pytest.fixture
async def world() -> World:
    """A session and its speaker are in Swoogo."""
    made = await a_world(SETTINGS)
    await made.sync(TALK, ADA)
    made.swoogo.calls.clear()
    return made


async def test_what_is_frozen_waits_and_goes_after_a_thaw(world: World) -> None:
    desk = Desk(world)
    await desk.freeze("session", "name")
    await world.sync(replace(TALK, title="New", description="Longer"))
    assert world.swoogo.log == ["update session"]
    [waits] = (await desk.plan()).frozen
    assert isinstance(waits, Update)
    assert waits.fields == {"name": "New"}
    assert world.marks == {}, "it is recorded, and planned again when the freeze ends"
    await desk.thaw()
    await world.push()
    assert world.swoogo.log == ["update session", "update session"]
    assert (await desk.plan()).operations == ()


async def test_a_freeze_ends_by_itself_and_the_event_is_due_then(world: World) -> None:
    desk = Desk(world)
    end = world.clock.now() + 5 * MINUTE
    await desk.freeze(until=end)
    await world.sync(replace(TALK, title="New"))
    assert world.swoogo.log == []
    await world.sync(replace(TALK, title="Newer"))
    assert world.swoogo.log == []
    assert world.inbox.state(SUBJECT).due == end
    await world.push()
    assert world.clock.now() >= end
    assert world.swoogo.log == ["update session"]


async def test_a_freeze_that_ends_while_a_push_runs_is_for_the_next(world: World) -> None:
    """Its plan was made before; the event is due again at once."""
    desk = Desk(world)
    await desk.freeze("session", "name", until=world.clock.now() + 30_000)
    await world.given(replace(TALK, title="New", description="Longer"))
    lease = await world.claim()

    async def slow(work: Work, call: Called) -> None:
        world.clock.ms += 40_000
        world.swoogo.before_call = None

    world.swoogo.before_call = slow
    await world.push_claimed(lease)
    assert world.swoogo.log == ["update session"]
    assert world.inbox.state(SUBJECT).due == world.clock.now()
    await world.push()
    assert world.swoogo.log == ["update session", "update session"]


async def test_a_reconcile_of_a_frozen_event_sends_nothing_and_the_next_does(world: World) -> None:
    """Also where nothing but the end of the freeze is new."""
    desk = Desk(world)
    await desk.freeze("session")
    await world.sync(replace(TALK, title="New"))
    for _ in range(2):
        await reconcile(world)
    assert "update session" not in world.swoogo.log
    await desk.thaw("session")
    await world.push()
    assert "update session" in world.swoogo.log


@pytest.mark.rule("R5", "N2")
async def test_a_refusal_and_its_retry_outlast_a_freeze(world: World) -> None:
    desk = Desk(world)
    world.swoogo.trouble.refused["bad|2026-07-01|09:00:00"] = RefusedError("No.")
    await world.sync(replace(TALK, title="Bad"))
    assert await world.codes() == [("session/s1", Code.REFUSED)]
    await desk.freeze("session")
    await world.inbox.request_commands(EVENT, [LedgerCommand(Action.RETRY, "session/s1")])
    world.swoogo.calls.clear()
    await world.push()
    assert world.swoogo.log == []
    assert await world.codes() == [("session/s1", Code.REFUSED)]
    assert [each.act for each in (await world.inbox.load(EVENT)).commands] == [Action.RETRY]
    world.swoogo.trouble.refused.clear()
    await desk.thaw()
    await world.push()
    assert world.swoogo.log == ["update session"]
    assert (await world.inbox.load(EVENT)).commands == frozenset()


async def test_an_event_without_continuous_sync_waits_for_the_next_sync(world: World) -> None:
    world.mapping = a_mapping(continuous=False)
    await world.connections.put_mapping(ORG, EVENT, world.mapping)
    await world.inbox.set_continuous(EVENT, on=False)
    desk = Desk(world)
    await desk.freeze("session")
    await world.given(replace(TALK, title="New"))
    assert (await world.inbox.due(10)).subjects == ()
    await world.push()
    assert world.swoogo.log == []
    await desk.thaw()
    assert (await world.inbox.due(10)).subjects == ()
    await world.push()
    assert world.swoogo.log == ["update session"]


async def test_a_freeze_is_on_the_changelog_before_it_is_in_force(world: World) -> None:
    desk = Desk(world)
    world.state_log.failures.append(UnavailableError("Kafka is away."))
    with pytest.raises(UnavailableError):
        await desk.freeze()
    assert (await world.inbox.load(EVENT)).controls.freezes == ()
    await desk.relay.relay()
    assert len((await world.inbox.load(EVENT)).controls.freezes) == 1
    assert len(desk.store.published) == 1
