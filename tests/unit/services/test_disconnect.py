"""Disconnecting, and what was published before and after it (X1, X2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.adapters.redis import codecs
from consumer.domain.connections.connection import IntegrationRequest, Request, disconnect_key
from consumer.domain.connections.pair import PairEnd
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.records.identity import stamp
from consumer.ports import Change, event_subject
from tests.support.builders import NOW, ORG
from tests.support.service_world import World
from tests.unit.services.connecting import (
    SUBJECT,
    A,
    B,
    ask,
    connected,
    key_of,
    pair,
    removed,
    settle,
    stamps,
    told,
    unconnected,
)

pytestmark = pytest.mark.rule("X1")


@pytest.fixture
async def world() -> World:
    return await unconnected()


DISCONNECTED = IntegrationRequest(ORG, connected=False)


async def test_disconnecting_ends_every_pair_of_the_organization_and_no_other_s(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    other = replace(world.mapping, org_id="other", event_id="e3")
    await world.connections.put_mapping("other", "e3", other)
    said = await settle(world, DISCONNECTED)
    assert told(said) == [("mapping.removed", "disconnected")] * 2
    assert await world.connections.connection(ORG) is None
    assert await world.connections.mappings(ORG) == {}
    assert await world.connections.mappings("other") == {"e3": other}
    assert not any(world.inbox.state(event_subject(event)).continuous for event in ("e1", "e2"))


async def test_reconnecting_with_other_credentials_is_possible(world: World) -> None:
    await settle(world, connected(), pair("e1", A))
    await settle(world, DISCONNECTED)
    said = await settle(world, connected("second"), pair("e1", A))
    assert ("integration.accepted", "") in told(said)
    assert (await world.connections.mappings(ORG))["e1"].credential == "hash-of-second"


@pytest.mark.rule("G1")
async def test_an_announcement_that_could_not_be_made_is_made_by_the_next_try(world: World) -> None:
    world.board.topic.failures.append(UnavailableError("The status topic could not be written."))
    lease = await ask(world, connected(), pair())
    with pytest.raises(UnavailableError):
        await world.connector.serve(lease)
    await world.connector.serve(lease)
    assert told(world.board.topic.announcements) == [("integration.accepted", ""), ("mapping.accepted", "")]


@pytest.mark.rule("G4")
async def test_whoever_lost_the_organization_clears_no_request(world: World) -> None:
    lease = await ask(world, connected())
    world.inbox.state(SUBJECT).epoch += 1
    with pytest.raises(LeaseLostError):
        await world.connector.serve(lease)
    assert world.inbox.state(SUBJECT).marks


@pytest.mark.rule("X2")
async def test_a_disconnect_seals_every_pair_the_organization_ever_had(world: World) -> None:
    """Also one that had been removed before: what it synced was synced before the disconnect."""
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    await settle(world, removed("e1"))
    await settle(world, DISCONNECTED)
    register = await world.pairs.all()
    eras = {event: each.era for event, each in register.items()}
    assert eras["e1"] == eras["e2"] > 0
    assert [register[event].ended_by for event in ("e1", "e2")] == [PairEnd.REMOVED, PairEnd.DISCONNECTED]
    assert world.pairs.changelog.written[-2:] == [register["e1"], register["e2"]]
    await settle(world, connected(), pair("e1", A))
    assert (await world.connections.mappings(ORG))["e1"].era == eras["e1"]


async def test_reconnecting_brings_back_no_pairs(world: World) -> None:
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    await settle(world, DISCONNECTED)
    assert told(await settle(world, connected())) == [("integration.accepted", "")]
    assert await world.connections.mappings(ORG) == {}
    assert told(await settle(world, pair("e2", B))) == [("mapping.accepted", "")]
    assert set(await world.connections.mappings(ORG)) == {"e2"}


@pytest.mark.rule("M3")
async def test_pair_published_while_disconnected_waits_for_credentials(world: World) -> None:
    """Refused for want of credentials only."""
    await settle(world, connected(), pair("e1", A))
    await settle(world, DISCONNECTED)
    assert told(await settle(world, pair("e1", A))) == [("mapping.rejected", "not_connected")]
    assert told(await settle(world, connected())) == [("integration.accepted", ""), ("mapping.accepted", "")]


@pytest.mark.rule("G1")
async def test_disconnect_read_with_the_next_connection_ends_every_pair(world: World) -> None:
    """Whatever is published while the service is away is settled in one go."""
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    said = await settle(world, DISCONNECTED, connected("second"), pair("e1", A))
    assert told(said) == [
        ("mapping.removed", "disconnected"),
        ("mapping.removed", "disconnected"),
        ("integration.accepted", ""),
        ("mapping.accepted", ""),
    ]
    mappings = await world.connections.mappings(ORG)
    assert {event: each.credential for event, each in mappings.items()} == {"e1": "hash-of-second"}
    assert mappings["e1"].era > 0


async def test_the_same_credentials_after_a_disconnect_are_verified_again(world: World) -> None:
    await settle(world, connected())
    await settle(world, DISCONNECTED, connected())
    assert world.credentials.verified == ["first", "first"]


@pytest.mark.rule("G1")
async def test_a_disconnect_broken_off_half_way_is_finished_by_the_next_worker(world: World) -> None:
    """The pair ended is told once, and nothing is left active."""
    await settle(world, connected(), pair("e1", A), pair("e2", B))
    world.board.topic.announcements.clear()
    world.pairs.changelog.failures.append(UnavailableError("Kafka is away."))
    lease = await ask(world, DISCONNECTED)
    with pytest.raises(UnavailableError):
        await world.connector.serve(lease)
    assert await world.connections.connection(ORG) is not None
    await world.connector.serve(lease)
    assert told(world.board.topic.announcements) == [("mapping.removed", "disconnected")] * 2
    assert await world.connections.connection(ORG) is None


@pytest.mark.rule("G3")
async def test_a_disconnect_older_than_the_credentials_in_use_ends_nothing(world: World) -> None:
    """It came late: the organization has connected again since."""
    await settle(world, connected(), pair("e1", A))
    await world.inbox.record(SUBJECT, [Change(disconnect_key(ORG), "0" * 15, codecs.encode(DISCONNECTED))])
    await settle(world)
    assert set(await world.connections.mappings(ORG)) == {"e1"}
    assert (await world.pairs.all())["e1"].era == 0


async def dated(world: World, moment: int, *requests: Request) -> list[tuple[str, str]]:
    """Publish requests that are dated `moment` (ms), and have them dealt with; what was announced."""
    world.board.topic.announcements.clear()
    changes = [Change(key_of(each), stamp(moment, moment, next(stamps)), codecs.encode(each)) for each in requests]
    await world.inbox.record(SUBJECT, changes)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    await world.connector.serve(lease)
    return told(world.board.topic.announcements)


@pytest.mark.rule("X2")
async def test_a_disconnect_read_after_the_next_connection_seals_all_the_same(world: World) -> None:
    """Their keys may lie in different partitions. What was synced before it stays sealed, the pair goes on."""
    await dated(world, NOW - 9, connected(), pair())
    await dated(world, NOW - 7, connected())
    await dated(world, NOW - 3, connected("second"), pair())
    assert await dated(world, NOW - 5, DISCONNECTED) == [
        ("mapping.removed", "disconnected"),
        ("integration.accepted", ""),
        ("mapping.accepted", ""),
    ]
    assert (await world.connections.mappings(ORG))["e1"].era == NOW - 5
    assert await dated(world, NOW - 4, DISCONNECTED) == [], "older than the connection that is in force now"


@pytest.mark.rule("C3", "M2", "G3")
async def test_connection_older_than_a_future_disconnect_is_refused(world: World) -> None:
    """The publisher's clock was ahead. Order is order, but no one has to guess why nothing connects."""
    late = NOW + 86_400_000
    await dated(world, NOW - 2, connected(), pair())
    assert await dated(world, late, DISCONNECTED) == [("mapping.removed", "disconnected")]
    assert await dated(world, NOW - 1, connected(), pair()) == [
        ("integration.rejected", "dated_too_early"),
        ("mapping.rejected", "dated_too_early"),
    ]
    assert all("2026-06-02T08:00:00Z" in each.sentence for each in world.board.topic.announcements)
    assert await dated(world, late + 1, connected(), pair()) == [("integration.accepted", ""), ("mapping.accepted", "")]


