"""An event that is over, and what puts it away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from consumer.adapters.redis.archive import RedisArchive
from consumer.domain.records.ledger import Entry
from consumer.domain.records.snapshot import Session
from consumer.services.archive import Archiver
from tests.support.builders import EVENT, HOUR, NOW, a_mapping, a_session, an_entry, session_key
from tests.support.desk import Desk
from tests.support.fakes.archive import FakeArchiveTopic

DAY = 24 * HOUR
ENTRIES: Mapping[str, Entry] = {session_key(f"s{number}"): an_entry(number) for number in range(1, 4)}


def archive(desk: Desk) -> RedisArchive:
    return desk.stores.archive


def topic(desk: Desk) -> FakeArchiveTopic:
    return cast("FakeArchiveTopic", desk.stores.archive._topic)


def archiver(desk: Desk) -> Archiver:
    return Archiver(archive(desk), desk.board._feed, desk.clock, DAY / 1000)


def past(identifier: str, **fields: object) -> Session:
    return replace(a_session(identifier, starts_at=NOW - HOUR, ends_at=NOW), **fields)  # type: ignore[arg-type]


async def an_event_that_is_over(desk: Desk, entries: Mapping[str, Entry] = ENTRIES) -> None:
    """Pushed, logged, and compared; one session of it was deleted."""
    await desk.map(a_mapping())
    await desk.record(*map(past, ("s1", "s2")), past("s3", deleted=True))
    await desk.pushed(entries, run=desk.run())
    redis, keys = desk.stores.redis, desk.stores.keys
    await redis.delete(keys.event(EVENT, "unlogged"))
    await redis.hdel(keys.event(EVENT, "state"), "survey")


async def held(desk: Desk) -> set[str]:
    """Names of the keys of the event."""
    found = [key.decode() async for key in desk.stores.redis.scan_iter("*{event/*")]
    return {key.rpartition(":")[2] for key in found}
