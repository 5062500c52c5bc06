"""An event that is over is put away, costs nothing, and comes back as it was before anything is planned."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest

from benchmarks.scale_ground import programme
from consumer.adapters.kafka.archive import KafkaArchive
from consumer.adapters.kafka.topics import LEDGER
from consumer.adapters.redis.client import read_hash
from consumer.adapters.redis.fleet import RedisFleet
from consumer.adapters.redis.personal_data import RedisPersonalData
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.ledger import Entry, State
from consumer.ports.rebuild import Logged
from consumer.services.archive import Archiver
from consumer.settings import KafkaSettings
from consumer.settings import Topics as TopicNames
from tests.integration.redis.archived import DAY, ENTRIES, an_event_that_is_over, archive, archiver, held, past, topic
from tests.support.builders import EVENT, HOUR, NOW, an_entry, session_key
from tests.support.desk import Desk
from tests.support.topics import Topics

pytestmark = [pytest.mark.integration, pytest.mark.rule("Y4")]


async def test_an_event_that_is_over_leaves_where_its_ledger_is_and_its_deletions(desk: Desk) -> None:
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
    """To the byte; so nothing is created twice, also when replicas had seen it before."""
    await an_event_that_is_over(desk)
    ledger = desk.stores.keys.event(EVENT, "ledger")
    before = await read_hash(desk.stores.redis, ledger)
    await archiver(desk).look()
    await desk.record(past("s1", title="Another", version=NOW + 1))
    await desk.claim()
    assert await desk.stores.redis.hgetall(ledger) == before
    assert not topic(desk).held
    assert "archive" not in await held(desk)
    assert (await desk.stores.inbox.load(EVENT)).marks.keys() == {session_key("s1")}
    assert not (await desk.read("status", EVENT))["event"]["archived"]
    assert await desk.stores.redis.smembers(desk.stores.keys.events()) == {EVENT.encode()}
    assert not await desk.stores.redis.smembers(desk.stores.keys.archived())


async def test_on_a_real_kafka_it_goes_and_comes_back(desk: Desk, topics: Topics) -> None:
    names = TopicNames(ledger=await topics("ledger", LEDGER))
    on_kafka = KafkaArchive(KafkaSettings(bootstrap_servers=topics.bootstrap, topics=names))
    desk.stores.archive._open_topic = lambda: on_kafka
    await an_event_that_is_over(desk)
    await archiver(desk).look()
    assert await desk.stores.redis.hlen(desk.stores.keys.event(EVENT, "ledger")) == 0
    assert await desk.ledger.load(EVENT) == ENTRIES
    await desk.record(past("s1", title="Another", version=NOW + 1))
    await desk.claim()
    assert await desk.stores.redis.hlen(desk.stores.keys.event(EVENT, "ledger")) == 3
    assert await desk.ledger.load(EVENT) == ENTRIES
    await on_kafka.aclose()


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
    "waits",
    [
        "a change",
        "a command",
        "an unlogged entry",
        "a create",
        "a later session",
        "something frozen",
        "an approval",
        "a refused change",
        "nothing",
    ],
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
        case "something frozen" | "an approval":
            label = "session:frozen" if waits == "something frozen" else "speaker:waiting_for_approval"
            await desk.ask()
            await desk.pushed({}, run=desk.run(reasons={label: 1, "session:ended": 2}))
        case "a refused change":
            await desk.ask()
            issue = Issue(session_key("s1"), Code.REFUSED, parked="f00")
            await desk.pushed({}, {issue.key: issue}, desk.run())
        case "a later session":
            await desk.record(past("s4", ends_at=desk.clock.now() - HOUR))
            await desk.pushed({})
    await archiver(desk).look()
    assert (await archive(desk).archived_at(EVENT) is None) == (waits != "nothing")


@pytest.mark.rule("N2")
async def test_its_issues_are_withdrawn_while_nothing_can_publish_others(desk: Desk) -> None:
    await an_event_that_is_over(desk)
    state, held = desk.stores.keys.event(EVENT, "state"), []

    class Issues:
        async def withdraw(self, event_id: str) -> None:
            until = int(await desk.stores.redis.hget(state, "until") or 0)
            held.append((event_id, until > desk.clock.now()))

    await Archiver(archive(desk), Issues(), desk.clock, DAY / 1000).look()
    assert held == [(EVENT, True)]
    assert await archive(desk).archived_at(EVENT)


async def test_an_archived_event_of_500_records_takes_less_than_4_kib(desk: Desk) -> None:
    entries, rows = programme()
    redis, keys = desk.stores.redis, desk.stores.keys
    for name, held_rows in (("rows", rows), ("ledger", entries)):
        await redis.hset(keys.event(EVENT, name), mapping=cast("Any", held_rows))
    await redis.hset(keys.event(EVENT, "versions"), mapping=dict.fromkeys(rows, "0" * 53))
    await redis.hset(keys.event(EVENT, "state"), mapping={"continuous": 1, "epoch": 1})
    assert await archive(desk).put_away(EVENT, "op", desk.clock.now())
    names = [key async for key in redis.scan_iter("*{event/*")]
    assert sum([int(await redis.memory_usage(name, samples=0) or 0) for name in names]) < 4096


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
