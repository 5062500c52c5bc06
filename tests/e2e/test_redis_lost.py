"""End to end: Redis loses something while the service runs, and Swoogo shows nothing of it."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import shutil
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from redis.asyncio import Redis

from consumer.adapters.kafka.changelog import ledger_value
from consumer.adapters.redis.keys import Keys
from sandbox.demo.play import Play, play
from sandbox.embedded import EmbeddedKafka, EmbeddedValkey
from tests.e2e.looks import half_way
from tests.e2e.lost_redis import a_world, marker, rebuilt
from tests.support.builders import an_entry
from tests.support.conferences import edited, identifier, small
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G5", "G6")]

_events = itertools.count(9001)

Loss = Callable[[EmbeddedValkey, Path], Awaitable[None]]
"""Does something to a Valkey; the path holds a copy of its data from a while before."""


@pytest.fixture
async def playing(kafka_bootstrap: str, valkey: EmbeddedValkey) -> AsyncIterator[Play]:
    """A conference that was synced."""
    async with (
        a_world(kafka_bootstrap, valkey) as running,
        play(running, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as begun,
    ):
        await begun.connect()
        await begun.publish([small()], "import")
        assert begun.exact
        yield begun


async def test_a_wiped_redis_comes_back_and_nothing_is_doubled(playing: Play, valkey: EmbeddedValkey) -> None:
    """FLUSHALL while the service runs: entries, pair, connection and snapshot come back, without one write call."""
    redis = Redis.from_url(valkey.url)
    before = (await marker(redis, playing.world))[b"id"]
    shown = await playing.world.get("stats")
    await redis.flushall()
    await rebuilt(playing, redis, before)
    await playing.watch.until_idle(60)
    after = await playing.world.get("stats")
    assert after["refused_429"] == 0
    assert after["credits"] == shown["credits"]
    chapter = await playing.publish([edited(small(), 1, title="After the loss")], "a change after the loss")
    assert playing.exact
    assert chapter.writes == 1
    await redis.aclose()


async def sound(playing: Play, valkey: EmbeddedValkey) -> None:
    """Wait until Redis is known to have everything."""
    async with Redis.from_url(valkey.url) as redis:

        async def known() -> bool:
            for replica in playing.world.replicas:
                replica.check()
            found, server = await marker(redis, playing.world), (await redis.info("server"))["run_id"]
            return found.get(b"server") == server.encode() and b"lost" not in found

        await wait_until(known, "Redis is sound again", 60)


async def converged(playing: Play) -> None:
    """Nothing missing, nothing too much, nothing doubled, no call refused."""

    async def nothing() -> int:
        return 0

    chapter = await playing.chapter("afterwards", nothing)
    assert chapter.differences == [], playing.world.replicas[0].tail(40)
    assert chapter.duplicates == 0
    assert (await playing.world.get("stats"))["refused_429"] == 0


async def wipe(valkey: EmbeddedValkey, _: Path) -> None:
    async with Redis.from_url(valkey.url) as redis:
        await redis.flushall()


async def cut_tail(valkey: EmbeddedValkey, _: Path) -> None:
    """What a machine that lost its power leaves of a file that was not synced."""
    await valkey.astop(keep=True, hard=True)
    [log] = (valkey.root / "data" / "appendonlydir").glob("*.incr.aof")
    with log.open("r+b") as file:
        file.truncate(int(log.stat().st_size * 0.8))
    await valkey.astart()


async def restore_copy(valkey: EmbeddedValkey, copy: Path) -> None:
    await valkey.astop(keep=True, hard=True)
    shutil.rmtree(valkey.root / "data")
    shutil.copytree(copy, valkey.root / "data")
    await valkey.astart()


LOSSES: Final[dict[str, Loss]] = {
    "FLUSHALL": wipe,
    "tail of the AOF cut off": cut_tail,
    "older copy restored": restore_copy,
}


@pytest.mark.parametrize("name", LOSSES)
async def test_redis_is_lost_in_the_middle_of_an_import(
    kafka_bootstrap: str, valkey: EmbeddedValkey, tmp_path: Path, name: str
) -> None:
    """Creates of before the loss are neither repeated nor forgotten, whatever Redis forgot."""
    conference = small(talks=24, people=6)
    async with (
        a_world(kafka_bootstrap, valkey, latency_ms=120.0, settings={"PUSH__CONCURRENCY": "3"}) as running,
        play(running, conference, event_id=next(_events), org_id=str(uuid.uuid4())) as playing,
    ):
        await playing.connect()

        async def lose() -> None:
            await half_way(playing, 4)
            shutil.copytree(valkey.root / "data", tmp_path / "copy")
            await half_way(playing, 10)
            await LOSSES[name](valkey, tmp_path / "copy")

        await asyncio.gather(lose(), playing.publish([conference], "an import"))
        await sound(playing, valkey)
        await converged(playing)


async def forget_all(playing: Play, topic: str) -> None:
    """What compaction leaves of a topic whose keys were all deleted: nothing."""
    admin = AIOKafkaAdminClient(bootstrap_servers=playing.world.settings.kafka.bootstrap_servers)
    await admin.start()
    try:
        [described] = await admin.describe_topics([topic])
        places = [TopicPartition(topic, part["partition"]) for part in described["partitions"]]
        for policy in ("delete", "compact"):  # records of a compacted topic cannot be deleted
            change = ConfigResource(ConfigResourceType.TOPIC, topic, {"cleanup.policy": policy})
            await admin.alter_configs([change])
            if policy == "delete":
                await admin.delete_records(dict.fromkeys(places, RecordsToDelete(before_offset=-1)))
    finally:
        await admin.close()


@pytest.mark.rule("P5")
async def test_a_contact_deleted_long_ago_is_not_created_after_a_loss(playing: Play, valkey: EmbeddedValkey) -> None:
    """A session still carries a copy of the person; the topic of contacts has forgotten the deletion."""
    conference, redis = small(), Redis.from_url(valkey.url)
    gone = replace(conference.people[identifier("person", 0)], id=identifier("person", 9), email="gone@example.org")
    writer = replace(playing.publisher.writer, deletion="null")
    stale = replace(
        edited(conference, 0, speaker_ids=(identifier("person", 0), gone.id)),
        people={**conference.people, gone.id: gone},
    )

    async def act() -> int:
        known = writer.revision(conference, stale, at=playing.now())
        contacts = [each for each in known if each.topic == writer.topics.speakers]
        await playing.publisher.send([*contacts, *(replace(each, value=None) for each in contacts)])
        await playing.publisher.send([each for each in known if each not in contacts])
        return len(known)

    await playing.chapter("a contact comes and goes, and a session goes on to name it", act)
    before = (await marker(redis, playing.world))[b"id"]
    await forget_all(playing, writer.topics.speakers)
    await redis.flushall()
    await rebuilt(playing, redis, before)
    await playing.watch.until_idle(60)
    await playing.publisher.send(writer.revision(stale, edited(stale, 0, title="Edited"), at=playing.now()))
    await playing.watch.until_idle(60)
    state = await playing.state()
    assert "gone@example.org" not in {row["email"] for row in state["speakers"]}
    assert "Edited" in {row["name"] for row in state["sessions"]}
    assert len(state["speakers"]) == 4
    await redis.aclose()


_OTHERS: Final = 4_000
"""Entries of another event, of 5 kB each: more than is fetched at once, so that a rebuild has a middle."""


async def test_broker_paused_during_a_rebuild_leaves_nothing_out(valkey: EmbeddedValkey) -> None:
    """SIGSTOP for longer than a scan waits: what was read in part does not count, and the rest is read afterwards."""
    async with (
        EmbeddedKafka() as kafka,
        a_world(kafka.bootstrap, valkey) as running,
        play(running, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as playing,
        Redis.from_url(valkey.url) as redis,
    ):
        await playing.connect()
        await playing.publish([small()], "import")
        keys, topics = Keys(running.settings.redis.prefix), running.settings.kafka.topics
        async with AIOKafkaProducer(bootstrap_servers=kafka.bootstrap) as producer:
            value = ledger_value("session/s", an_entry(7, epoch=1, at=1, pushed={"description": "x" * 5_000}))
            for number in range(_OTHERS):
                await producer.send(topics.ledger, value, key=f"8000/session/s{number}".encode(), partition=0)
            await producer.flush()
        before = (await marker(redis, running))[b"id"]
        await redis.flushall()

        async def shown() -> dict[str, Any]:
            found: dict[str, Any] = json.loads(await redis.get(keys.generation("progress")) or b"{}")
            return found

        async def half_way_through() -> bool:
            return 0 < await redis.hlen(keys.event("8000", "ledger")) < _OTHERS // 2

        await wait_until(half_way_through, "the rebuild is in its middle", 60)
        assert kafka.pid
        os.kill(kafka.pid, signal.SIGSTOP)
        try:

            async def told() -> bool:
                return bool((await shown()).get("trouble"))

            await wait_until(told, "the rebuild says that Kafka stands still", 60)
            assert b"id" not in await marker(redis, running), "what was read in part counts as whole"
        finally:
            os.kill(kafka.pid, signal.SIGCONT)
        await rebuilt(playing, redis, before)
        assert await redis.hlen(keys.event("8000", "ledger")) == _OTHERS
        await converged(playing)
        chapter = await playing.publish([edited(small(), 1, title="After the loss")], "a change after the loss")
        assert playing.exact
        assert chapter.writes == 1
