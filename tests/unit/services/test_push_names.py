"""Whatever is in a name and whatever Swoogo stores of it, nothing is made twice and a sync comes to rest."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Sponsor
from consumer.ports import SyncRequest
from sandbox.swoogo import Switches
from tests.support.builders import a_contact, a_room, a_session, a_track
from tests.support.machines import drawn
from tests.support.names import STORED, changing, names, resources_named
from tests.support.service_world import SUBJECT, World, a_world
from tests.unit.services.unanswered import lose_answers_of

pytestmark = pytest.mark.rule("R3", "G2")

EVERY_STORED_FORM = pytest.mark.parametrize("switches", STORED.values(), ids=STORED)
KINDS = pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)


async def until_it_rests(world: World) -> None:
    """Push whenever the event is due, until it is no more."""
    for _ in range(10):
        if world.inbox.state(SUBJECT).due is None:
            return
        await world.push()
    raise AssertionError("the event stays due")


@EVERY_STORED_FORM
@KINDS
@drawn(8)
@example(name="<b>Talk</b> & \U0001f600 " + "x" * 200, effect=True, late=False)
@given(name=names, effect=st.booleans(), late=st.booleans())
def test_an_unanswered_create_is_never_done_twice(
    kind: Kind, switches: Switches, name: str, effect: bool, late: bool
) -> None:
    """With its effect at once, later than the first look, or never; at worst a person is asked."""

    async def scenario() -> None:
        world = await a_world()
        world.swoogo.trouble.stores = changing(switches)
        lose_answers_of(world, kind, effect=effect)
        await world.sync(*resources_named(kind, name))
        made = dict(world.swoogo.records[kind])
        if late:
            world.swoogo.records[kind].clear()
            await world.clock.advance(30)
            await world.inbox.request_sync("ev", SyncRequest("pressed"), "9" * 15)
            await world.push()
            world.swoogo.records[kind] |= made
        await until_it_rests(world)
        assert len(world.swoogo.records[kind]) <= 1, "G2"
        if made and not world.swoogo.called("update", kind):
            codes = {code for _, code in await world.codes()}
            assert world.swoogo.records[kind] == made
            assert any(
                entry.live for key, entry in world.ledger.entries["ev"].items() if key.startswith(kind.value)
            ) or (Code.AMBIGUOUS_MATCH in codes)

    asyncio.run(scenario())


@EVERY_STORED_FORM
@drawn(15)
@given(texts=st.lists(names, min_size=5, max_size=5))
def test_a_sync_comes_to_rest(switches: Switches, texts: list[str]) -> None:
    """One record each, and a second sync sends nothing."""
    title, room, track, person, sponsor = texts

    async def scenario() -> None:
        world = await a_world()
        world.swoogo.trouble.stores = changing(switches)
        await world.sync(
            a_session("s1", title=title, room=a_room(name=room), track=a_track(name=track), people=["c1"]),
            a_contact("c1", first_name=person, last_name=person, email=f"a{person}b@example.org"),
            Sponsor("p1", version=1, name=sponsor, tier=room),
        )
        await until_it_rests(world)
        held = {kind: dict(rows) for kind, rows in world.swoogo.records.items()}
        assert all(len(rows) <= 1 for rows in held.values())
        world.swoogo.calls.clear()
        await world.push()
        assert [str(call) for call in world.swoogo.calls] == []

    asyncio.run(scenario())
