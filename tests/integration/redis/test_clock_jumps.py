"""The Redis server's clock is set back or forward, as by a failover to a server whose clock is another."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.errors import LeaseLostError
from consumer.domain.pacing.circuit import Circuit, Passage
from consumer.domain.push.run import Trigger
from consumer.ports import Lease, SyncRequest, event_subject
from consumer.settings import SwoogoSettings
from tests.contract.bench import CREDENTIAL, Times, a_change, a_work, in_redis, stamped
from tests.support.builders import EVENT
from tests.support.fakes.clock import settle
from tests.support.fakes.server_time import FakeServerTime
from tests.support.server_time import TimedServer

pytestmark = [pytest.mark.integration, pytest.mark.rule("G1", "G4", "G5")]

HOUR, WINDOW, LIMIT = 3_600_000, 600_000, 20
KEYS = Keys("test")
SUBJECT = event_subject(EVENT)
LEASE = Lease(SUBJECT, 1, "op")
SETTINGS = SwoogoSettings.model_construct(credit_limit=LIMIT, credit_window=WINDOW / 1000, credit_reserve=0)


class Replica:
    """One process: a budget with a lease of an hour, and what it knows of the server's clock."""

    def __init__(self, server: TimedServer, quiet: float = 0.0) -> None:
        self.time = FakeServerTime(server.clock, quiet=quiet)
        self.leases = Leases(server.clock.ticks)
        self.leases.hold(LEASE, server.clock.now() + HOUR, server.clock.ticks(), HOUR)
        self.budget = RedisBudget(server.redis, KEYS, server.scripts, self.leases, server.clock, SETTINGS, self.time)

    def renew(self, server: TimedServer) -> None:
        self.leases.hold(LEASE, server.clock.now() + HOUR, server.clock.ticks(), HOUR)


async def test_set_back_an_hour_the_credits_come_back_when_they_would_have(server: TimedServer) -> None:
    clock = server.clock
    replica = Replica(server)

    async def story() -> None:
        spent = [await replica.budget.permit(a_work(LEASE), 1, 10.0) for _ in range(LIMIT)]
        await replica.budget.throttled(spent[0], 30.0)
        for grant in spent[1:]:
            await replica.budget.spent(grant)
        clock.off -= HOUR
        await replica.time.follow()
        replica.renew(server)
        manual = asyncio.create_task(replica.budget.permit(a_work(LEASE, Trigger.MANUAL), 1, 10.0))
        await settle()
        assert not manual.done(), "Swoogo's hold did not jump"
        await clock.advance(35)
        assert manual.done(), "no one waits for the hour"
        await replica.budget.spent(await manual)
        list_call = asyncio.create_task(replica.budget.permit(a_work(LEASE), 10, 10.0))
        await clock.advance(500)
        assert not list_call.done(), "nor did Swoogo's window"
        await clock.advance(80)
        assert list_call.done()

    await asyncio.to_thread(server.run, story())


async def test_set_forward_an_hour_one_call_asks_what_is_left(server: TimedServer) -> None:
    """The window seems empty all at once; Swoogo's is as full as it was."""
    clock = server.clock
    here, there = Replica(server, quiet=40.0), Replica(server, quiet=40.0)

    async def story() -> None:
        for _ in range(LIMIT):
            await here.budget.spent(await here.budget.permit(a_work(LEASE), 1, 10.0))
        clock.off += HOUR
        for replica in (here, there):
            replica.renew(server)
        asking = [asyncio.create_task(replica.budget.permit(a_work(LEASE), 1, 10.0)) for replica in (here, there)]
        await settle()
        await clock.advance(39)
        assert not any(each.done() for each in asking), "calls of before may still be under way"
        await clock.advance(3)
        first = [each for each in asking if each.done()]
        assert len(first) == 1, "one call asks, the other waits for its answer"
        await here.budget.spent(await first[0], remaining=0, reset=300.0)
        await clock.advance(250)
        assert sum(each.done() for each in asking) == 1
        await clock.advance(60)
        assert all(each.done() for each in asking)
        assert (here.time.set_forward, there.time.set_forward) == (1, 1)

    await asyncio.to_thread(server.run, story())


