"""A real Redis loses what it had, and Kafka (a list here) knows: what comes back, and what must not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.changelog import deletion_record
from consumer.adapters.kafka.status_messages import issues_message
from consumer.adapters.redis.client import read_hash
from consumer.domain.connection_state import ConnectionStanding, PairStanding, ServedRequest
from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.errors import LeaseLostError, RetryableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.record_issues import by_record
from consumer.domain.records.identity import Kind, stamp
from consumer.domain.records.ledger import State
from consumer.domain.records.snapshot import Contact
from consumer.ports import Lease, SyncRequest, event_subject, org_subject
from consumer.ports.rebuild import RebuildProgress, TopicPartition
from consumer.services.workers import cancel_and_wait
from consumer.settings import Topics
from tests.support.builders import an_entry, an_intent
from tests.support.conferences import small
from tests.support.rebuild_ground import AT, CONNECTION, EVENT, MAPPING, ORG, PAIR, Ground, a_ground
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]


@pytest.fixture
async def ground(redis: Redis, redis_url: str) -> AsyncIterator[Ground]:
    async with a_ground(redis, redis_url) as made:
        yield made


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
    ground.history.log_standing(ServedRequest(EVENT, "served", ground.stamp(2)))
    ground.history.log_standing(ServedRequest(EVENT, without_id, without_id))
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
    ground.history.log_standing(PairStanding(ORG, EVENT, replace(MAPPING, continuous=False), ground.stamp(1), 4))
    replica = ground.replica()
    assert await replica.rebuilder.restore()
    inbox = replica.stores.inbox
    await inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), ground.stamp(9))
    await ground.redis.hset("test:{generation}:marker", "server", "another")
    ground.history.log_standing(ServedRequest(EVENT, "r1", ground.stamp(9)))
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
    ground.history.log_standing(PairStanding(ORG, EVENT, MAPPING, later, 4))
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


@pytest.mark.rule("X2")
async def test_the_seal_of_a_disconnect_stays(ground: Ground) -> None:
    ground.synced()
    sealed = replace(PAIR.ended(PairEnd.DISCONNECTED, 77, 0, era=77))
    ground.history.log_pair(sealed)
    ground.history.publish(ground.writer.integration_disconnected(at=AT + timedelta(hours=1)))
    settled = {f"disconnect/{ORG}": ground.stamp(2, AT + timedelta(hours=1))}
    ground.history.log_standing(ConnectionStanding(ORG, None, settled, 5))
    ground.history.log_standing(PairStanding(ORG, EVENT, None, ground.stamp(1), 5))
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert await replica.pairs.pair(EVENT) == sealed
    assert await replica.stores.connections.connection(ORG) is None
    assert await replica.stores.connections.mapping(EVENT) is None


@pytest.mark.rule("X2", "G4")
async def test_former_holder_overwrites_no_restored_pair(
    ground: Ground,
) -> None:
    ground.synced()
    replica = ground.replica()
    await replica.rebuilder.restore()
    former = Lease(org_subject(ORG), 3, "op")
    with pytest.raises(LeaseLostError):
        await replica.pairs.end(former, EVENT, PairEnd.DISCONNECTED, 8, era=8)
    assert await replica.pairs.pair(EVENT) == PAIR


@pytest.mark.rule("M4", "X1")
@pytest.mark.parametrize(
    "since",
    [
        pytest.param(PAIR.ended(PairEnd.REMOVED, 77, 0), id="removed"),
        pytest.param(PAIR.ended(PairEnd.DISCONNECTED, 77, 0, era=77), id="disconnected"),
        pytest.param(replace(PAIR, era=77), id="disconnected and mapped again"),
        pytest.param(replace(PAIR, org_id="another"), id="mapped by another organization"),
    ],
)
async def test_a_standing_published_late_brings_back_no_pair_that_ended_since(ground: Ground, since: Pair) -> None:
    """A worker slept before it published how the pair stood, and compaction left nothing newer of that key. The history
    of the pair tells; what was asked for, if anything is left of it, is dealt with again.
    """
    ground.synced()
    ground.history.log_pair(since)
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert await replica.stores.connections.mapping(EVENT) is None
    assert (await replica.stores.inbox.requests(ORG)).marks.keys() == {f"mapping/{EVENT}"}


@pytest.mark.rule("M4")
async def test_late_state_brings_back_no_pair_that_redis_has_ended(ground: Ground) -> None:
    """What is read again begins after the end of the pair: only the register tells of that."""
    ground.synced()
    ground.history.log_pair(PAIR.ended(PairEnd.REMOVED, 77, 0))
    ground.history.log_standing(PairStanding(ORG, EVENT, None, ground.stamp(1), 5))
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert await replica.stores.connections.mapping(EVENT) is None
    ground.history.log_standing(PairStanding(ORG, EVENT, MAPPING, ground.stamp(1), 3))
    ground.history.log_entry(EVENT, "session/s2", an_intent("talk 6"))
    await ground.redis.hset(replica.stores.keys.generation("marker"), "server", "the process before")
    assert await replica.rebuilder.restore()
    assert await replica.stores.connections.mapping(EVENT) is None


@pytest.mark.rule("G4")
async def test_restored_organization_can_be_claimed_after_a_clock_ahead(
    ground: Ground,
) -> None:
    """Its epochs are above the server's time, and grow by one a claim; the fence must not grow with each pair."""
    ground.synced()
    for number in range(5):
        ground.history.log_pair(Pair(f"another {number}", 5000 + number, ORG, mapped_at=6))
    ground.history.publish(ground.writer.mapping_removed(at=AT + timedelta(hours=1)))
    replica, ahead = ground.replica(), 10**14
    await ground.redis.hset(replica.stores.keys.subject(org_subject(ORG), "state"), "epoch", ahead)
    await ground.redis.hset(replica.stores.keys.pairs("holders"), ORG, ahead)
    await replica.rebuilder.restore()
    lease = await replica.stores.inbox.claim(org_subject(ORG), "op")
    assert lease is not None
    await replica.pairs.fence(lease)


