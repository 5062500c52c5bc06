"""A record is read with what decides about it, as if the whole event had been read (U4)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.records import RedisRecords
from consumer.domain.explaining.record_fields import around
from tests.support.builders import EVENT, a_contact, a_mapping, a_room, an_entry
from tests.support.desk import Desk, a_desk, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("U4")]

ODD = 'a"b/é'


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        await made.map(a_mapping())
        await made.record(
            soon("s1", "c1", "c2", room=a_room("r1")),
            soon("s2", "c2", room=a_room(ODD)),
            soon("s3", ODD),
            *(a_contact(each) for each in ("c1", "c2", "c3", ODD)),
        )
        await made.pushed(
            {
                "session/s1": an_entry(101),
                "session/s2": an_entry(102),
                "speaker/c1": an_entry(201, links=("s1", "s2")),
                "speaker/c3": an_entry(203, links=("s1",)),
                f"speaker/{ODD}": an_entry(204, links=("s3",)),
                "location/r1": an_entry(7),
                f"location/{ODD}": an_entry(8),
            }
        )
        yield made


@pytest.mark.parametrize(
    "key", ["session/s1", "session/s2", "session/s3", "speaker/c1", "speaker/c3", f"speaker/{ODD}", f"location/{ODD}"]
)
async def test_the_part_is_that_of_the_whole_event(desk: Desk, key: str) -> None:
    state, ledger = await desk.stores.inbox.load(EVENT), await desk.ledger.load(EVENT)
    records = RedisRecords(desk.stores.redis, desk.stores.keys)
    assert await records.around(EVENT, key) == around(key, state.snapshot, ledger)
    assert await records.knows(EVENT, key)


@pytest.mark.parametrize("key", ["session/s9", "speaker/c9", "level/gold", "location/nowhere"])
async def test_of_what_is_not_there_nothing_is_read(desk: Desk, key: str) -> None:
    records = RedisRecords(desk.stores.redis, desk.stores.keys)
    assert not await records.knows(EVENT, key)
    snapshot, ledger = await records.around(EVENT, key)
    assert (dict(snapshot.sessions), dict(snapshot.contacts), dict(ledger)) == ({}, {}, {})
