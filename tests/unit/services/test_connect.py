"""Requested integrations and pairs take effect, or are refused and leave what was in force."""

from __future__ import annotations

import pytest

from consumer.domain.errors import UnavailableError
from consumer.ports import event_subject
from tests.support.builders import ORG
from tests.support.service_world import World
from tests.unit.services.connecting import SUBJECT, A, B, ask, connected, pair, settle, told, unconnected

pytestmark = pytest.mark.rule("X1")


@pytest.fixture
async def world() -> World:
    return await unconnected()


@pytest.mark.rule("C1", "C3")
async def test_credentials_are_tried_once_and_then_in_use(world: World) -> None:
    said = await settle(world, connected())
    assert told(said) == [("integration.accepted", "")]
    assert world.credentials.verified == ["first"]
    connection = await world.connections.connection(ORG)
    assert connection is not None
    assert (connection.secret_name, connection.credential, connection.continuous) == ("first", "hash-of-first", True)


@pytest.mark.rule("C2", "C3")
@pytest.mark.parametrize(
    ("trouble", "code"), [("refused", "credentials_refused"), ("unreadable", "credentials_unreadable")]
)
async def test_bad_credentials_leave_the_former_ones_in_force(world: World, trouble: str, code: str) -> None:
    """`unreadable`: sealed to another key."""
    await settle(world, connected(), pair())
    getattr(world.credentials, trouble).add("second")
    before = await world.connections.connection(ORG)
    said = await settle(world, connected("second"))
    assert told(said) == [("integration.rejected", code)]
    assert said[0].sentence
    assert await world.connections.connection(ORG) == before
    assert set(await world.connections.mappings(ORG)) == {"e1"}
    assert world.credentials.verified == ["first", *(["second"] if trouble == "refused" else [])]


@pytest.mark.rule("C3")
async def test_credentials_that_never_worked_connect_nothing(world: World) -> None:
    world.credentials.refused.add("first")
    assert told(await settle(world, connected(), pair())) == [
        ("integration.rejected", "credentials_refused"),
        ("mapping.rejected", "not_connected"),
    ]
    assert await world.connections.connection(ORG) is None
    assert await world.connections.mappings(ORG) == {}


@pytest.mark.rule("C1")
async def test_new_credentials_replace_the_old_ones_for_every_pair(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    await settle(world, connected("second"))
    mappings = await world.connections.mappings(ORG)
    assert {each.credential for each in mappings.values()} == {"hash-of-second"}
    assert len(mappings) == 2


async def test_the_same_credentials_published_again_are_not_tried_again(world: World) -> None:
    await settle(world, connected())
    assert told(await settle(world, connected())) == [("integration.accepted", "")]
    assert world.credentials.verified == ["first"]


@pytest.mark.rule("C4")
async def test_continuous_sync_follows_what_was_published_for_every_pair(world: World) -> None:
    await settle(world, connected(continuous=False), pair("e1", A), pair("e2", B))
    states = [world.inbox.state(event_subject(event)) for event in ("e1", "e2")]
    assert [state.continuous for state in states] == [False, False]
    for wanted in (True, False):
        await settle(world, connected(continuous=wanted))
        assert [state.continuous for state in states] == [wanted, wanted]
        assert {each.continuous for each in (await world.connections.mappings(ORG)).values()} == {wanted}


@pytest.mark.rule("C3")
async def test_silent_swoogo_leaves_the_request_for_later(world: World) -> None:
    world.credentials.unavailable = 1
    lease = await ask(world, connected())
    with pytest.raises(UnavailableError):
        await world.connector.serve(lease)
    assert world.board.topic.announcements == []
    assert world.inbox.state(SUBJECT).marks
    await world.connector.serve(lease)
    assert told(world.board.topic.announcements) == [("integration.accepted", "")]