@pytest.mark.rule("M2")
async def test_of_two_pairs_for_one_event_the_first_mapped_one_stays(ground: Ground) -> None:
    ground.synced()
    ground.history.log_pair(Pair(EVENT, 5000, ORG, mapped_at=6))
    ground.history.log_pair(Pair("another", 4711, ORG, mapped_at=7))
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert await replica.pairs.all() == {EVENT: PAIR}


VOIDED = replace(PAIR, ended_at=8, ended_by=PairEnd.REMOVED).voided(9, "the wrong one")
SECOND = Pair(EVENT, 4712, ORG, mapped_at=20, round=1)
THIRD = Pair("another", 4711, "other", mapped_at=21, round=1)
BY_KEY = ([PAIR, VOIDED], [SECOND], [THIRD])
"""What the changelog holds under each key: they lie in any partition, so nothing orders one key against another."""


def orders(*queues: list[Pair]) -> list[list[Pair]]:
    """Every order in which these can be read."""
    if not any(queues):
        return [[]]
    found = []
    for number, queue in enumerate(queues):
        if queue:
            left = [each[1:] if number == place else each for place, each in enumerate(queues)]
            found += [[queue[0], *rest] for rest in orders(*left)]
    return found


@pytest.mark.rule("M8")
@pytest.mark.parametrize("compacted", [False, True])
async def test_a_voided_pair_stays_voided_in_whatever_order_the_changelog_is_read(
    ground: Ground, compacted: bool
) -> None:
    """Its partners keep those that they were given since; an uncompacted changelog has what was before, too."""
    queues = [each[-1:] for each in BY_KEY] if compacted else [*BY_KEY]
    for read in orders(*queues):
        await ground.redis.flushdb()
        ground.history.records.clear()
        for pair in read:
            ground.history.log_pair(pair)
        ground.history.batch = 1
        replica = ground.replica()
        assert await replica.rebuilder.restore()
        assert await replica.pairs.all() == {EVENT: SECOND, "another": THIRD}, read
        lease = Lease(org_subject(ORG), 2**50, "op")
        assert await replica.pairs.claim(lease, "x", 4711, 50) is None
        await replica.pairs.fence(lease)
        assert await replica.pairs.claim(lease, EVENT, 4711, 50) is None


@pytest.mark.rule("M8")
async def test_a_void_that_redis_had_not_done_yet_is_found_on_the_changelog(ground: Ground) -> None:
    """The worker died between the two; read again from an earlier place, the old pair stays out."""
    ground.history.log_pair(VOIDED)
    replica = ground.replica()
    await replica.rebuilder.restore()
    await ground.redis.hset("test:{generation}:marker", "server", "another")
    ground.history.log_pair(replace(VOIDED, voided_at=None, reason=""))
    await ground.replica().rebuilder.restore()
    assert await replica.pairs.all() == {}
    lease = Lease(org_subject(ORG), 2**50, "op")
    assert await replica.pairs.claim(lease, EVENT, 4712, 20) == replace(SECOND, epoch=2**50)


@pytest.mark.rule("M8")
async def test_a_trouble_of_a_voided_pair_puts_nothing_in_force(ground: Ground) -> None:
    """Published late by a worker that was stopped."""
    ground.synced()
    ground.history.log_pair(VOIDED)
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert await replica.stores.connections.mapping(EVENT) is None


