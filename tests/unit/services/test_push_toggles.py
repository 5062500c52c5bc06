"""The settings of a mapping take effect when the mapping says so, without any other change."""

from __future__ import annotations

import pytest

from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Role, Sponsor
from tests.support.builders import ORG, a_room, a_session, an_attendance
from tests.support.service_world import SUBJECT, World
from tests.unit.services.toggled import updated

pytestmark = pytest.mark.rule("E7", "S9", "O4", "D4")


async def pushed(world: World) -> None:
    """The event is due by itself, and is pushed."""
    assert world.inbox.state(SUBJECT).due is not None
    run = await world.push()
    assert run.trigger is Trigger.CHANGES
    assert world.marks == {}


def emails(world: World) -> list[str]:
    return sorted(row["email"] for row in world.swoogo.records[Kind.SPEAKER].values())


def capacities(world: World) -> list[str]:
    return [row.get("capacity", "") for row in world.swoogo.records[Kind.SESSION].values()]


CAST = a_session(
    "s1",
    people=[
        an_attendance("spk"),
        an_attendance("chair", role=Role.CHAIRPERSON),
        an_attendance("mod", role=Role.MODERATOR),
        an_attendance("late", acceptance="pending"),
        an_attendance("yes", acceptance="accepted"),
        an_attendance("modno", role=Role.MODERATOR, acceptance="declined"),
    ],
)
SPEAKERS = {"late@example.org", "spk@example.org", "yes@example.org"}


@pytest.mark.parametrize(
    ("settings", "synced"),
    [
        ({}, SPEAKERS),
        ({"sync_chairpersons": True}, SPEAKERS | {"chair@example.org"}),
        ({"sync_moderators": True}, SPEAKERS | {"mod@example.org", "modno@example.org"}),
        ({"accepted_participants_only": True}, SPEAKERS - {"late@example.org"}),
        (
            {"sync_chairpersons": True, "sync_moderators": True, "accepted_participants_only": True},
            {"spk@example.org", "yes@example.org", "chair@example.org", "mod@example.org"},
        ),
    ],
    ids=["as-given", "chairs", "moderators", "accepted-only", "all"],
)
async def test_who_syncs_as_a_speaker_is_a_setting_of_the_mapping(
    world: World, settings: dict[str, bool], synced: set[str]
) -> None:
    """Whether it is there from the start or comes later; everybody is associated."""
    await updated(world, **settings)
    await world.sync(CAST)
    assert set(emails(world)) == synced
    assert len(world.swoogo.links) == len(synced)


@pytest.mark.parametrize("role", ["sync_chairpersons", "sync_moderators"])
async def test_a_role_switched_on_later_is_synced_without_any_other_change(world: World, role: str) -> None:
    """The mapping itself is the change. Switched off again, no one is deleted, and nothing more is sent."""
    await world.sync(CAST)
    before = emails(world)
    await updated(world, **{role: True})
    await pushed(world)
    after = emails(world)
    assert set(before) < set(after)
    world.swoogo.calls.clear()
    await updated(world)
    await pushed(world)
    assert emails(world) == after
    assert {call.what for call in world.swoogo.calls} <= {"unlink"}


@pytest.mark.parametrize(
    ("own", "room", "seats"), [(12, 40, "12"), (None, 40, "40"), (0, 40, "0"), (None, None, ""), (12, None, "12")]
)
async def test_capacity_is_the_session_s_else_the_room_s(
    world: World, own: int | None, room: int | None, seats: str
) -> None:
    """Off by default; on, also for sessions that were synced before."""
    await world.sync(a_session("s1", capacity=own, room=a_room("r1", "Hall", room)))
    assert capacities(world) == [""]
    await updated(world, sync_capacity=True)
    await pushed(world)
    assert capacities(world) == [seats]


@pytest.mark.rule("R2")
async def test_switched_off_again_the_capacity_stays(world: World) -> None:
    """What is not mapped is left alone."""
    await updated(world, sync_capacity=True)
    await world.sync(a_session("s1", capacity=12))
    await updated(world)
    await pushed(world)
    assert capacities(world) == ["12"]


async def test_sponsors_that_were_kept_out_come_when_they_are_let_in(world: World) -> None:
    """What was recorded meanwhile is pushed."""
    await updated(world, sync_sponsors=False)
    await world.sync(a_session("s1"), Sponsor("p1", name="Acme", tier="Gold"))
    assert world.swoogo.records[Kind.SPONSOR] == {}
    assert world.inbox.state(SUBJECT).due is None
    await updated(world, sync_sponsors=True)
    await pushed(world)
    assert world.swoogo.named(Kind.SPONSOR, "Acme") != []


async def test_removal_switched_on_later_removes_what_was_declined_before(world: World) -> None:
    await world.sync(a_session("s1"), a_session("s2"))
    await world.sync(a_session("s1", status="declined"))
    assert len(world.swoogo.records[Kind.SESSION]) == 2
    await updated(world, remove_deleted_sessions=True)
    await pushed(world)
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["Title of s2"]


@pytest.mark.rule("R3")
async def test_a_mapping_published_again_is_pushed_once_and_sends_nothing(world: World) -> None:
    """An update that asks for nothing new costs no call."""
    await updated(world)
    await world.sync(CAST)
    world.swoogo.calls.clear()
    await updated(world)
    await pushed(world)
    assert world.swoogo.calls == []
    assert world.inbox.state(SUBJECT).due is None


@pytest.mark.rule("C4", "C5")
async def test_without_continuous_sync_a_setting_waits_for_a_manual_sync(world: World) -> None:
    await world.sync(a_session("s1", capacity=5))
    connection = await world.connections.connection(ORG)
    assert connection is not None
    await world.connections.put_connection(ORG, type(connection)(ORG, connection.credential, continuous=False))
    await updated(world, sync_capacity=True)
    assert world.inbox.state(SUBJECT).due is None
    assert capacities(world) == [""]
    await world.push()
    assert capacities(world) == ["5"]


@pytest.mark.rule("G1")
async def test_a_setting_that_changes_during_a_push_is_not_settled_by_it(world: World) -> None:
    """The push planned with the former mapping, so the event is due again after it."""
    await world.given(a_session("s1", capacity=5))
    lease, former, connection = await world.claim(), world.mapping, await world.connections.connection(ORG)
    assert connection is not None

    async def meanwhile(*_: object) -> None:
        world.swoogo.before_call = None
        await updated(world, sync_capacity=True)

    world.swoogo.before_call = meanwhile
    await world.pusher.push(lease, former, connection)
    assert capacities(world) == [""]
    await pushed(world)
    assert capacities(world) == ["5"]