async def test_lease_over_on_the_monotonic_clock_starts_no_call(server: TimedServer) -> None:
    """The process stood still for longer than its lease, and the clock was set back meanwhile."""
    replica = Replica(server)

    async def story() -> None:
        await replica.budget.permit(a_work(LEASE), 1, 10.0)
        server.clock.ms += HOUR + 1
        server.clock.off -= HOUR
        await replica.time.follow()
        with pytest.raises(LeaseLostError):
            await replica.budget.permit(a_work(LEASE), 1, 10.0)

    await asyncio.to_thread(server.run, story())


async def written_ahead(redis: Redis, milliseconds: int) -> None:
    """Everything in the state and in the index was written by a clock that much ahead of the server's."""
    state = KEYS.subject(SUBJECT, "state")
    for name in ("seen", "due", "until", "survey", "hold", "first"):
        moment = int(await redis.hget(state, name) or 0)
        if moment:
            await redis.hset(state, name, str(moment + milliseconds))
    score = await redis.zscore(KEYS.due_of(SUBJECT), str(SUBJECT))
    if score:
        await redis.zadd(KEYS.due_of(SUBJECT), {str(SUBJECT): score + milliseconds})


@pytest.mark.rule("C5")
async def test_set_back_an_hour_what_is_due_is_due_and_leases_end_in_time(redis: Redis) -> None:
    """Nothing else would look at it within that hour: not the index, not what is recorded meanwhile."""
    bench = in_redis(redis, Times(lease=0.4))
    await bench.inbox.set_continuous(EVENT, on=True)
    await bench.inbox.record(SUBJECT, [a_change("session/s1", 1)])
    await bench.inbox.request_sync(EVENT, SyncRequest("r1"), stamped(1))
    await written_ahead(redis, HOUR)
    assert (await bench.inbox.due(10)).subjects == ()
    await bench.inbox.repair_index(1.0)
    assert (await bench.inbox.due(10)).subjects == (SUBJECT,)
    lease = await bench.claimed(SUBJECT, "first")
    await written_ahead(redis, HOUR)
    await bench.inbox.repair_index(1.0)
    assert await bench.inbox.claim(SUBJECT, "second") is None, "G4: a lease never ends early"
    second = await bench.claimed(SUBJECT, "third")
    assert second.epoch > lease.epoch
    await bench.inbox.complete(second, {}, retry_in=0.2, failed=True)
    await written_ahead(redis, HOUR)
    await bench.inbox.repair_index(1.0)
    assert (await bench.claimed(SUBJECT, "fourth")).attempt == 1


async def test_a_lock_lasts_no_longer_than_it_can_be_taken_for(redis: Redis) -> None:
    scripts = Scripts(redis)
    key = KEYS.credential(CREDENTIAL, "token-lock")
    await redis.set(key, "dead", px=HOUR)  # written by a clock that was an hour ahead
    assert not await scripts.take_lock(key, owner="me", milliseconds=31_000)
    assert 0 < await redis.pttl(key) <= 31_000


async def test_an_open_circuit_waits_no_longer_than_it_may(redis: Redis) -> None:
    bench = in_redis(redis, Times())
    now = await bench.now()
    far = Circuit(since=now + HOUR, opened=1, until=now + HOUR, probe_until=now + HOUR, failed_at=now + HOUR, by="x")
    key = KEYS.credential(CREDENTIAL, "circuit")
    await redis.set(key, codecs.encode(far), px=HOUR)
    circuit = await bench.circuits.look(CREDENTIAL)
    assert circuit.until <= await bench.now() + 600
    assert replace(circuit, until=0, probe_until=0, since=0, failed_at=0) == Circuit(opened=1, by="x")

    async def may_be_tried() -> bool:
        return (await bench.circuits.admit(CREDENTIAL))[0] is Passage.PROBE

    await bench.until(may_be_tried, "a probe may be made")