async def test_a_restart_that_lost_nothing_reads_the_tail_only_and_changes_nothing(ground: Ground) -> None:
    ground.synced()
    replica = ground.replica(lease=3600.0)
    replica.rebuilder.on.lease = 0.0
    await replica.rebuilder.restore()
    replica.rebuilder.on.lease = 3600.0
    generation = (await replica.markers.look()).generation
    await ground.redis.hset(replica.stores.keys.generation("marker"), "server", "the process before")
    ground.history.reads.clear()
    assert not await replica.rebuilder.is_redis_complete()
    assert await replica.rebuilder.restore()
    after = await replica.markers.look()
    assert after.complete
    assert after.generation == generation
    # The marker itself was published after the ends were read.
    assert [topic for topic, *_ in ground.history.reads] == [ground.history.ledger]


@pytest.mark.rule("G1")
async def test_state_lost_since_the_positions_is_restored_as_a_loss(ground: Ground) -> None:
    """The tail of the append-only file is gone: offsets were committed, and the rows are not there."""
    ground.synced()
    replica = ground.replica()
    await replica.rebuilder.restore()
    generation = (await replica.markers.look()).generation
    ground.history.publish(*ground.writer.revision(small(), small(talks=7), at=AT + timedelta(hours=2)))
    ground.history.log_entry(EVENT, "session/s2", an_intent("talk 6"))
    await ground.redis.hset(replica.stores.keys.generation("marker"), "server", "the process before")
    assert await replica.rebuilder.restore()
    assert (await replica.markers.look()).generation != generation
    assert len((await replica.stores.inbox.load(EVENT)).snapshot.sessions) == 7
    lease = await replica.stores.inbox.claim(event_subject(EVENT), "op")
    assert lease is not None
    assert b"session/s2" in await ground.redis.hkeys(replica.stores.keys.event(EVENT, "ledger"))


@pytest.mark.rule("G1")
async def test_a_position_in_a_topic_that_was_made_again_since_means_nothing(ground: Ground) -> None:
    """An older copy of Redis knows the topic of before; what lies before that position in the new one is not in it."""
    ground.synced()
    sessions = ground.history.resources[0]
    ground.history.made[sessions] = "the first"
    replica = ground.replica()
    await replica.rebuilder.restore()
    await replica.markers.advance(await replica.markers.look(), await ground.history.committed())
    ground.history.made[sessions] = "the second"
    ground.history.records[sessions].clear()
    ground.history.publish(*ground.writer.revision(None, small(talks=9), at=AT + timedelta(hours=2)))
    ground.history.reads.clear()
    await ground.redis.hset(replica.stores.keys.generation("marker"), "server", "the process before")
    assert await replica.rebuilder.restore()
    assert (sessions, 0, 9) in ground.history.reads
    assert len((await replica.stores.inbox.load(EVENT)).snapshot.sessions) == 9


async def test_an_entry_forgotten_since_an_older_copy_was_made_is_forgotten_again(ground: Ground) -> None:
    ground.synced()
    replica = ground.replica()
    await replica.rebuilder.restore()
    ground.history.log_entry(EVENT, "session/s1", None, at=60)
    await ground.redis.hset(replica.stores.keys.generation("marker"), "server", "the process before")
    await replica.rebuilder.restore()
    assert await ground.redis.hlen(replica.stores.keys.event(EVENT, "ledger")) == 0


@pytest.mark.rule("G4")
async def test_one_replica_rebuilds_and_the_other_sees_its_progress(ground: Ground) -> None:
    ground.synced()
    first, second = ground.replica(), ground.replica()
    reading, go_on = asyncio.Event(), asyncio.Event()

    async def held() -> None:
        reading.set()
        await go_on.wait()

    ground.history.before_read = held
    rebuilding = asyncio.create_task(first.rebuilder.restore())
    await asyncio.wait_for(reading.wait(), 30)
    assert not await second.rebuilder.restore()
    assert not await second.rebuilder.is_redis_complete()
    assert second.rebuilder.progress is not None
    assert second.rebuilder.progress.total == sum((await ground.history.ends()).values())
    go_on.set()
    assert await rebuilding
    assert await second.rebuilder.is_redis_complete()
    assert len(ground.history.announced) == 1


