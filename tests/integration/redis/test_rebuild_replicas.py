"""A rebuild on real Redis beside others: restarts that lost little, replicas that take over, clocks that are set."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from consumer.adapters.clock import SystemClock
from consumer.domain.errors import RetryableError
from consumer.ports import event_subject
from consumer.ports.rebuild import RebuildProgress, TopicPartition
from consumer.services.workers import cancel_and_wait
from tests.support.builders import an_intent
from tests.support.conferences import small
from tests.support.rebuild_ground import AT, CONNECTION, EVENT, MAPPING, Ground
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]


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
