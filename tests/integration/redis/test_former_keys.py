"""Natural keys that an earlier build left in Redis."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Remote
from tests.contract.bench import Times, in_redis
from tests.support.builders import EVENT, an_entry, an_intent


@pytest.mark.rule("R3", "G2")
async def test_keys_of_an_earlier_build_are_read_as_todays(redis: Redis) -> None:
    """Case-folded keys of entries and intents."""
    bench = in_redis(redis, Times())
    lease = await bench.leased()
    written = {
        "location/r1": an_entry(7, pushed={"name": "Saal Maße"}, natural="saal masse"),
        "session/s1": an_intent("cafe\u0301  noir|2026-07-01|09:00:00"),
        "speaker/c1": an_entry(9, pushed={"email": "mi\u212ae@b.org"}, natural="mike@b.org"),
    }
    await bench.ledger.put(lease, written)
    read = await bench.ledger.load(EVENT)
    assert {key: entry.natural for key, entry in read.items()} == {
        "location/r1": "saal maße",
        "session/s1": "café noir|2026-07-01|09:00:00",
        "speaker/c1": "mi\u212ae@b.org",
    }


@pytest.mark.rule("S5", "P2")
async def test_a_list_of_an_earlier_build_is_read_again(redis: Redis) -> None:
    """Its folded keys do not tell a Kelvin sign from a `k`; the next look reads everything."""
    bench = in_redis(redis, Times())
    lease = await bench.leased()
    await bench.ledger.put_directory(lease, Kind.SPEAKER, Directory({8: Remote(8, "mike@b.org")}))
    assert (await bench.ledger.directories(EVENT))[Kind.SPEAKER].rows[8].natural == "mike@b.org"
    [name] = [each async for each in redis.scan_iter("*directory*")]
    await redis.hset(name, Kind.SPEAKER.value, '{"at":5,"rows":{"8":"mike@b.org"}}')
    assert await bench.ledger.directories(EVENT) == {}
