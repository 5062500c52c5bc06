"""Two versions side by side: one knows a single request an event, in the field `request` of its state.

What that version does is done here by hand, as its scripts did it.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.keys import Keys
from consumer.domain.push.cause import ManualSync
from consumer.ports import SyncRequest, event_subject
from tests.contract.bench import Bench, Times, in_redis, stamped
from tests.support.builders import EVENT

pytestmark = [pytest.mark.integration, pytest.mark.rule("C5")]
SUBJECT = event_subject(EVENT)
STATE = Keys("test").subject(SUBJECT, "state")


@dataclass(frozen=True)
class FormerRequest:
    """`ports.SyncRequest` of 0.1.0."""

    id: str
    scope: str = "all"
    session_ids: tuple[str, ...] = ()
    speaker_ids: tuple[str, ...] = ()


@pytest.fixture
def bench(redis: Redis) -> Bench:
    return in_redis(redis, Times(lease=60.0))


async def former_asks(redis: Redis, request_id: str, scope: str, version: int) -> None:
    """As `request_sync.lua` of 0.1.0: the request replaces what waits."""
    row = msgspec.json.encode(FormerRequest(request_id, scope))
    seconds, microseconds = await redis.time()
    due = seconds * 1000 + microseconds // 1000
    await redis.hset(STATE, mapping={"request_stamp": stamped(version), "request": row, "due": due})


async def test_a_request_that_waits_since_before_the_upgrade_is_served(redis: Redis, bench: Bench) -> None:
    await former_asks(redis, "former", "agenda", 5)
    lease = await bench.claimed(SUBJECT)
    assert lease.cause == ManualSync(SyncRequest("former", "agenda"))
    assert [each.id for each in lease.asked] == ["former"]
    await bench.inbox.complete(lease, {})
    assert (await bench.inbox.due(10)).next_in is None


@pytest.mark.rule("G3")
async def test_what_the_former_version_served_is_not_served_again_by_a_replay(redis: Redis, bench: Bench) -> None:
    await redis.hset(STATE, "request_stamp", stamped(5))
    for version in (4, 5):
        assert not await bench.inbox.request_sync(EVENT, SyncRequest(stamped(version)), stamped(version))
    assert await bench.inbox.request_sync(EVENT, SyncRequest("r6"), stamped(6))


async def test_the_former_version_finds_all_that_waits_as_the_one_request_it_knows(redis: Redis, bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    await bench.inbox.request_sync(EVENT, SyncRequest("r2", "sponsors"), stamped(2))
    held = await redis.hget(STATE, "request")
    assert held == b'{"id":"r2","scope":"all","session_ids":[],"speaker_ids":[]}'
    seen = msgspec.json.encode(msgspec.json.decode(held, type=FormerRequest))
    assert seen == held, "it compares what it saw with what is there, byte by byte"
    assert await redis.hget(STATE, "request_stamp") == stamped(2).encode()


async def test_what_the_former_version_served_does_not_run_again(redis: Redis, bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    await redis.hdel(STATE, "request", "due")  # as its `complete_subject.lua` did
    assert not await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    await bench.inbox.request_sync(EVENT, SyncRequest("r2", "sponsors"), stamped(2))
    assert (await bench.claimed(SUBJECT)).cause == ManualSync(SyncRequest("r2", "sponsors"))


async def test_a_request_by_the_former_version_takes_none_of_ours_away(redis: Redis, bench: Bench) -> None:
    await bench.inbox.request_sync(EVENT, SyncRequest("r1", "agenda"), stamped(1))
    await former_asks(redis, "former", "sponsors", 2)
    lease = await bench.claimed(SUBJECT)
    assert lease.cause == ManualSync(SyncRequest("former", "all"))
    assert [each.id for each in lease.asked] == ["r1", "former"]
    await former_asks(redis, "later", "agenda", 3)
    await bench.inbox.complete(lease, {})
    assert (await bench.claimed(SUBJECT, "next")).cause == ManualSync(SyncRequest("later", "agenda"))


async def test_what_was_served_is_bounded_and_still_not_done_again(redis: Redis, bench: Bench) -> None:
    """A publisher that asks every few minutes for years."""
    served = {f"r{number}": stamped(number) for number in range(1, 4_001)}
    key = Keys("test").subject(SUBJECT, "served")
    await redis.hset(key, mapping=served)  # type: ignore[arg-type]
    await bench.inbox.request_sync(EVENT, SyncRequest("last"), stamped(5_000))
    await bench.inbox.complete(await bench.claimed(SUBJECT), {})
    assert await redis.hlen(key) == 2_000
    for number in (1, 2_000, 2_001, 2_002, 4_000):
        assert not await bench.inbox.request_sync(EVENT, SyncRequest(f"r{number}"), stamped(number)), number
    assert await bench.inbox.request_sync(EVENT, SyncRequest("late"), stamped(4_500))
