"""INGEST: changes per CPU second, from the topic until they are durable (`appendfsync always`) and committed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from benchmarks import quix_consumer
from benchmarks.figure import Figure
from benchmarks.quix_consumer import quix_python
from benchmarks.servers import Ground
from benchmarks.traffic import Traffic
from benchmarks.usage import cpu_seconds
from consumer.adapters.kafka.topics import DEFAULT_TOPICS, create_topics
from consumer.adapters.sealing import KeyPair
from consumer.settings import PREFIX, Topics
from sandbox.conference.records import TopicNames
from sandbox.demo.world import Servers
from sandbox.embedded.server import die_with_parent

NAME: Final = "ingest"
_GOAL: Final = 20_000.0
_GOAL_RATIO: Final = 40.0
_GOAL_FAST: Final = 0.8
_GOAL_QUIX: Final = 1.5
_PEER: Final = "FastStream, typed, one message a call, AckPolicy.ACK, HSET"
_FAST: Final = "aiokafka getmany, msgspec into the same structs, a pipelined HSET a batch, commit (records/CPU s)"
_QUIX: Final = "Quix Streams, JSON by orjson, its Redis sink, 5,000 a checkpoint (records/CPU s)"
_PEER_SHARE: Final = 0.06
"""The peer gets this share of the records, as it would need minutes for all."""
_QUIX_SCALE: Final = 0.05
"""With smaller loads it is left out: it is installed from the package index first."""
_BOTH_SCALE: Final = 0.05
"""With smaller loads the first mix is enough: the second differs in data alone."""
_LONGEST: Final = 240.0
_POLL_SECONDS: Final = 0.02
_IN_FLIGHT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Speed:
    """What a consumer did with `records`: CPU seconds of its process, and seconds on the wall clock."""

    records: int
    cpu: float
    wall: float

    @property
    def per_core(self) -> float:
        """Records per CPU second."""
        return self.records / self.cpu


async def measure(ground: Ground, scale: float) -> list[Figure]:
    """Both mixes, or the first one when there is little to read; `scale` 1 is 100,000 records each."""
    pairs = max(10, round(2_500 * scale))
    mixes = {
        "all keys distinct": Traffic(events=20, pairs=pairs),
        "replay of 5,000 records, 20 versions each": Traffic(
            events=2, pairs=max(10, round(1_250 * scale)), versions=20
        ),
    }
    quix = await asyncio.to_thread(quix_python) if scale >= _QUIX_SCALE else "Quix Streams runs with larger loads only."
    figures: list[Figure] = []
    for number, (what, traffic) in enumerate(list(mixes.items())[: 2 if scale >= _BOTH_SCALE else 1]):
        figures += await _mix(ground.named(f"{NAME}-{number}"), what, traffic, quix)
    return figures


async def _mix(servers: Servers, what: str, traffic: Traffic, quix: Path | str) -> list[Figure]:
    prefix = servers.prefix
    names = {each.name: f"{prefix}.{getattr(TopicNames(), each.name)}" for each in fields(TopicNames)}
    traffic = Traffic(events=traffic.events, pairs=traffic.pairs, versions=traffic.versions, topics=TopicNames(**names))
    await create_topics(servers.bootstrap, {f"{prefix}.{name}": policy for name, policy in DEFAULT_TOPICS.items()})
    size = await preload(servers.bootstrap, traffic)
    ours = await _consume(servers, "service", traffic.count)
    fast = await _consume(servers, "fast", traffic.count)
    peer = await _consume(servers, "peer", max(50, round(traffic.count * _PEER_SHARE)))
    said = (
        f"{ours.records:,} records of {size:,} bytes in the mean; wall clock {ours.records / ours.wall:,.0f}/s, "
        f"peer {peer.records / peer.wall:,.0f}/s, by hand {fast.records / fast.wall:,.0f}/s"
        f"{'' if isinstance(quix, Path) else f'. {quix}'}"
    )
    return [
        Figure(
            benchmark=NAME,
            what=what,
            value=ours.per_core,
            unit="records/CPU s",
            goal=_GOAL,
            more_is_better=True,
            peer=peer.per_core,
            peer_name=_PEER,
            note=said,
        ),
        Figure(
            benchmark=NAME,
            what=f"{what}: times the peer",
            value=ours.per_core / peer.per_core,
            unit="x",
            goal=_GOAL_RATIO,
            more_is_better=True,
        ),
        Figure(
            benchmark=NAME,
            what=f"{what}: times the fastest by hand",
            value=ours.per_core / fast.per_core,
            unit="x",
            goal=_GOAL_FAST,
            more_is_better=True,
            peer=fast.per_core,
            peer_name=_FAST,
            note="It keeps what it reads, and nothing else: no dead letters, versions, marks or rebuild.",
        ),
        *([await _quix(servers, what, traffic, ours, quix)] if isinstance(quix, Path) else []),
    ]


async def _quix(servers: Servers, what: str, traffic: Traffic, ours: Speed, python: Path) -> Figure:
    streams = await _consume(servers, "quix", traffic.count, python)
    return Figure(
        benchmark=NAME,
        what=f"{what}: times Quix Streams",
        value=ours.per_core / streams.per_core,
        unit="x",
        goal=_GOAL_QUIX,
        more_is_better=True,
        peer=streams.per_core,
        peer_name=_QUIX,
        note=f"{streams.records:,} records; the last one read is kept, whatever its version.",
    )


async def preload(bootstrap: str, traffic: Traffic) -> int:
    """Publish everything; returns the mean size in bytes."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=20, max_batch_size=262_144)
    await producer.start()
    total = 0
    try:
        sent: list[asyncio.Future[object]] = []
        for record in traffic.records():
            total += len(record.value or b"")
            sent.append(await producer.send(record.topic, record.value, key=record.key))
            if len(sent) >= _IN_FLIGHT:
                await asyncio.gather(*sent)
                sent.clear()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()
    return total // traffic.count


