"""End to end: Redis is there and refuses, forgets, hangs or answers to no one, in the middle of an import.

One service process reaches its own Valkey through a proxy; the test itself and the oracle look at Valkey directly.
"""

from __future__ import annotations

import itertools
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from redis.asyncio import Redis

from sandbox.conference.expected import Resources, fold
from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.world import Servers, ServiceProcess, World, world
from sandbox.embedded import EmbeddedValkey
from sandbox.embedded.server import free_ports
from tests.e2e.conftest import QUICK
from tests.support.conferences import edited, small
from tests.support.proxy import Proxy
from tests.support.toxics import DOWNSTREAM, UPSTREAM, DropReply, Latency, Timeout
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G5")]

_events = itertools.count(9501)
_LIMIT: Final = 160
_TALKS: Final = 16
_LINES: Final = 60
"""Of the log, for a fault and what follows it; about fifteen at most were seen."""
_SETTINGS: Final = {
    **QUICK,
    "REDIS__TIMEOUT": "1",
    "REDIS__POOL_SIZE": "4",
    "PUSH__CONCURRENCY": "6",
    "PUSH__LEASE": "4",
    "PUSH__RETRY_MAX": "1",
    "SWOOGO__DEADLINE": "2",
}


@dataclass(slots=True)
class Site:
    """The servers that all faults share, and the service that meets them."""

    world: World
    valkey: Redis
    proxy: Proxy
    service: ServiceProcess
    admin: AIOKafkaAdminClient
    ends: AIOKafkaConsumer

    def log(self) -> list[str]:
        """All lines so far."""
        self.service.check()
        return self.service.log_path.read_text(errors="replace").splitlines()

    async def said(self, *words: str, since: int, times: int = 1) -> None:
        """Wait until so many lines after the first `since` hold all these words."""

        def found() -> bool:
            return sum(all(word in line for word in words) for line in self.log()[since:]) >= times

        await wait_until(found, f"the service says {words} {times} times", 60)

    async def end_offsets(self) -> dict[TopicPartition, int]:
        """Of the sessions."""
        topic = self.world.settings.kafka.topics.sessions
        described = await self.admin.describe_topics([topic])
        partitions = [TopicPartition(topic, each["partition"]) for each in described[0]["partitions"]]
        return dict(await self.ends.end_offsets(partitions))

    async def committed(self) -> dict[TopicPartition, int]:
        """Of the sessions."""
        group = f"{self.world.settings.kafka.group_id}.sessions"
        offsets = await self.admin.list_consumer_group_offsets(group)
        return {partition: known.offset for partition, known in offsets.items()}


@pytest.fixture(scope="module")
async def site(kafka_bootstrap: str) -> AsyncIterator[Site]:
    async with EmbeddedValkey() as valkey, Proxy(valkey.port) as proxy, Redis.from_url(valkey.url) as redis:
        servers = Servers(kafka_bootstrap, valkey.url, f"faults-{uuid.uuid4().hex[:8]}")
        async with world(window=5, latency_ms=60, limit=_LIMIT, settings=_SETTINGS, servers=servers) as running:
            service = running.start_service(REDIS__URL=f"redis://127.0.0.1:{proxy.port}/0")
            admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
            ends = AIOKafkaConsumer(bootstrap_servers=kafka_bootstrap)
            await admin.start()
            await ends.start()
            yield Site(running, redis, proxy, service, admin, ends)
            proxy.clear()
            await ends.stop()
            await admin.close()


@dataclass(slots=True)
class Run:
    """One conference on the site: an import, a fault in its middle, an edit that is made while it lasts."""

    site: Site
    playing: Play
    conference: Conference = field(default_factory=lambda: small(talks=_TALKS, people=6))

    async def publish(self, conference: Conference) -> int:
        """Without waiting; the oracle is told."""
        self.conference = conference
        at = self.playing.now()
        resources = Resources.of(conference, self.playing.event, at=at)
        self.playing.expected = fold(self.playing.expected, resources, datetime.now(UTC))
        return await self.playing.publisher.publish(conference, at=at)

    async def edit(self) -> int:
        """The first and the last talk get another title."""
        first = edited(self.conference, 0, title="Talk 0, edited meanwhile")
        return await self.publish(edited(first, _TALKS - 1, title="The last talk, edited meanwhile"))

    async def half_way(self) -> None:
        """The import is in Swoogo in parts."""

        async def reached() -> bool:
            self.site.service.check()
            return len((await self.playing.state())["sessions"]) >= 3

        await wait_until(reached, "an import goes on", 60)

    async def stalls(self, *words: str, times: int = 2, atleast: float = 0.0) -> None:
        """An edit arrives, cannot be recorded, comes again (`times`), and is not committed."""
        before, since, began = await self.site.end_offsets(), len(self.site.log()), time.monotonic()
        await self.edit()
        topic = self.site.world.settings.kafka.topics.sessions
        await self.site.said("record.waiting", topic, *words, since=since, times=times)
        await wait_until(lambda: time.monotonic() - began >= atleast, f"{atleast:g} s go by", 60)
        committed = await self.site.committed()
        assert {each for each, offset in committed.items() if offset > before[each]} == set()
        assert await self.site.end_offsets() != before


