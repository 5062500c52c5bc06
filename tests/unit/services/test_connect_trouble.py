"""Settling requests where Swoogo is silent, work is broken off, or others own the records."""

from __future__ import annotations

import pytest

from consumer.domain.connection_state import ConnectionState
from consumer.domain.connections.connection import MappingRequest
from consumer.domain.connections.pair import PairEnd
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.ports import Lease, event_subject, org_subject
from tests.support.builders import NOW, ORG, a_session
from tests.support.service_world import World
from tests.unit.services.connecting import SUBJECT, A, B, ask, connected, pair, removed, settle, told, unconnected

pytestmark = pytest.mark.rule("X1")


@pytest.fixture
async def world() -> World:
    return await unconnected()


@pytest.mark.rule("M2")
async def test_a_pair_counts_only_when_the_changelog_has_it(world: World) -> None:
    """A loss of Redis could give either partner to another otherwise."""
    await settle(world, connected())
    world.board.topic.announcements.clear()
    world.pairs.changelog.failures.append(UnavailableError("Kafka is away."))
    lease = await ask(world, pair("e1", A))
    with pytest.raises(UnavailableError):
        await world.connector.serve(lease)
    assert (await world.connections.mappings(ORG), world.board.topic.announcements) == ({}, [])
    await world.connector.serve(lease)
    assert [each.event_id for each in world.pairs.changelog.written] == ["e1"]
    assert set(await world.connections.mappings(ORG)) == {"e1"}


@pytest.mark.rule("M2")
async def test_refused_pair_is_not_reported_again_with_new_credentials(world: World) -> None:
    await settle(world, connected(), pair("e1", A))
    await settle(world, pair("e2", A))
    assert told(await settle(world, connected("second"))) == [("integration.accepted", "")]


@pytest.mark.rule("M6")
async def test_unreadable_pair_is_tried_again_with_new_credentials(world: World) -> None:
    await settle(world, connected(), pair("e1", 999))
    world.swoogo.zones[999] = "Europe/London"
    assert told(await settle(world, connected("second"))) == [("integration.accepted", ""), ("mapping.accepted", "")]


@pytest.mark.rule("G1")
async def test_a_chance_lost_to_a_silent_swoogo_is_given_by_the_next_try(world: World) -> None:
    """The credentials are in force by then."""
    await settle(world, pair("e1", A))
    world.board.topic.announcements.clear()
    lease = await ask(world, connected())
    world.swoogo.trouble.unavailable = 1
    with pytest.raises(UnavailableError):
        await world.connector.serve(lease)
    await world.connector.serve(lease)
    assert told(world.board.topic.announcements)[-1] == ("mapping.accepted", "")


@pytest.mark.rule("M7")
@pytest.mark.parametrize(
    ("theirs", "issues"),
    [
        ("Europe/London", ()),
        ("GB", ()),
        ("Europe/Paris", ("timezone_mismatch",)),
        ("", ("timezone_mismatch",)),
        ("Mars/Base", ("timezone_mismatch",)),
    ],
)
async def test_a_mapping_between_zones_that_differ_is_accepted_and_people_are_told(
    world: World, theirs: str, issues: tuple[str, ...]
) -> None:
    world.swoogo.zones[A] = theirs
    [_, said] = await settle(world, connected(), pair("e1", A))
    assert (said.action, said.code, said.issues) == ("mapping.accepted", "", issues)
    assert ("time zone" in said.sentence) is bool(issues)
    assert (await world.connections.mappings(ORG))["e1"].swoogo_timezone == theirs
    [again] = await settle(world, pair("e1", A, name="Renamed"))
    assert again.issues == issues
    assert (await world.connections.mappings(ORG))["e1"].swoogo_timezone == theirs


