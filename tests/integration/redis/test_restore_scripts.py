"""What the scripts decide after a loss: the newer entry stays, and who comes too late changes nothing."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.scripts import Scripts
from tests.integration.redis.script_calls import (
    EPOCH,
    REQUESTS,
    RESTORED,
    STATE,
    checkpoint_rebuild,
    claim,
    commit_rebuild,
    generation_lock,
    keep_rebuild,
    record_to_claim,
    restore_pair,
    write,
)

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("keys_of_its_own")]


@pytest.mark.rule("G6")
async def test_whoever_ticks_off_too_late_has_the_newer_row_sent_again(redis: Redis) -> None:
    """A worker that lost its lease between reading and writing put an old row last on the changelog."""
    scripts = Scripts(redis)
    await record_to_claim(scripts)
    await claim(scripts)
    await write(scripts)
    await redis.delete("{s}:unlogged")  # the heir has sent it on
    late = [STATE, "{s}:ledger", "{s}:unlogged"]
    assert not await scripts.ack_outbox(*late, epoch=EPOCH - 1, fields=["k1", b"v1", "k2", b""])
    assert await redis.smembers("{s}:unlogged") == set()
    assert not await scripts.ack_outbox(*late, epoch=EPOCH - 1, fields=["k1", b"v0"])
    assert await redis.smembers("{s}:unlogged") == {b"k1"}


@pytest.mark.rule("G4", "G6")
async def test_an_epoch_grows_although_redis_forgot_the_last_one(redis: Redis) -> None:
    """A worker that was paused through a loss and its rebuild must not fit a new claim."""
    scripts = Scripts(redis)
    await redis.delete(STATE)
    await record_to_claim(scripts)
    first, *_ = await claim(scripts)
    await redis.flushdb()
    await record_to_claim(scripts)
    second, *_ = await scripts.claim_subject([STATE, *REQUESTS], op_id="another", lease=60_000)
    assert second > first


@pytest.mark.rule("G3", "G6")
@pytest.mark.parametrize(
    ("held", "unlogged", "logged", "expected"),
    [
        (None, False, (b'{"epoch":5,"at":9}', 5, 9), b'{"epoch":5,"at":9}'),
        (b'{"epoch":5,"at":9}', False, (b'{"epoch":5,"at":10}', 5, 10), b'{"epoch":5,"at":10}'),
        (b'{"epoch":5,"at":9}', False, (b'{"epoch":4,"at":99}', 4, 99), b'{"epoch":5,"at":9}'),
        (b'{"epoch":5,"at":9}', False, (b'{"epoch":6,"at":1}', 6, 1), b'{"epoch":6,"at":1}'),
        (b'{"epoch":5,"at":9}', False, (b"", 0, 10), None),
        (b'{"epoch":5,"at":9}', True, (b"", 0, 8), b'{"epoch":5,"at":9}'),
        (b'{"epoch":5,"at":9}', True, (b"", 0, 10), None),
        (None, True, (b'{"epoch":5,"at":9}', 5, 9), None),
    ],
    ids=[
        "missing",
        "later in the same claim",
        "of an earlier claim",
        "of a later claim",
        "forgotten",
        "forgotten before it was written",
        "forgotten after it was written",
        "forgotten here and not told yet",
    ],
)
async def test_of_an_entry_in_redis_and_on_the_changelog_the_newer_one_stays(
    redis: Redis, held: bytes | None, unlogged: bool, logged: tuple[bytes, int, int], expected: bytes | None
) -> None:
    """Highest epoch, then moment; what the outbox names is newer than what the changelog has of it so far."""
    scripts = Scripts(redis)
    if held:
        await redis.hset("{s}:ledger", "k", held)
    if unlogged:
        await redis.sadd("{s}:unlogged", "k")
    await scripts.restore_entries(RESTORED, ["k", *logged])
    assert await redis.hget("{s}:ledger", "k") == expected


@pytest.mark.rule("G4", "G6")
async def test_whoever_held_an_event_of_which_something_was_restored_has_lost_it(redis: Redis) -> None:
    scripts = Scripts(redis)
    await record_to_claim(scripts)
    await claim(scripts)
    assert await scripts.restore_entries(RESTORED, ["k", b'{"epoch":%d,"at":1}' % EPOCH, EPOCH, 1]) == 1
    assert not await write(scripts)
    assert await scripts.renew_lease(STATE, epoch=EPOCH, lease=60_000) == 0


@pytest.mark.rule("G6")
async def test_a_rebuild_whose_redis_was_wiped_meanwhile_is_not_complete(redis: Redis) -> None:
    scripts = Scripts(redis)
    await generation_lock(scripts)
    await redis.flushdb()
    assert not await commit_rebuild(scripts)
    assert not await keep_rebuild(scripts)
    assert not await checkpoint_rebuild(scripts)
    assert await redis.keys() == []


@pytest.mark.rule("G6")
async def test_a_rebuild_never_touches_the_lock_of_another(redis: Redis) -> None:
    scripts = Scripts(redis)
    await scripts.take_lock("{g}:lock", owner="another", milliseconds=1_000)
    assert not await keep_rebuild(scripts)
    assert not await checkpoint_rebuild(scripts)
    assert not await commit_rebuild(scripts)
    assert await redis.keys("{g}:*") == [b"{g}:lock"]
    assert 0 < await redis.pttl("{g}:lock") <= 1_000


@pytest.mark.rule("G6")
async def test_what_another_server_process_has_is_not_said_to_be_restored(redis: Redis) -> None:
    """A copy that was put in its place may hold the lock, and lacks what was put back since it was made."""
    scripts = Scripts(redis)
    await generation_lock(scripts)
    assert not await checkpoint_rebuild(scripts, process="0" * 40)
    assert await redis.keys("{g}:*") == [b"{g}:lock"]


@pytest.mark.rule("G6")
async def test_an_older_state_read_late_does_not_replace_a_newer_one(redis: Redis) -> None:
    scripts = Scripts(redis)
    await generation_lock(scripts)
    for epoch, held in ((3, 3), (5, 5), (4, 5)):
        assert await checkpoint_rebuild(scripts, epoch=epoch)
        assert await redis.hget("{g}:standings", "connection/o") == b'{"epoch":%d}' % held


@pytest.mark.rule("G6")
async def test_a_rebuild_that_wakes_up_late_puts_back_no_pair(redis: Redis) -> None:
    scripts = Scripts(redis)
    assert await restore_pair(scripts) == -1
    await redis.hset("{p}:rebuilder", "owner", "another")
    assert await restore_pair(scripts) == -1
    assert await redis.hgetall("{p}:records") == {}
