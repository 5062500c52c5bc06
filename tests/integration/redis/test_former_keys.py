"""Natural keys that an earlier build left in Redis."""

from __future__ import annotations

from redis.asyncio import Redis

from consumer.domain.ledger import Directory, Remote
from consumer.domain.record import Kind
from tests.contract.bench import Times, in_redis
from tests.support.builders import EVENT, an_entry, an_intent


async def test_g2_keys_of_an_earlier_build_are_read_as_todays(redis: Redis) -> None:
    """G2, R3: case-folded keys of entries, intents and lists."""
    bench = in_redis(redis, Times())
    lease = await bench.leased()
    written = {
        "location/r1": an_entry(7, pushed={"name": "Saal Maße"}, natural="saal masse"),
        "session/s1": an_intent("cafe\u0301  noir|2026-07-01|09:00:00"),
        "speaker/c1": an_entry(9, pushed={"email": "mi\u212ae@b.org"}, natural="mike@b.org"),
    }
    await bench.ledger.put(lease, written)
    await bench.ledger.put_directory(lease, Kind.TRACK, Directory({8: Remote(8, "cafe\u0301")}))
    read = await bench.ledger.load(EVENT)
    assert {key: entry.natural for key, entry in read.items()} == {
        "location/r1": "saal maße",
        "session/s1": "café noir|2026-07-01|09:00:00",
        "speaker/c1": "mi\u212ae@b.org",
    }
    assert (await bench.ledger.directories(EVENT))[Kind.TRACK].rows[8].natural == "café"
