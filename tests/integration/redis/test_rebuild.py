"""A real Redis loses what it had, and Kafka (a list here) knows: what comes back, and what must not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from consumer.adapters.kafka.changelog import deletion_record
from consumer.adapters.kafka.status_messages import issues_message
from consumer.adapters.redis.client import read_hash
from consumer.domain.connection_state import PairState, ServedRequest
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.record_issues import by_record
from consumer.domain.records.identity import Kind, stamp
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import Contact
from consumer.ports import SyncRequest, event_subject, org_subject
from consumer.settings import Topics
from tests.support.builders import an_entry
from tests.support.conferences import small
from tests.support.rebuild_ground import AT, CONNECTION, EVENT, MAPPING, ORG, PAIR, Ground

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]


@pytest.mark.rule("C4", "C5")
async def test_a_manual_sync_that_was_served_is_not_done_again(ground: Ground) -> None:
    """Without continuous sync, titles would appear in Swoogo that no one asked to sync. One not served comes."""
    ground.synced()
    ground.history.publish(
        ground.writer.sync_requested("agenda", request_id="served", at=AT),
        ground.writer.sync_requested("agenda", at=AT),
        ground.writer.sync_requested("sponsors", request_id="waiting", at=AT),
    )
    without_id = ground.stamp(3)
    ground.history.log_state(ServedRequest(EVENT, "served", ground.stamp(2)))
    ground.history.log_state(ServedRequest(EVENT, without_id, without_id))
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    waiting = await replica.stores.inbox.waiting(EVENT)
    assert waiting.asked == {"waiting"}
    assert waiting.request is not None
    assert waiting.request.scope == "sponsors"


@pytest.mark.rule("C5")
async def test_a_request_in_an_older_copy_of_redis_is_not_done_again(ground: Ground) -> None:
    """The copy was made while it waited; the changelog says that it was served since."""
    ground.synced()
    ground.history.log_state(PairState(ORG, EVENT, replace(MAPPING, continuous=False), ground.stamp(1), 4))
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    inbox = replica.stores.inbox
    await inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), ground.stamp(9))
    await ground.redis.hset("test:{generation}:marker", "server", "another")
    ground.history.log_state(ServedRequest(EVENT, "r1", ground.stamp(9)))
    await ground.replica().rebuilder.restore()
    waiting = await inbox.waiting(EVENT)
    assert (waiting.asked, waiting.request, waiting.due_in) == (frozenset(), None, None)


async def test_a_first_start_is_no_loss(ground: Ground) -> None:
    """Nothing in Redis, nothing in Kafka: the marker is written on both sides, and no one waits."""
    replica = ground.replica(lease=3600.0)
    assert not await replica.rebuilder.is_redis_complete()
    assert await replica.rebuilder.restore()
    assert await replica.rebuilder.is_redis_complete()
    assert len(ground.history.announced) == 1
    assert (await replica.markers.look()).generation == ground.history.announced[0]
    assert await ground.redis.keys("*careful*") == []


async def test_ledger_pairs_connection_mapping_and_snapshot_come_back(ground: Ground) -> None:
    ground.synced()
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    bound = replica.stores
    state = await bound.inbox.load(EVENT)
    assert len(state.snapshot.sessions) == 6
    assert len(state.snapshot.contacts) == 4
    assert state.verify_before_create == {Kind.SESSION, Kind.SPONSOR}
    assert await replica.pairs.all() == {EVENT: PAIR}
    assert (await replica.pairs.partners("another", 4711)).of_swoogo_event == PAIR
    assert await bound.connections.connection(ORG) == CONNECTION
    assert await bound.connections.mappings(ORG) == {EVENT: MAPPING}
    assert await bound.connections.requesters_of(EVENT) == {ORG}
    assert await bound.inbox.events() == (EVENT,)
    assert await ground.redis.hlen(bound.keys.event(EVENT, "ledger")) == 1
    assert (await bound.inbox.waiting(EVENT)).survey_in is not None
    lease = await bound.inbox.claim(event_subject(EVENT), "op")
    assert lease is not None
    assert lease.epoch > 7
    reads = [topic for topic, *_ in ground.history.reads]
    assert reads[:2] == [ground.history.ledger, ground.history.requests]


async def test_requests_that_were_dealt_with_are_not_dealt_with_again(ground: Ground) -> None:
    """No one is told twice, nothing is verified twice, and no disconnect is sealed twice."""
    ground.synced()
    replica = ground.replica()
    await replica.rebuilder.restore()
    asked = await replica.stores.inbox.requests(ORG)
    assert len(asked.rows) == 2
    assert asked.marks == {}
    assert await replica.stores.inbox.claim(org_subject(ORG), "op") is None
    assert org_subject(ORG) not in (await replica.stores.inbox.due(10)).subjects


@pytest.mark.rule("M2")
async def test_refused_request_does_not_win_as_the_last_of_its_key(ground: Ground) -> None:
    """Compaction keeps the refused one; the pair in force comes from the changelog."""
    ground.synced()
    refused = ground.writer.mapping_added(9999, at=AT + timedelta(hours=1))
    ground.history.records[ground.history.requests].pop()
    ground.history.publish(refused)
    later = ground.stamp(1, AT + timedelta(hours=1))
    ground.history.log_state(PairState(ORG, EVENT, MAPPING, later, 4))
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert await replica.stores.connections.mapping(EVENT) == MAPPING
    assert (await replica.stores.inbox.requests(ORG)).marks == {}


async def test_a_request_that_was_not_dealt_with_yet_still_is(ground: Ground) -> None:
    ground.synced()
    ground.history.publish(ground.writer.mapping_removed(at=AT + timedelta(hours=1)))
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert (await replica.stores.inbox.requests(ORG)).marks.keys() == {f"mapping/{EVENT}"}
    assert await replica.stores.inbox.claim(org_subject(ORG), "op")


async def test_every_state_of_an_entry_survives(ground: Ground) -> None:
    ground.synced()
    for state in State:
        ground.history.log_entry(EVENT, f"sponsor/{state.value}", an_entry(5, state=state))
    replica = ground.replica()
    await replica.rebuilder.restore()
    found = await ground.redis.hkeys(replica.stores.keys.event(EVENT, "ledger"))
    assert {f"sponsor/{state.value}".encode() for state in State} <= set(found)


@pytest.mark.rule("P5")
async def test_a_deleted_contact_stays_deleted_when_its_topic_has_forgotten_it(ground: Ground) -> None:
    """Compaction took the null value and all before it; sessions carry the person on."""
    ground.synced()
    contact = next(iter(small().people))
    forgotten = f"{EVENT}/{contact}".encode()
    speakers = ground.history.records[Topics().speakers]
    kept = [each for each in speakers if each.key != forgotten]
    ground.history.records[Topics().speakers] = kept
    ground.history.taken[Topics().speakers] = len(kept)
    ground.history.add(ground.history.ledger, *deletion_record(EVENT, contact, stamp(7, 7, 3)))
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    state = await replica.stores.inbox.load(EVENT)
    assert state.snapshot.contacts[contact] == Contact(contact, 7, deleted=True)
    assert len(state.snapshot.contacts) == 4


@pytest.mark.rule("P5", "G3")
async def test_a_contact_that_is_there_again_outlives_its_former_deletion(ground: Ground) -> None:
    """The changelog still has the deletion; the contact's own record is newer."""
    ground.synced()
    contact = next(iter(small().people))
    ground.history.add(ground.history.ledger, *deletion_record(EVENT, contact, stamp(7, 7, 3)))
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    assert not (await replica.stores.inbox.load(EVENT)).snapshot.contacts[contact].deleted


@pytest.mark.rule("N2")
async def test_what_the_issues_topic_has_is_known_again(ground: Ground) -> None:
    """So the next push publishes what is news, and takes back what stands there and is none any more."""
    ground.synced()
    [record] = by_record([Issue("session/s1", Code.REFUSED, detail="No.")]).values()
    value = issues_message(EVENT, ORG, record, datetime.fromtimestamp(1, UTC)).encode()
    for key, held in (("session/s1", value), ("session/s2", value), ("session/s2", None)):
        ground.history.add(ground.history.issues, f"{EVENT}/{key}".encode(), held)
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    known = await read_hash(ground.redis, replica.stores.keys.event(EVENT, "published"))
    assert known == {b"session/s1": record.digest.encode()}
