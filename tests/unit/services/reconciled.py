"""A synced world, and what a reconcile finds in it."""

from __future__ import annotations

from consumer.domain.push.cause import Reconcile
from consumer.domain.push.run import Run
from consumer.domain.records.snapshot import Sponsor
from consumer.domain.surveys.survey import Depth
from consumer.settings import ReconcileSettings
from tests.support.builders import EVENT, a_contact, a_room, a_session
from tests.support.service_world import SUBJECT, World, a_world

SETTINGS = ReconcileSettings(interval=1800, deep_interval=86_400)


SESSION = a_session(people=["c1"], room=a_room())


async def reconcile(world: World, depth: Depth = Depth.SHALLOW) -> Run:
    """Survey now and push."""
    world.swoogo.calls.clear()
    await world.inbox.request_survey(EVENT, depth)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    assert lease.cause == Reconcile(depth)
    return await world.push_claimed(lease)


async def a_synced_world(settings: ReconcileSettings = SETTINGS, sessions: int = 1) -> World:
    """Sessions, a speaker, a sponsor and a room in Swoogo, surveyed once, so that the next survey is a usual one."""
    world = await a_world(settings)
    more = [a_session(f"s{number}") for number in range(2, sessions + 1)]
    await world.sync(SESSION, *more, a_contact("c1"), Sponsor("p1", name="Acme"))
    await world.clock.advance(world.settings.create_settle_time)
    await reconcile(world)
    return world


def the_id(world: World, key: str) -> int:
    swoogo_id = world.entry(key).swoogo_id
    assert swoogo_id is not None
    return swoogo_id