@pytest.mark.rule("G3")
async def test_disconnect_older_than_future_credentials_is_refused(world: World) -> None:
    """A disconnect must not seem done when it is not."""
    await dated(world, NOW + 86_400_000, connected())
    assert await dated(world, NOW - 1, DISCONNECTED) == [("integration.rejected", "dated_too_early")]
    assert "not disconnected" in world.board.topic.announcements[0].sentence
    assert await world.connections.connection(ORG) is not None


@pytest.mark.rule("G3")
async def test_what_was_published_before_an_ordinary_disconnect_is_not_told_of(world: World) -> None:
    """It came together with the disconnect that ended it, or was read late."""
    await dated(world, NOW - 3, connected())
    await world.inbox.record(
        SUBJECT, [Change(disconnect_key(ORG), stamp(NOW - 1, NOW - 1, 9), codecs.encode(DISCONNECTED))]
    )
    assert await dated(world, NOW - 2, connected("second"), pair()) == []


@pytest.mark.rule("G6")
async def test_a_disconnect_read_again_seals_nothing_that_was_synced_after_it(world: World) -> None:
    """The mapping topic is read from its start into an empty Redis; the register came back from the changelog."""
    await settle(world, connected(), pair("e1", A))
    await settle(world, DISCONNECTED)
    await settle(world, connected(), pair("e1", A))
    before = (await world.pairs.all())["e1"].era
    state = world.inbox.state(SUBJECT)
    state.marks |= state.stamps
    state.due = world.clock.now()
    await world.connections.put_connection(ORG, None)
    await world.connections.put_mapping(ORG, "e1", None)
    await settle(world)
    assert (await world.connections.mappings(ORG))["e1"].era == before
