"""Pairs: accepted, refused, changed and removed (M1-M8)."""

from __future__ import annotations

import pytest

from consumer.domain.connections.connection import Announcement, MappingRequest
from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.errors import CredentialError
from consumer.ports import Lease, event_subject, org_subject
from tests.support.builders import NOW, ORG, a_session
from tests.support.service_world import World
from tests.unit.services.connecting import A, B, connected, pair, removed, settle, told, unconnected

pytestmark = pytest.mark.rule("X1")


@pytest.fixture
async def world() -> World:
    return await unconnected()


@pytest.mark.rule("M1")
async def test_an_organization_maps_many_events_with_its_one_credential(world: World) -> None:
    said = await settle(world, connected(), pair("e1", A), pair("e2", B))
    assert told(said) == [("integration.accepted", ""), ("mapping.accepted", ""), ("mapping.accepted", "")]
    mappings = await world.connections.mappings(ORG)
    assert {event: each.swoogo_event_id for event, each in mappings.items()} == {"e1": A, "e2": B}
    assert {each.credential for each in mappings.values()} == {"hash-of-first"}


@pytest.mark.rule("M2")
@pytest.mark.parametrize("ended", [False, True], ids=["while it lasts", "after it was removed"])
@pytest.mark.parametrize(
    ("second", "code", "partner"),
    [(pair("e1", B), "event_already_mapped", str(A)), (pair("e2", A), "swoogo_event_already_mapped", "e1")],
)
async def test_neither_partner_of_a_pair_can_ever_have_another(
    world: World, second: MappingRequest, code: str, partner: str, ended: bool
) -> None:
    await settle(world, connected(), pair("e1", A))
    if ended:
        await settle(world, removed("e1"))
    before = await world.connections.mappings(ORG)
    [said] = await settle(world, second)
    assert (said.action, said.code, said.partner) == ("mapping.rejected", code, partner)
    assert partner in said.sentence
    assert await world.connections.mappings(ORG) == before


@pytest.mark.rule("M2")
async def test_a_partner_taken_while_swoogo_was_asked_is_refused_all_the_same(world: World) -> None:
    """Another replica, for another organization, in between the check and the entry."""
    await settle(world, connected())

    async def take(work: object, call: object) -> None:
        await world.pairs.claim(Lease(org_subject("somebody else"), 1, "op"), "theirs", A, NOW)

    world.swoogo.before_call = take
    [said] = await settle(world, pair("e1", A))
    assert (said.action, said.code) == ("mapping.rejected", "swoogo_event_already_mapped")
    assert await world.connections.mappings(ORG) == {}


@pytest.mark.rule("M3")
async def test_the_same_pair_is_accepted_again_after_it_was_removed(world: World) -> None:
    await settle(world, connected(), pair())
    await settle(world, removed())
    assert told(await settle(world, pair())) == [("mapping.accepted", "")]
    assert set(await world.connections.mappings(ORG)) == {"e1"}


@pytest.mark.rule("M4")
async def test_removing_a_pair_stops_that_pair_only(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    [said] = await settle(world, removed("e1"))
    assert (said.action, said.event_id, said.swoogo_event_id) == ("mapping.removed", "e1", A)
    assert set(await world.connections.mappings(ORG)) == {"e2"}
    assert await world.connections.connection(ORG) is not None
    assert not world.inbox.state(event_subject("e1")).continuous
    assert world.inbox.state(event_subject("e2")).continuous


@pytest.mark.rule("M4")
async def test_removing_a_pair_that_is_not_there_is_harmless(world: World) -> None:
    assert await settle(world, connected(), removed("never mapped")) == [
        Announcement("integration.accepted", ORG, "Swoogo accepted the credentials.")
    ]


@pytest.mark.rule("M5")
async def test_what_was_recorded_before_the_mapping_is_due_when_it_is_accepted(world: World) -> None:
    await world.given(a_session("s1"), event_id="e1")
    assert (await world.inbox.due(10)).next_in is None
    await settle(world, connected(), pair("e1", A))
    assert event_subject("e1") in (await world.inbox.due(10)).subjects


@pytest.mark.rule("M6")
async def test_a_swoogo_event_that_cannot_be_read_is_refused_and_stays_free(world: World) -> None:
    [_, said] = await settle(world, connected(), pair("e1", 999))
    assert (said.action, said.code) == ("mapping.rejected", "swoogo_event_not_found")
    assert await world.pairs.all() == {}
    assert told(await settle(world, pair("e1", A))) == [("mapping.accepted", "")]


@pytest.mark.rule("M6")
async def test_a_credential_refused_while_swoogo_is_asked_is_the_reason_given(world: World) -> None:
    await settle(world, connected())

    async def refuse(work: object, call: object) -> None:
        raise CredentialError("Swoogo refused the credentials.")

    world.swoogo.before_call = refuse
    [said] = await settle(world, pair())
    assert (said.code, said.sentence) == ("credentials_refused", "Swoogo refused the credentials.")


@pytest.mark.rule("M7")
async def test_a_mapping_with_an_unknown_time_zone_is_refused(world: World) -> None:
    [_, said] = await settle(world, connected(), pair(timezone="Mars/Olympus"))
    assert (said.action, said.code) == ("mapping.rejected", "unknown_timezone")
    assert world.swoogo.calls == []


async def test_settings_of_an_active_pair_change_without_asking_swoogo_again(world: World) -> None:
    await settle(world, connected(), pair())
    world.swoogo.calls.clear()
    await settle(world, pair(settings=MappingSettings(sync_capacity=True), name="Renamed"))
    mapping = await world.connections.mapping("e1")
    assert mapping is not None
    assert (mapping.settings.sync_capacity, mapping.name, world.swoogo.calls) == (True, "Renamed", [])


async def test_pair_refused_without_credentials_is_tried_when_they_arrive(world: World) -> None:
    assert told(await settle(world, pair("e1", A))) == [("mapping.rejected", "not_connected")]
    assert told(await settle(world, connected())) == [("integration.accepted", ""), ("mapping.accepted", "")]
    assert set(await world.connections.mappings(ORG)) == {"e1"}