@pytest.mark.rule("C1", "C3")
async def test_a_refused_replacement_leaves_every_pair_with_the_credential_in_use(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    world.credentials.refused.add("second")
    await settle(world, connected("second", continuous=False))
    mappings = await world.connections.mappings(ORG)
    assert {(each.credential, each.continuous) for each in mappings.values()} == {("hash-of-first", True)}


@pytest.mark.rule("M1")
async def test_event_of_another_organization_is_refused_until_released(world: World) -> None:
    await settle(world, connected())
    theirs = Lease(org_subject("somebody else"), 1, "op")
    await world.pairs.claim(theirs, "e1", A, NOW)
    [said] = await settle(world, pair("e1", A))
    assert (said.action, said.code) == ("mapping.rejected", "event_already_mapped")
    await world.pairs.end(theirs, "e1", PairEnd.REMOVED, NOW)
    assert told(await settle(world, pair("e1", A))) == [("mapping.accepted", "")]


@pytest.mark.rule("M8")
async def test_an_event_whose_records_name_another_organization_is_refused(world: World) -> None:
    """No one is barred by somebody else's mapping: no pair is entered."""
    await world.given(a_session("s1", org_id="theirs"), a_session("s2"), event_id="e1")
    await settle(world, connected())
    [said] = await settle(world, pair("e1", A))
    assert (said.action, said.code) == ("mapping.rejected", "event_of_other_organization")
    assert await world.pairs.pair("e1") is None
    assert await world.connections.mapping("e1") is None


@pytest.mark.rule("M8")
@pytest.mark.parametrize("deleted", [False, True])
async def test_a_pair_ends_when_records_of_another_organization_come(world: World, deleted: bool) -> None:
    """Whichever came first; a record that was deleted says nothing, as an event may have moved."""
    await settle(world, connected(), pair("e1", A))
    await world.given(a_session("s1", org_id="theirs", deleted=deleted), event_id="e1")
    await world.inbox.remind(ORG, "mapping/e1")
    lease = await world.inbox.claim(SUBJECT, "again")
    assert lease is not None
    world.board.topic.announcements.clear()
    await world.connector.serve(lease)
    refused = [("mapping.removed", ""), ("mapping.rejected", "event_of_other_organization")]
    assert told(world.board.topic.announcements) == ([("mapping.accepted", "")] if deleted else refused)
    assert (await world.connections.mapping("e1") is None) is not deleted


@pytest.mark.rule("M8")
async def test_an_event_whose_records_are_the_organizations_own_is_accepted(world: World) -> None:
    await world.given(a_session("s1", org_id=ORG), a_session("s2"), event_id="e1")
    assert told(await settle(world, connected(), pair("e1", A)))[-1] == ("mapping.accepted", "")


@pytest.mark.rule("G4")
@pytest.mark.parametrize("stopped_in", ["claim", "flush", "put_mapping", "set_continuous"])
async def test_a_settlement_that_wakes_after_the_next_one_changes_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, stopped_in: str
) -> None:
    """Stopped for longer than its lease while it activates a pair; the pair was removed since."""
    await settle(world, connected())
    owners = {"put_mapping": world.connections, "set_continuous": world.inbox}
    owner: object = owners.get(stopped_in, world.pairs)
    meant = getattr(owner, stopped_in)

    async def slept(*args: object, **how: object) -> object:
        monkeypatch.setattr(owner, stopped_in, meant)
        await world.clock.advance(61)
        await settle(world, removed())
        return await meant(*args, **how)

    lease = await ask(world, pair())
    monkeypatch.setattr(owner, stopped_in, slept)
    with pytest.raises(LeaseLostError):
        await world.connector.serve(lease)
    assert await world.connections.mapping("e1") is None
    assert not world.inbox.state(event_subject("e1")).continuous
    known = await world.pairs.pair("e1")
    assert known is None if stopped_in == "claim" else known and known.ended_at is not None


@pytest.mark.rule("M1", "G1")
@pytest.mark.parametrize("broken_in", ["set_continuous", "put_mapping", "announce", "end"])
@pytest.mark.parametrize("wish", [pair(), removed()])
async def test_interrupted_removal_leaves_one_organization_an_event(
    world: World, monkeypatch: pytest.MonkeyPatch, broken_in: str, wish: MappingRequest
) -> None:
    """Whatever is wished for next. A pair in force whose end is in the history would be anybody's to take."""
    theirs = Lease(org_subject("somebody else"), 1, "op")
    await settle(world, connected(), pair())
    owners = {"set_continuous": world.inbox, "put_mapping": world.connections, "announce": world.board}
    owner: object = owners.get(broken_in, world.pairs)
    meant = getattr(owner, broken_in)

    async def done_and_killed(*args: object, **how: object) -> object:
        monkeypatch.setattr(owner, broken_in, meant)
        await meant(*args, **how)
        raise UnavailableError("Killed.")

    lease = await ask(world, removed())
    monkeypatch.setattr(owner, broken_in, done_and_killed)
    with pytest.raises(UnavailableError):
        await world.connector.serve(lease)
    await world.clock.advance(61)
    await settle(world, wish)
    in_force = await world.connections.mapping("e1")
    assert (in_force is not None) == wish.present
    assert (await world.pairs.claim(theirs, "e1", A, NOW) is None) == wish.present
    assert world.inbox.state(event_subject("e1")).continuous == wish.present


@pytest.mark.rule("M1", "G6")
async def test_one_more_pair_touches_no_other_and_new_credentials_touch_all(world: World) -> None:
    world.swoogo.zones = dict.fromkeys(range(1, 8), "Europe/London")
    await settle(world, connected(), *(pair(f"e{number}", number) for number in range(1, 7)))
    world.state_log.written.clear()
    await settle(world, pair("e7", 7))
    assert [getattr(each, "event_id", "") for each in world.state_log.written] == ["e7"]
    await settle(world, pair("e2", 7))
    await settle(world, removed("e1"))
    assert [getattr(each, "event_id", "") for each in world.state_log.written[1:]] == ["e2", "e1"]
    world.state_log.written.clear()
    await settle(world, connected("second"))
    named = [getattr(each, "event_id", "") for each in world.state_log.written]
    assert named == ["", "", *(f"e{number}" for number in range(1, 8))]  # the credential first, then all as it stands


@pytest.mark.rule("G5", "G6")
async def test_a_credential_is_logged_before_it_is_in_force(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a loss of Redis before the settlement ends leaves a rebuild without a name for the credits spent by then."""

    async def killed(*_: object, **__: object) -> None:
        raise UnavailableError("Killed.")

    monkeypatch.setattr(world.connections, "put_connection", killed)
    lease = await ask(world, connected())
    with pytest.raises(UnavailableError):
        await world.connector.serve(lease)
    [logged] = world.state_log.written
    assert isinstance(logged, ConnectionState)
    assert logged.connection is not None
    assert (logged.org_id, logged.settled, logged.epoch) == (lease.subject.id, {}, lease.epoch)
