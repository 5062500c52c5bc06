"""A pair that never synced anything is taken back by an operator; nothing else lifts M2."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from consumer.adapters.redis import codecs
from consumer.domain.connections.connection import MappingRequest
from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.orders.ledger_commands import voiding
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Remote
from consumer.domain.surveys.survey import SurveyState
from consumer.ports import Change, Lease, org_subject
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT, a_session, an_entry
from tests.support.service_world import SETTINGS, SUBJECT, World

pytestmark = pytest.mark.rule("M2", "M8")

REASON = "It was mapped by another organization."
COMMAND = voiding(EVENT, SWOOGO_EVENT, REASON)


def org_lease(epoch: int = 1, org_id: str = ORG) -> Lease:
    return Lease(org_subject(org_id), epoch, "org-op")


async def an_ended_pair(world: World) -> Pair:
    """It was mapped, and is no more."""
    await world.pairs.claim(org_lease(), EVENT, SWOOGO_EVENT, NOW)
    await world.pairs.end(org_lease(), EVENT, PairEnd.REMOVED, NOW)
    await world.connections.put_mapping(ORG, EVENT, None)
    await world.inbox.set_continuous(EVENT, on=False)
    pair = await world.pairs.pair(EVENT)
    assert pair is not None
    return pair


async def carried_out(world: World) -> list[tuple[str, str]]:
    """Have the event dealt with; what the log says of pairs."""
    await world.inbox.request_commands(EVENT, [COMMAND], at_once=True)
    with capture_logs() as lines:
        await world.dispatcher()._work(SUBJECT)
    return [(each["event"], each.get("why", "")) for each in lines if each["event"].startswith("pair.")]


async def test_a_pair_that_never_synced_is_taken_back_at_once_and_the_log_says_why(world: World) -> None:
    pair = await an_ended_pair(world)
    await world.inbox.request_commands(EVENT, [COMMAND], at_once=True)
    with capture_logs() as lines:
        await world.dispatcher()._work(SUBJECT)
    [line] = [each for each in lines if each["event"] == "pair.voided"]
    assert (line["event_id"], line["swoogo_event_id"], line["reason"]) == (EVENT, SWOOGO_EVENT, REASON)
    assert await world.pairs.all() == {}
    [told] = [each for each in world.pairs.changelog.written if each.voided_at is not None]
    assert (told.event_id, told.swoogo_event_id, told.reason) == (EVENT, pair.swoogo_event_id, REASON)
    assert (await world.inbox.load(EVENT)).commands == frozenset()
    assert world.inbox.state(SUBJECT).due is None


@pytest.mark.parametrize("kept", ["session/s1", "location/r1"])
async def test_a_pair_that_synced_anything_is_for_ever(world: World, kept: str) -> None:
    pair = await an_ended_pair(world)
    world.ledger.entries[EVENT] = {kept: an_entry(7)}
    why = f"1 record was synced to Swoogo event {SWOOGO_EVENT}, so the two belong together for ever."
    assert await carried_out(world) == [("pair.not_voided", why)]
    assert await world.pairs.all() == {EVENT: pair}
    assert (await world.inbox.load(EVENT)).commands == frozenset()


async def test_a_pair_in_force_is_not_taken_back(world: World) -> None:
    """A push of it may be under way; the mapping has to be removed first."""
    await world.pairs.claim(org_lease(), EVENT, SWOOGO_EVENT, NOW)
    await world.given(a_session("s1"))
    await world.inbox.request_commands(EVENT, [COMMAND], at_once=True)
    await world.push()
    assert set(await world.pairs.all()) == {EVENT}
    assert (await world.inbox.load(EVENT)).commands == frozenset()


@pytest.mark.parametrize(
    ("pair", "swoogo", "synced", "why"),
    [
        (None, 7, 0, "It has no pair."),
        (Pair("e", 7, "o", 1), 7, 0, "It is mapped to Swoogo event 7. Remove the mapping first."),
        (Pair("e", 7, "o", 1, ended_at=2), 8, 0, "Its Swoogo event is 7, not 8."),
        (Pair("e", 7, "o", 1, ended_at=2), 0, 0, ""),
    ],
)
def test_what_keeps_a_pair_is_said(pair: Pair | None, swoogo: int, synced: int, why: str) -> None:
    from consumer.domain.connections.pair import not_voidable

    assert not_voidable(pair, swoogo, synced) == why


async def test_what_was_refused_for_the_pair_is_asked_for_again(world: World) -> None:
    """The organization published the right Swoogo event, and was told that the event has another."""
    await an_ended_pair(world)
    await world.connections.add_requester(EVENT, ORG)
    wanted = MappingRequest(ORG, EVENT, present=True, swoogo_event_id=999, timezone="Europe/London")
    world.swoogo.zones[999] = "Europe/London"
    await world.inbox.record(org_subject(ORG), [Change(f"mapping/{EVENT}", "1", codecs.encode(wanted))])
    await world.dispatcher()._work(org_subject(ORG))
    assert [each.code for each in world.board.topic.announcements] == ["event_already_mapped"]
    await carried_out(world)
    await world.dispatcher()._work(org_subject(ORG))
    assert [each.action for each in world.board.topic.announcements][-1] == "mapping.accepted"
    mapping, pair = await world.connections.mapping(EVENT), await world.pairs.pair(EVENT)
    assert mapping is not None
    assert pair is not None
    assert (mapping.swoogo_event_id, pair.swoogo_event_id, pair.round) == (999, 999, 1)


async def test_what_was_seen_in_the_former_swoogo_event_is_forgotten(world: World) -> None:
    """Else a record of it would be taken for one of the next."""
    await world.given(a_session("s1"))
    lease = await world.claim()
    await world.ledger.put_directory(lease, Kind.LOCATION, Directory({1: Remote(1, "hall")}, at=NOW))
    await world.ledger.put_survey(lease, SurveyState(deep_at=NOW))
    await world.inbox.complete(lease, {})
    await an_ended_pair(world)
    assert await carried_out(world) == [("pair.voided", "")]
    assert await world.ledger.directories(EVENT) == {}
    assert await world.ledger.survey(EVENT) == SurveyState()


@pytest.mark.rule("G4")
async def test_former_worker_writes_no_entry_of_an_event_found_empty(world: World) -> None:
    await world.given(a_session("s1"))
    former = await world.claim()
    await an_ended_pair(world)
    await world.clock.advance(SETTINGS.lease + 1)
    assert await carried_out(world) == [("pair.voided", "")]
    with pytest.raises(LeaseLostError):
        await world.ledger.put(former, {"session/s1": an_entry(1)})


@pytest.mark.rule("G1")
async def test_a_void_that_kafka_does_not_take_is_tried_again(world: World) -> None:
    pair = await an_ended_pair(world)
    world.pairs.changelog.failures.append(UnavailableError("Kafka is away."))
    assert await carried_out(world) == []
    kept = await world.pairs.pair(EVENT)
    assert kept is not None
    assert replace(kept, voided_at=None, reason="") == pair
    await world.clock.advance(SETTINGS.lease + 1)
    assert await carried_out(world) == [("pair.voided", "")]