async def _consume(servers: Servers, who: str, target: int, python: Path | None = None) -> Speed:
    """Let one consuming process work until it has committed `target` records."""
    prefix = servers.prefix
    group = f"{prefix}.{who}"
    values = {
        "ROLE": "ingest",
        "LOG__LEVEL": "WARNING",
        "KAFKA__BOOTSTRAP_SERVERS": servers.bootstrap,
        "KAFKA__GROUP_ID": group,
        **{f"KAFKA__TOPICS__{name.upper()}": f"{prefix}.{topic}" for name, topic in Topics().model_dump().items()},
        "REDIS__URL": servers.redis_url,
        "REDIS__PREFIX": f"{prefix}-{who}",
        "KEYS__PRIVATE": KeyPair.generate().private,
    }
    admin = AIOKafkaAdminClient(bootstrap_servers=servers.bootstrap)
    await admin.start()
    try:
        with _process(who, {f"{PREFIX}{name}": value for name, value in values.items()}, python) as process:
            await asyncio.to_thread(_until_ready, process)
            cpu, wall = cpu_seconds(process.pid), time.monotonic()
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
            while (done := await _committed(admin, group)) < target:
                if process.poll() is not None or time.monotonic() - wall > _LONGEST:
                    raise RuntimeError(f"The {who} stopped at {done:,} of {target:,} records.")
                await asyncio.sleep(_POLL_SECONDS)
            return Speed(done, cpu_seconds(process.pid) - cpu, time.monotonic() - wall)
    finally:
        await admin.close()


async def _committed(admin: AIOKafkaAdminClient, group: str) -> int:
    """How many records of both topics the consumer groups have committed."""
    try:
        groups = [await admin.list_consumer_group_offsets(f"{group}.{name}") for name in ("sessions", "speakers")]
    except GroupCoordinatorNotAvailableError:  # the first group of a broker makes it create the offsets topic
        return 0
    return sum(max(known.offset, 0) for offsets in groups for known in offsets.values())


@contextmanager
def _process(who: str, environment: Mapping[str, str], python: Path | None) -> Iterator[subprocess.Popen[bytes]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    command = (
        [str(python), "-I", "-Wignore", quix_consumer.__file__]
        if python
        else [sys.executable, "-m", "benchmarks.consuming", who]
    )
    process = subprocess.Popen(
        command,
        env={**kept, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        preexec_fn=die_with_parent(),  # noqa: PLW1509 - the library is loaded before the fork
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _until_ready(process: subprocess.Popen[bytes]) -> None:
    assert process.stdout is not None
    if process.stdout.readline().strip() != b"ready":
        raise RuntimeError("The consuming process ended before it was ready; what it wrote is above.")
