"""A worker that lost its lease while it wrote to the changelog leaves the newest state of each entry there.

The changelog keeps the last record of a key. What came too late is therefore followed by the heir's entry once more:
its name goes back among those that the next flush sends.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.keys import Keys
from consumer.domain.connections.pair import PairEnd
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.ports import Lease, event_subject, org_subject
from tests.contract.bench import Bench, Times, in_redis
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT, an_entry, an_intent, session_key
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]
KEY = session_key()


@dataclass
class Late:
    """A worker that stands still in the middle of a write to the changelog, and the one that takes over."""

    bench: Bench
    heir: Bench
    writing: asyncio.Event = field(default_factory=asyncio.Event)
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    error: Exception | None = None

    async def stand_still(self) -> None:
        """In the middle of a write."""
        self.writing.set()
        await self.go_on.wait()
        if self.error:
            raise self.error

    async def take_over(self) -> None:
        """The heir writes another entry, and has it on the changelog."""
        lease = await self.heir.claimed(event_subject(EVENT), "heir")
        await self.heir.ledger.put(lease, {KEY: an_entry(2)})
        await self.heir.ledger.flush(lease)
        self.heir.changelog.written.clear()

    async def sent_again(self) -> None:
        """The next flush sends the heir's entry once more."""
        assert self.heir.redis is not None
        redis, name = self.heir.redis, Keys("test").event(EVENT, "unlogged")
        await wait_until(lambda: redis.exists(name), "a name is to be sent again", 30)
        lease = await self.heir.claimed(event_subject(EVENT), "next")
        await self.heir.ledger.flush(lease)
        assert self.heir.changelog.written == [(EVENT, KEY, an_entry(2))]


@pytest.fixture
async def late(redis: Redis) -> Late:
    """Two replicas of one world."""
    made = Late(in_redis(redis, Times()), in_redis(redis, Times()))
    made.bench.changelog.during_write = made.stand_still
    return made


async def started(late: Late, write: str) -> asyncio.Task[None]:
    """A `put` of an intent, or a `flush` of an entry, that stands still."""
    lease = await late.bench.leased()
    if write == "put":
        task = asyncio.create_task(late.bench.ledger.put(lease, {KEY: an_intent("opening")}))
    else:
        await late.bench.ledger.put(lease, {KEY: an_entry(1)})
        task = asyncio.create_task(late.bench.ledger.flush(lease))
    await asyncio.wait_for(late.writing.wait(), 30)
    return task


@pytest.mark.parametrize("write", ["put", "flush"])
async def test_a_write_that_was_broken_off_is_followed_by_the_heirs(late: Late, write: str) -> None:
    """The keeper of the lease ends the push as soon as it knows; the record is on its way all the same."""
    task = await started(late, write)
    await late.take_over()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    late.go_on.set()
    await late.sent_again()


@pytest.mark.parametrize("write", ["put", "flush"])
async def test_a_write_whose_answer_got_lost_is_followed_by_the_heirs(late: Late, write: str) -> None:
    """The broker may have it although the producer gave it up."""
    task = await started(late, write)
    await late.take_over()
    late.error = UnavailableError("Kafka is down.")
    late.go_on.set()
    with pytest.raises(LeaseLostError):
        await task
    await late.sent_again()


@pytest.mark.parametrize("write", ["put", "flush"])
async def test_after_a_loss_of_redis_a_late_write_leaves_no_name_without_an_entry(late: Late, write: str) -> None:
    """A rebuild takes such a name for an entry that was forgotten since, and would pass it over."""
    task = await started(late, write)
    assert late.heir.redis is not None
    await late.heir.redis.flushdb()
    late.go_on.set()
    with pytest.raises(LeaseLostError):
        await task
    assert not await late.heir.redis.exists(Keys("test").event(EVENT, "unlogged"))


@pytest.mark.rule("X2")
@pytest.mark.parametrize("broken_off", [True, False])
async def test_a_pair_that_was_sent_too_late_is_followed_by_what_it_is_now(late: Late, broken_off: bool) -> None:
    """Or a rebuild would bring back a pair as it was before the disconnect, and unseal what was synced before it."""
    former, heir = (Lease(org_subject(ORG), epoch, "op") for epoch in (1, 2))
    await late.bench.pairs.claim(former, EVENT, SWOOGO_EVENT, NOW)
    late.bench.pair_log.during_write = late.stand_still
    task = asyncio.create_task(late.bench.pairs.flush(former))
    await asyncio.wait_for(late.writing.wait(), 30)
    await late.heir.pairs.end(heir, EVENT, PairEnd.DISCONNECTED, NOW + 1, era=NOW + 1)
    await late.heir.pairs.flush(heir)
    if broken_off:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
    late.go_on.set()
    sent = late.bench.pair_log.written
    await wait_until(lambda: len(sent) > 1, "the pair is sent again", 30)
    pair = await late.heir.pairs.pair(EVENT)
    assert pair is not None
    assert (sent[-1], sent[-1].era) == (pair, NOW + 1)


@pytest.mark.rule("X2")
async def test_pair_without_a_known_end_is_sent_with_the_next_one(late: Late) -> None:
    former, heir = (Lease(org_subject(ORG), epoch, "op") for epoch in (1, 2))
    await late.bench.pairs.claim(former, EVENT, SWOOGO_EVENT, NOW)
    late.bench.pair_log.during_write, late.error = late.stand_still, UnavailableError("Kafka does not answer.")
    task = asyncio.create_task(late.bench.pairs.flush(former))
    await asyncio.wait_for(late.writing.wait(), 30)
    await late.heir.pairs.flush(heir)
    late.go_on.set()
    with pytest.raises(UnavailableError):
        await task
    await late.heir.pairs.flush(heir)
    assert len(late.heir.pair_log.written) == 2
