"""All that a deployed service puts out, read back: topics, Redis, HTTP, the command line, logs, its arguments."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import httpx
from aiokafka import AIOKafkaConsumer, TopicPartition
from redis.asyncio import Redis
from typer.testing import CliRunner

from consumer.entrypoints.cli.app import app
from sandbox.demo.play import Play

PATIENCE: Final = 45.0


@dataclass
class Heard:
    """All that came out, by where it came out."""

    machine: dict[str, bytes] = field(default_factory=dict)
    people: dict[str, bytes] = field(default_factory=dict)
    stored: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, bytes] = field(default_factory=dict)


def found(marks: Mapping[str, str], *places: Mapping[str, bytes]) -> list[str]:
    """Which mark is where; what stands around it, to find the leak."""
    leaks = []
    for where, text in (item for place in places for item in place.items()):
        for what, mark in marks.items():
            at = text.find(mark.encode())
            if at >= 0:
                leaks.append(f"{what} in {where}: ...{text[max(0, at - 120) : at + 60]!r}")
    return leaks


async def topic(bootstrap: str, name: str) -> list[Any]:
    """All records of a topic."""
    reader = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    async with reader:
        parts = [
            TopicPartition(name, number) for number in sorted(reader.partitions_for_topic(name) or {0, 1, 2, 3, 4, 5})
        ]
        reader.assign(parts)
        await reader.seek_to_beginning(*parts)
        ends = await reader.end_offsets(parts)
        records: list[Any] = []
        async with asyncio.timeout(PATIENCE):
            while sum([await reader.position(each) < ends[each] for each in parts]):
                for batch in (await reader.getmany(timeout_ms=200)).values():
                    records += batch
    return records


async def value_of(redis: Redis, key: bytes) -> bytes:
    """A value of any type as bytes."""
    kind = cast("bytes", await redis.type(key)).decode()
    look: dict[str, Any] = {
        "string": lambda: redis.get(key),
        "hash": lambda: redis.hgetall(key),
        "set": lambda: redis.smembers(key),
        "list": lambda: redis.lrange(key, 0, -1),
        "zset": lambda: redis.zrange(key, 0, -1),
    }
    held = await look[kind]() if kind in look else b""
    if isinstance(held, dict):
        held = [*held.keys(), *held.values()]
    return b"\n".join(cast("list[bytes]", held)) if not isinstance(held, bytes) else held


def _arguments(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


async def listen(playing: Play, redis: Redis) -> Heard:
    """Everything that came out."""
    shared, heard = playing.world, Heard()
    settings, (replica,) = shared.settings, shared.replicas
    assert replica.pid
    heard.machine["process arguments"] = _arguments(replica.pid)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{settings.http.port}", trust_env=False) as client:
        for page in ("metrics", "livez", "readyz", "startupz"):
            heard.machine[page] = (await client.get(f"/{page}")).content
    names = settings.kafka.topics
    for name in (names.status, names.issues, names.ledger, names.dead_letters):
        records = await topic(shared.bootstrap, name)
        assert records, f"nothing on {name}"
        for record in records:
            where = f"{name}@{record.partition}/{record.offset}"
            heard.machine[f"key of {where}"] = record.key or b""
            ours = [value or b"" for header, value in record.headers if header.startswith("swoogo-sync")]
            heard.people[f"headers of {where}"] = b"\n".join(ours)
            # What Sessionboard shows beside a record, and what it hears of syncs: neither may name a person.
            place = heard.machine if name in {names.status, names.issues} else heard.stored
            place = heard.kept if name == names.ledger else place
            place[f"value of {where}"] = record.value or b""
    event = str(playing.event.id)
    for arguments in (
        ["config"],
        ["status"],
        ["status", event],
        ["runs", event],
        ["issues", event],
        ["plan", event],
        ["ledger", "show", event],
        ["doctor"],
        ["keys", "public"],
        ["keys", "sealed"],
        ["keys", "reseal", playing.event.org_id],
        ["health"],
        ["topics", "list"],
        ["dlq", "list"],
        ["dlq", "show"],
        ["parked", "list"],
    ):
        for flags in ([], ["--json"]):
            result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, *flags], env=shared.environment)
            heard.people[f"swoogo-sync {' '.join([*arguments, *flags])}"] = result.output.encode()
    async for key in redis.scan_iter(count=1_000):
        heard.machine[f"name of {key!r}"] = key
        # What people are told rests there first: issues and runs are held to what people may see.
        told = key.endswith((b":issues", b":run", b":runs"))
        place = heard.people if told else heard.stored if key.endswith(b":rows") else heard.kept
        place[f"value of {key!r}"] = await value_of(redis, key)
    await shared.stop_services()
    heard.machine["logs"] = replica.log_path.read_bytes()
    return heard