async def turned_into_a_replica(run: Run) -> None:
    """READONLY for every write, reads go on."""
    valkey = run.site.valkey
    await valkey.replicaof("127.0.0.1", str(free_ports(1)[0]))
    try:
        await run.stalls("ReadOnlyError")
    finally:
        await valkey.replicaof("NO", "ONE")


async def out_of_memory(run: Run) -> None:
    """OOM for every write that may need memory, as `noeviction` does it."""
    valkey = run.site.valkey
    await valkey.config_set("maxmemory", "1mb")
    try:
        await run.stalls("OutOfMemoryError")
    finally:
        await valkey.config_set("maxmemory", "0")


async def black_hole(run: Run) -> None:
    """The server takes requests and hangs, for longer than a command and its repeats may take."""
    with run.site.proxy.having(Timeout(), UPSTREAM):
        await run.stalls(times=1, atleast=5.0)


async def scripts_forgotten(run: Run) -> None:
    """SCRIPT FLUSH again and again: NOSCRIPT in the middle of everything."""
    flushes = itertools.count(1)

    async def again() -> bool:
        await run.site.valkey.script_flush()
        await run.half_way()
        return next(flushes) >= 20

    await run.edit()
    await wait_until(again, "scripts were forgotten often", 60)


@dataclass(slots=True)
class First:
    """Meets the first request of each command, and of each script, and no other."""

    met: set[bytes] = field(default_factory=set)

    def __call__(self, request: bytes) -> bool:
        parts = request.split(b"\r\n")
        if len(parts) < 3:
            return False
        name = parts[2].upper()
        if name == b"EVALSHA" and len(parts) > 4:
            name += b" " + parts[4]
        fresh = name not in self.met
        self.met.add(name)
        return fresh


async def replies_dropped(run: Run) -> None:
    """The answer to the first of each command and script is swallowed: redis-py sends it again, and it runs twice."""
    first = First()
    with run.site.proxy.having(DropReply(match=first), DOWNSTREAM) as drop:
        await run.edit()
        await run.playing.watch.until_idle(60, check=run.site.service.check)
    scripts = {each for each in first.met if each.startswith(b"EVALSHA")}
    assert len(scripts) >= 5
    assert drop.hits >= len(first.met)


async def replies_dropped_often(run: Run) -> None:
    """Every fourth answer is swallowed, whatever was asked: a command may fail in spite of its repeats."""
    with run.site.proxy.having(DropReply(every=4), DOWNSTREAM) as drop:
        await run.edit()
        await wait_until(lambda: drop.hits >= 60, "many answers were swallowed", 60)


async def pool_exhausted(run: Run) -> None:
    """Four connections that are slow, for more tasks than that: some wait for a free one in vain."""
    since = len(run.site.log())
    with run.site.proxy.having(Latency(0.7), DOWNSTREAM):
        await run.edit()
        await run.site.said("ConnectionError", since=since)


Fault = Callable[[Run], Awaitable[None]]
FAULTS: Final[tuple[Fault, ...]] = (
    turned_into_a_replica,
    out_of_memory,
    black_hole,
    scripts_forgotten,
    replies_dropped,
    replies_dropped_often,
    pool_exhausted,
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
async def test_redis_fails_in_the_middle_of_an_import(site: Site, fault: Fault) -> None:
    """Nothing is committed that is not recorded; afterwards all is in Swoogo once, within the credits, quietly."""
    conference = small(talks=_TALKS, people=6)
    lines = len(site.log())
    async with play(site.world, conference, event_id=next(_events), org_id=str(uuid.uuid4())) as playing:
        run = Run(site, playing)
        await playing.connect()

        async def act() -> int:
            records = await run.publish(conference)
            await run.half_way()
            await fault(run)
            return records

        meanwhile = await playing.chapter("an import and a fault", act)
        assert meanwhile.differences == [], site.service.tail(40)
        assert meanwhile.duplicates == 0
        later = replace(run.conference, talks=edited(run.conference, 1, title="Talk 1, later").talks)
        afterwards = await playing.publish([later], "an edit afterwards")
        assert afterwards.differences == []
        assert afterwards.duplicates == 0
        assert afterwards.writes == 1
    await within_the_credits(site.world)
    assert len(site.log()) - lines < _LINES


async def within_the_credits(running: World) -> None:
    stats: dict[str, Any] = await running.get("stats")
    for meter in stats["credentials"].values():
        assert meter["refused_429"] == 0
        assert meter["most_in_sliding_window"] <= _LIMIT