async def test_recording_waits_for_the_check_of_a_first_start(ground: Ground) -> None:
    """What was recorded meanwhile would look like the rest of something lost, and cost a lease of waiting."""
    first, second = ground.replica(), ground.replica()
    assert await first.markers.lock("looking")
    assert not await second.rebuilder.restore()
    assert not second.rebuilder.decided.is_set()
    assert await first.markers.keep("looking", RebuildProgress("ledger", 0, 0, 0))
    assert not await second.rebuilder.restore()
    assert second.rebuilder.decided.is_set()


async def test_another_replica_takes_over_from_one_that_died(ground: Ground) -> None:
    """Its lock runs out; what it had restored is found as it is."""
    ground.synced()
    died, heir = ground.replica(), ground.replica()
    assert await died.markers.lock("died")
    assert not await heir.rebuilder.restore()
    await ground.redis.pexpire(heir.stores.keys.generation("lock"), 1)
    await wait_until(heir.rebuilder.restore, "the heir rebuilds", 30)
    assert await heir.rebuilder.is_redis_complete()


async def test_a_rebuild_that_finds_redis_wiped_again_begins_again(ground: Ground) -> None:
    ground.synced()
    replica = ground.replica()

    async def wiped_again() -> None:
        await ground.redis.flushdb()

    ground.history.before_read = wiped_again
    with pytest.raises(RetryableError, match="lost again"):
        await replica.rebuilder.restore()
    assert not await replica.rebuilder.is_redis_complete()
    assert await replica.rebuilder.restore()
    assert await replica.stores.connections.mapping(EVENT) == MAPPING


async def test_a_loss_found_by_a_rebuild_that_was_broken_off_is_one_for_the_next(ground: Ground) -> None:
    """What it restored is no news to the next; the doubts about credits and creates must not go with it."""
    ground.synced()
    replica = ground.replica()
    await replica.rebuilder.restore()
    generation = (await replica.markers.look()).generation
    ground.history.log_entry(EVENT, "session/s2", an_intent("talk 6"))
    await ground.redis.hset(replica.stores.keys.generation("marker"), "server", "the process before")
    replica.rebuilder.on.lease = 3600.0

    async def rebuild() -> None:
        await replica.rebuilder.restore()

    broken = asyncio.create_task(rebuild())

    async def lost() -> bool:
        return (await replica.markers.look()).lost

    await wait_until(lost, "the loss is found", 30)
    await cancel_and_wait(broken)
    replica.rebuilder.on.lease = 0.0
    assert not await replica.rebuilder.is_redis_complete()
    assert await replica.rebuilder.restore()
    assert (await replica.markers.look()).generation != generation


class SetClock(SystemClock):
    """Set by so many seconds as soon as it is slept by; sleeps take no time."""

    def __init__(self, by: float) -> None:
        self.slept = self.moved = 0.0
        super().__init__(ticks=lambda: round(self.slept * 1e9))
        self.by = by

    async def sleep(self, seconds: float) -> None:
        self.slept += seconds
        by, self.by = self.by, 0.0
        told = self.now() * 1_000_000 + round(by * 1e9)
        self.set_by(told, self.ticks(), self.ticks())
        await asyncio.sleep(0)


@pytest.mark.rule("G2")
@pytest.mark.parametrize("by", [0.0, 600.0, -600.0])
async def test_calls_before_a_loss_keep_their_lease_when_the_clock_is_set(ground: Ground, by: float) -> None:
    """Another server takes the place of the one that was lost, with another time."""
    ground.synced()
    replica = ground.replica(lease=40.0)
    replica.rebuilder.on.clock = clock = SetClock(by)
    assert await replica.rebuilder.restore()
    assert 40.0 <= clock.slept < 42.0


@pytest.mark.rule("G5")
async def test_after_a_loss_the_credits_of_every_credential_are_in_doubt(ground: Ground) -> None:
    ground.synced()
    replica = ground.replica()
    await replica.rebuilder.restore()
    credits_ = replica.stores.keys.credential(CONNECTION.credential, "credits")
    assert await ground.redis.hexists(credits_, "doubt")
    assert 0 < await ground.redis.pttl(credits_) <= 1_200_000


async def test_positions_advance_only_in_the_redis_that_was_found_sound(ground: Ground) -> None:
    """A server put in its place in between keeps the positions that it came with."""
    ground.synced()
    replica = ground.replica()
    await replica.rebuilder.restore()
    marker = await replica.markers.look()
    place = TopicPartition(ground.history.ledger, 0)
    await replica.markers.advance(marker, {place: marker.offsets[place] + 5})
    assert (await replica.markers.look()).offsets[place] == marker.offsets[place] + 5
    other = replace(marker, server="another process")
    await replica.markers.advance(other, {place: marker.offsets[place] + 9})
    after = await replica.markers.look()
    assert after.offsets[place] == marker.offsets[place] + 5
    assert after.complete


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
