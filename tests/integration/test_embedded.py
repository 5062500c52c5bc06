"""The embedded servers: what a developer and the tests of outages rely on."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from redis.asyncio import Redis

from consumer.adapters.kafka.topics import DEAD_LETTERS, DEFAULT_TOPICS, INPUT, STATUS, create_topics
from sandbox.embedded import EmbeddedKafka, EmbeddedTansu, EmbeddedValkey, ServerFailedError
from sandbox.embedded import server as server_module
from tests.support.topics import Topics
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


async def read_all(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        records: list[bytes] = []
        while len(records) < count:
            records.append((await asyncio.wait_for(consumer.getone(), 10)).value)
        return records
    finally:
        await consumer.stop()


async def write(bootstrap: str, topic: str, *values: bytes, max_request_size: int = 1_048_576) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", max_request_size=max_request_size)
    await producer.start()
    try:
        for value in values:
            # Records of a compacted topic need a key.
            await producer.send_and_wait(topic, value, key=value[:8])
    finally:
        await producer.stop()


async def test_kafka_keeps_its_port_and_records_over_stop_and_kill() -> None:
    async with EmbeddedKafka() as kafka:
        port, root = kafka.port, kafka.root
        await create_topics(kafka.bootstrap, {"t": INPUT}, partitions=1)
        await write(kafka.bootstrap, "t", b"before")

        await kafka.astop(keep=True)
        assert not listening(port)
        await kafka.astart()
        await write(kafka.bootstrap, "t", b"between")

        await kafka.astop(keep=True, hard=True)
        await kafka.astart()
        assert kafka.port == port
        assert await read_all(kafka.bootstrap, "t", 2) == [b"before", b"between"]

    assert not listening(port)
    assert not root.exists()


@pytest.mark.parametrize("hard", [False, True])
async def test_valkey_keeps_every_acknowledged_write_over_a_restart(hard: bool) -> None:
    async with EmbeddedValkey() as valkey:
        async with Redis.from_url(valkey.url) as client:
            await client.set("ledger", "entry")
        port = valkey.port
        await valkey.astop(keep=True, hard=hard)
        assert not listening(port)
        await valkey.astart()
        async with Redis.from_url(valkey.url) as client:
            assert await client.get("ledger") == b"entry"
            assert (await client.config_get("appendfsync"))["appendfsync"] == "always"
    assert not listening(port)


async def test_tansu_speaks_enough_kafka_to_try_the_service() -> None:
    async with EmbeddedTansu() as tansu:
        await create_topics(tansu.bootstrap, DEFAULT_TOPICS, partitions=1)
        await write(tansu.bootstrap, "sessionboard.sessions", b"a", b"b")
        assert await read_all(tansu.bootstrap, "sessionboard.sessions", 2) == [b"a", b"b"]


@pytest.mark.parametrize("kind", [EmbeddedKafka, EmbeddedValkey, EmbeddedTansu])
async def test_a_server_whose_port_was_taken_meanwhile_moves_to_another(
    kind: type[EmbeddedKafka | EmbeddedValkey | EmbeddedTansu], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port is only looked up, not reserved: it can be gone when the server binds it."""
    with socket.socket() as rival:
        rival.bind(("127.0.0.1", 0))
        rival.listen()
        taken = rival.getsockname()[1]
        free_ports, first = server_module.free_ports, [True]

        def unlucky(count: int) -> list[int]:
            ports = free_ports(count)
            if first.pop() if first else False:
                ports[0] = taken
            return ports

        monkeypatch.setattr(server_module, "free_ports", unlucky)
        async with kind() as server:
            assert not first
            assert server.port != taken
            assert listening(server.port)


async def test_a_server_that_cannot_start_says_why_and_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    valkey = EmbeddedValkey()
    good = EmbeddedValkey._command

    def command(self: EmbeddedValkey) -> list[str]:
        return [*good(self), "--appendfsync", "sometimes"]

    monkeypatch.setattr(EmbeddedValkey, "_command", command)
    with pytest.raises(ServerFailedError, match=r"ended while starting(.|\n)*appendfsync"):
        await valkey.astart()
    assert not valkey.running
    with pytest.raises(RuntimeError, match="has not been started"):
        _ = valkey.root


def test_the_blocking_life_cycle_needs_no_event_loop() -> None:
    with EmbeddedValkey() as valkey:
        assert listening(valkey.port)
        port = valkey.port
    assert not listening(port)


@pytest.mark.parametrize("kind", ["EmbeddedValkey", "EmbeddedKafka"])
async def test_a_server_dies_with_its_parent_even_when_that_is_killed(kind: str) -> None:
    program = (
        "import signal, sys\n"
        f"from sandbox.embedded import {kind} as Server\n"
        "server = Server()\n"
        "server.start()\n"
        "print(server.port, server.root, flush=True)\n"
        "signal.pause()\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, cwd=PROJECT, stdout=asyncio.subprocess.PIPE
    )
    assert parent.stdout is not None
    try:
        line = (await asyncio.wait_for(parent.stdout.readline(), 60)).decode().split()
        port, root = int(line[0]), Path(line[1])
        assert listening(port)
    finally:
        os.kill(parent.pid, signal.SIGKILL)
        await parent.wait()
    await wait_until(lambda: not listening(port), f"{kind} is gone after its parent was killed")
    shutil.rmtree(root)


async def test_topics_have_their_retention_and_creation_is_idempotent(topics: Topics) -> None:
    names = await topics.service_topics(partitions=2)
    await create_topics(topics.bootstrap, {names[name]: policy for name, policy in DEFAULT_TOPICS.items()})

    admin = AIOKafkaAdminClient(bootstrap_servers=topics.bootstrap)
    await admin.start()
    try:
        described = {each["topic"]: each for each in await admin.describe_topics(list(names.values()))}
        assert {len(each["partitions"]) for each in described.values()} == {2}
        answers = await admin.describe_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name) for name in names.values()]
        )
    finally:
        await admin.close()
    configs = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    for name, policy in DEFAULT_TOPICS.items():
        config = configs[names[name]]
        for key, value in policy.config().items():
            assert config[key] == value, (name, key)
    assert STATUS.config()["retention.ms"] == str(30 * 24 * 3600 * 1000)


async def test_a_record_of_ten_megabytes_fits_the_input_and_the_dead_letter_topics(topics: Topics) -> None:
    big = b"x" * (10 * 1024 * 1024)
    for topic in (await topics("sessions"), await topics("dead-letters", DEAD_LETTERS)):
        await write(topics.bootstrap, topic, big, max_request_size=16 * 1024 * 1024)
        assert [len(each) for each in await read_all(topics.bootstrap, topic, 1)] == [len(big)]
