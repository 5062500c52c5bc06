"""An event that is over is put away, costs nothing, and comes back as it was before anything is planned."""

from __future__ import annotations

import re
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.scale_ground import programme
from consumer.adapters.redis.archive import RedisArchive, packed, unpacked
from consumer.adapters.redis.client import read_hash
from consumer.adapters.redis.fleet import RedisFleet
from consumer.adapters.redis.personal_data import RedisPersonalData
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Session
from consumer.ports.rebuild import Logged
from consumer.services.archive import Archiver
from tests.support.builders import EVENT, HOUR, NOW, a_mapping, a_session, an_entry, session_key
from tests.support.desk import Desk, a_desk

pytestmark = [pytest.mark.integration, pytest.mark.rule("Y4")]

DAY = 24 * HOUR
ENTRIES: Mapping[str, Entry] = {session_key(f"s{number}"): an_entry(number) for number in range(1, 4)}


@pytest.fixture
async def desk(redis: object, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as opened:
        yield opened


def archive(desk: Desk) -> RedisArchive:
    return RedisArchive(desk.stores.redis, desk.stores.keys, desk.stores.scripts)


def archiver(desk: Desk) -> Archiver:
    return Archiver(archive(desk), desk.clock, DAY / 1000)


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


async def test_an_event_that_is_over_leaves_a_packed_ledger_and_its_deletions(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    before = await desk.ledger.load(EVENT)
    await archiver(desk).look()
    assert await held(desk) == {"state", "mapping", "fresh", "archive", "figures", "rows", "versions"}
    assert (await desk.stores.inbox.snapshot(EVENT)).sessions.keys() == {"s3"}
    assert await desk.ledger.load(EVENT) == before == ENTRIES
    shown = await desk.read("status", EVENT)
    assert shown["event"]["archived"]
    assert shown["event"]["ledger"] == {"session/applied": 3}
    assert [each["event_id"] for each in (await desk.read("status"))["events"]] == [EVENT]


async def test_an_archived_event_is_in_no_round_repair_or_count(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    await archiver(desk).look()
    stores = desk.stores
    assert (await stores.inbox.due(10)).next_in is None
    assert await stores.inbox.repair_index(1.0)
    assert (await stores.inbox.due(10)).next_in is None
    fleet = RedisFleet(stores.redis, stores.keys, archive(desk)._stats, desk.clock)
    await fleet.count()
    counted = await fleet.read()
    assert counted
    assert (counted.known, counted.archived, counted.continuous) == (0, 1, 0)
    assert await stores.inbox.events() == (EVENT,)


async def test_a_change_brings_it_back_before_it_is_claimed(desk: Desk) -> None:
    """To the byte, but for the id of its create; so nothing is created twice, also when replicas had seen it before."""
    await an_event_that_is_over(
        desk, {key: replace(each, op_id="made-by-this-create") for key, each in ENTRIES.items()}
    )
    ledger = desk.stores.keys.event(EVENT, "ledger")
    before = await read_hash(desk.stores.redis, ledger)
    kept = {key: row.replace(b"made-by-this-create", b"1") for key, row in before.items()}
    await archiver(desk).look()
    await desk.record(past("s1", title="Another", version=NOW + 1))
    await desk.claim()
    assert await desk.stores.redis.hgetall(ledger) == kept != before
    assert (await desk.stores.inbox.load(EVENT)).marks.keys() == {session_key("s1")}
    assert not (await desk.read("status", EVENT))["event"]["archived"]
    assert await desk.stores.redis.smembers(desk.stores.keys.events()) == {EVENT.encode()}
    assert not await desk.stores.redis.smembers(desk.stores.keys.archived())


async def test_whatever_else_makes_it_due_brings_it_back_too(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    await archiver(desk).look()
    await desk.ask()
    await desk.claim()
    assert await desk.stores.redis.smembers(desk.stores.keys.events()) == {EVENT.encode()}
    assert await desk.stores.redis.hlen(desk.stores.keys.event(EVENT, "ledger")) == 3


async def test_people_are_erased_from_an_archived_event(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    await archiver(desk).look()
    data = RedisPersonalData(desk.stores)
    await data.release(await data.seize(EVENT, "erase", 60.0, 1.0))
    assert await desk.stores.redis.hlen(desk.stores.keys.event(EVENT, "ledger")) == 3


@pytest.mark.parametrize(
    "waits", ["a change", "a command", "an unlogged entry", "a create", "a later session", "nothing"]
)
async def test_an_event_for_which_something_waits_stays(desk: Desk, waits: str) -> None:
    await an_event_that_is_over(desk)
    match waits:
        case "a change":
            await desk.record(past("s1", version=NOW + 1))
        case "a command":
            await desk.stores.inbox.request_commands(EVENT, [LedgerCommand(Action.LIFT, session_key())])
        case "an unlogged entry":
            await desk.stores.redis.sadd(desk.stores.keys.event(EVENT, "unlogged"), session_key())
        case "a create":
            await desk.ask()
            await desk.pushed({session_key("s9"): Entry(State.INTENT)})
            await desk.stores.redis.delete(desk.stores.keys.event(EVENT, "unlogged"))
        case "a later session":
            await desk.record(past("s4", ends_at=desk.clock.now() - HOUR))
            await desk.pushed({})
    await archiver(desk).look()
    assert (await archive(desk).archived_at(EVENT) is None) == (waits != "nothing")


async def test_a_change_between_the_look_and_the_archive_keeps_it(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    _, over = await archive(desk).over(0, desk.clock.now() - DAY, desk.clock.now())
    assert over == [EVENT]
    await desk.record(past("s1", version=NOW + 1))
    assert not await archive(desk).put_away(EVENT, "op", desk.clock.now())
    assert await desk.stores.redis.hlen(desk.stores.keys.event(EVENT, "rows")) == 3


@pytest.mark.rule("G6")
async def test_a_rebuild_leaves_it_archived_unless_the_changelog_knows_more(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    await archiver(desk).look()
    stores = desk.stores
    restorer = RedisRestorer(stores.redis, stores.keys, stores.scripts, stores.inbox, 600.0)
    logged = [Logged(EVENT, key, entry, NOW) for key, entry in ENTRIES.items()]
    assert await restorer.entries(EVENT, logged) == 0
    assert await restorer.events() == []
    newer = Logged(EVENT, session_key("s1"), replace(an_entry(9), epoch=2**53), desk.clock.now() + 1)
    assert await restorer.entries(EVENT, [newer]) == 1
    assert (await desk.ledger.load(EVENT))[session_key("s1")].swoogo_id == 9
    assert len(await desk.ledger.load(EVENT)) == 3


IDS = st.uuids().map(str) | st.binary(max_size=40).map(bytes.hex)
TEXTS = st.lists(IDS | IDS.map(str.upper) | st.text(max_size=9), max_size=9).map(lambda each: "".join(each).encode())


@given(rows=st.dictionaries(TEXTS, TEXTS))
def test_what_is_packed_comes_back_to_the_byte(rows: dict[bytes, bytes]) -> None:
    """Also what earlier builds packed."""
    assert unpacked(packed(rows)) == rows
    assert unpacked(zlib.compress(msgspec.msgpack.encode(rows), 9)) == rows


def test_an_archived_event_takes_little_more_than_its_ids_and_digests() -> None:
    """Of 500 records: 16 bytes each for the ids of record and create, 12 for a digest."""
    entries, _ = programme()
    rows = {key.encode(): row for key, row in entries.items()}
    floor = sum(32 + 12 * len({*re.findall(rb"#96:(\w+)", row)}) for row in rows.values())
    assert floor < len(packed(rows)) < 1.2 * floor
