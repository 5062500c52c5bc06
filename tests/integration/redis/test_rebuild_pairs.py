"""What a rebuild says of pairs: seals, ends, voids, and which of two stays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from consumer.domain.connection_state import ConnectionState, PairState
from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.errors import LeaseLostError
from consumer.ports import Lease, org_subject
from tests.support.builders import an_intent
from tests.support.rebuild_ground import AT, EVENT, MAPPING, ORG, PAIR, Ground

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]


@pytest.mark.rule("X2")
async def test_the_seal_of_a_disconnect_stays(ground: Ground) -> None:
    ground.synced()
    sealed = replace(PAIR.ended(PairEnd.DISCONNECTED, 77, 0, era=77))
    ground.history.log_pair(sealed)
    ground.history.publish(ground.writer.integration_disconnected(at=AT + timedelta(hours=1)))
    settled = {f"disconnect/{ORG}": ground.stamp(2, AT + timedelta(hours=1))}
    ground.history.log_state(ConnectionState(ORG, None, settled, 5))
    ground.history.log_state(PairState(ORG, EVENT, None, ground.stamp(1), 5))
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert await replica.pairs.pair(EVENT) == sealed
    assert await replica.stores.connections.connection(ORG) is None
    assert await replica.stores.connections.mapping(EVENT) is None


@pytest.mark.rule("X2", "G4")
async def test_former_holder_overwrites_no_restored_pair(ground: Ground) -> None:
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
async def test_a_state_published_late_brings_back_no_pair_that_ended_since(ground: Ground, since: Pair) -> None:
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
    ground.history.log_state(PairState(ORG, EVENT, None, ground.stamp(1), 5))
    replica = ground.replica()
    await replica.rebuilder.restore()
    assert await replica.stores.connections.mapping(EVENT) is None
    ground.history.log_state(PairState(ORG, EVENT, MAPPING, ground.stamp(1), 3))
    ground.history.log_entry(EVENT, "session/s2", an_intent("talk 6"))
    await ground.redis.hset(replica.stores.keys.generation("marker"), "server", "the process before")
    assert await replica.rebuilder.restore()
    assert await replica.stores.connections.mapping(EVENT) is None


@pytest.mark.rule("G4")
async def test_restored_organization_can_be_claimed_after_a_clock_ahead(ground: Ground) -> None:
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
