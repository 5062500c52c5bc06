"""Exactly the approved plan is sent, or it is refused with what differs (U2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.errors import UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.orders.order import OrderKind
from consumer.domain.planning.control import Controls
from consumer.domain.records.identity import Kind
from consumer.ports import SyncRequest, Work
from tests.support.builders import EVENT, ORG, a_contact, a_mapping, a_session
from tests.support.fakes.swoogo_calls import Called
from tests.support.ordering import Desk
from tests.support.service_world import SUBJECT, World, a_world
from tests.unit.services.reconciled import SETTINGS, reconcile

pytestmark = pytest.mark.rule("U2")

TALK = a_session(people=["c1"])
ADA = a_contact("c1")


async def an_approving_world(*, continuous: bool = True) -> World:
    made = await a_world(SETTINGS)
    made.mapping = a_mapping(continuous=continuous, approval_required=True)
    await made.connections.put_mapping(ORG, EVENT, made.mapping)
    await made.inbox.set_continuous(EVENT, on=continuous)
    return made


@pytest.fixture
async def world() -> World:
    """Changes of its event wait for an approval."""
    return await an_approving_world()


async def controls(world: World) -> Controls:
    return (await world.inbox.load(EVENT)).controls


async def test_changes_wait_until_their_plan_is_approved(world: World) -> None:
    desk = Desk(world)
    run = await world.sync(TALK, ADA)
    assert world.swoogo.log == []
    assert run.reasons == {"session:waiting_for_approval": 1, "speaker:waiting_for_approval": 1}
    await desk.approve()
    await world.push()
    assert sorted(world.swoogo.log) == ["create session", "create speaker", "link speaker", "list speaker"]
    assert (await controls(world)).approval is None, "it is done"
    await world.sync(replace(TALK, title="New"))
    assert "update session" not in world.swoogo.log


async def test_a_manual_sync_and_a_reconcile_wait_as_well(world: World) -> None:
    await world.sync(TALK, ADA)
    await world.push(SyncRequest("pressed"))
    await reconcile(world)
    assert not [each for each in world.swoogo.log if each.startswith(("create", "update", "link"))]


async def test_a_plan_that_a_change_overtakes_is_refused_and_nothing_is_sent(world: World) -> None:
    desk = Desk(world)
    await world.sync(TALK, ADA)
    approved = await desk.approve()
    await world.given(a_session("s2"))
    await world.push()
    assert world.swoogo.log == []
    [issue] = await world.issues()
    assert (issue.code, issue.key) == (Code.PLAN_CHANGED, "event/ev")
    assert issue.detail.startswith(f"plan {approved} was approved; now it is ")
    assert issue.detail.endswith(": session/s2 is new")
    await desk.approve()
    await world.push()
    assert world.swoogo.log.count("create session") == 2
    assert await world.codes() == []


async def test_a_refused_plan_is_not_sent_when_its_change_is_taken_back(world: World) -> None:
    """It was refused: people have seen another one since."""
    desk = Desk(world)
    await world.sync(TALK, ADA)
    await desk.approve()
    await world.sync(replace(TALK, title="New"))
    await world.sync(TALK)
    assert world.swoogo.log == []


async def test_an_approval_that_a_survey_finds_is_judged_by_the_next_push(world: World) -> None:
    """A survey may find more to do than the person saw."""
    desk = Desk(world)
    await world.sync(TALK, ADA, a_session("s2"))
    await desk.approve()
    await world.push(SyncRequest("selected", session_ids=("s1",)))
    assert not world.swoogo.called("create")
    await world.push()
    assert world.swoogo.called("create")


async def test_an_approval_without_continuous_sync_is_pushed_at_once() -> None:
    world = await an_approving_world(continuous=False)
    desk = Desk(world)
    await world.given(TALK, ADA)
    await desk.approve()
    assert (await world.inbox.due(10)).subjects == (SUBJECT,)
    await world.push()
    assert world.swoogo.called("create")


@pytest.mark.rule("G1")
async def test_a_push_that_breaks_off_goes_on_and_nothing_is_added_to_it(world: World) -> None:
    """The process dies after the first call; what changed meanwhile waits."""
    desk = Desk(world)
    await world.sync(a_session("s1"), a_session("s2"))
    await desk.approve()

    async def dies(work: Work, call: Called) -> None:
        if world.swoogo.called("create"):
            raise RuntimeError("killed")

    world.swoogo.before_call = dies
    lease = await world.claim()
    with pytest.raises(BaseException):  # noqa: B017, PT011 - a process that is killed
        await world.push_claimed(lease)
    approval = (await controls(world)).approval
    assert approval
    assert approval.begun
    world.swoogo.before_call = None
    await world.given(a_session("s3"))
    await world.clock.advance(200.0)
    for _ in range(3):
        await world.push()
        await world.clock.advance(200.0)
    assert len(world.swoogo.records[Kind.SESSION]) == 2
    assert (await controls(world)).approval is None


async def test_a_crash_between_approval_and_push_loses_nothing(world: World) -> None:
    """It is on the changelog before it is in force, and in force before the event is due."""
    desk = Desk(world)
    await world.sync(TALK, ADA)
    world.state_log.failures.append(UnavailableError("Kafka is away."))
    with pytest.raises(UnavailableError):
        await desk.approve()
    assert (await controls(world)).approval is None
    await desk.relay.relay()
    assert (await controls(world)).approval == world.state_log.written[-1].approval  # type: ignore[union-attr]
    await world.push()
    assert world.swoogo.called("create")


async def test_an_approval_ends_when_none_is_asked_for_any_more(world: World) -> None:
    """Asked for again, it is no approval of a later plan that happens to be the same."""
    desk = Desk(world)
    await world.sync(TALK, ADA)
    await desk.approve()
    await world.given(a_session("s2"))
    await world.push()
    assert await world.codes() == [("event/ev", Code.PLAN_CHANGED)]
    world.mapping = a_mapping()
    await world.push()
    assert world.swoogo.called("create")
    assert await world.codes() == []
    assert (await controls(world)).approval is None


async def test_an_order_that_is_repeated_approves_nothing_again(world: World) -> None:
    """The relay died before it noted what it had done; the plan was sent meanwhile."""
    desk = Desk(world)
    await world.sync(TALK, ADA)
    await desk.approve()
    [given] = await desk.store.given(EVENT)
    await world.push()
    await desk.store.finish(given)
    await desk.relay.relay()
    assert (await controls(world)).approval is None


@pytest.mark.rule("U1")
async def test_what_is_frozen_is_not_in_the_plan_that_is_approved(world: World) -> None:
    desk = Desk(world)
    await desk.freeze("session")
    await world.sync(TALK, ADA)
    assert [each.kind for each in (await desk.plan()).operations] == [Kind.SPEAKER]
    await desk.order(OrderKind.THAW)
    await world.push()
    await desk.approve()
    await world.push()
    assert world.swoogo.called("create", Kind.SESSION)
