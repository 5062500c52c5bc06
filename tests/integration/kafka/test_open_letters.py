"""Open dead letters are counted whichever process wrote them, by the gauge and by `status`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from typer.testing import CliRunner

from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.cli.app import app
from consumer.observability.gauges import show_open_letters
from consumer.observability.registry import MetricRegistry
from consumer.settings import PREFIX
from tests.integration.kafka.kafka_world import KafkaWorld
from tests.integration.kafka.letters import lettered, read
from tests.support.scrape import samples

pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("audit")]


@pytest.fixture
async def letters(kafka: KafkaWorld) -> AsyncIterator[OpenDeadLetters]:
    async with aclosing(OpenDeadLetters(kafka.settings)) as counting:
        yield counting


async def fresh(kafka: KafkaWorld) -> dict[str, int]:
    """As a process that has just started counts."""
    async with aclosing(OpenDeadLetters(kafka.settings)) as counting:
        return dict(await counting.count())


async def test_letters_count_until_they_are_settled_in_every_process(
    kafka: KafkaWorld, letters: OpenDeadLetters
) -> None:
    topic = kafka.topics.sessions
    assert await letters.count() == await fresh(kafka) == {}
    await lettered(kafka, [("7/a", b"bad a"), ("7/b", b"bad b"), ("7/c", b"bad c")])
    assert await letters.count() == await fresh(kafka) == {topic: 3}
    [first, *_] = [each["id"] for each in (await read(kafka, "list"))["letters"]]
    await read(kafka, "discard", first, "--yes")
    assert await letters.count() == await fresh(kafka) == {topic: 2}
    await read(kafka, "replay", "--all", "--yes")
    assert await letters.count() == await fresh(kafka) == {}


async def test_letters_that_retention_deleted_are_not_open(kafka: KafkaWorld, letters: OpenDeadLetters) -> None:
    await lettered(kafka, [("7/a", b"bad a")])
    assert sum((await letters.count()).values()) == 1
    [letter] = (await read(kafka, "list"))["letters"]
    partition, offset = map(int, letter["id"].split(":"))
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.settings.bootstrap_servers)
    await admin.start()
    try:
        where = TopicPartition(kafka.topics.dead_letters, partition)
        await admin.delete_records({where: RecordsToDelete(before_offset=offset + 1)})
    finally:
        await admin.close()
    assert await letters.count() == {}


async def test_the_gauge_has_a_zero_for_each_input_topic_and_survives_a_restart(
    kafka: KafkaWorld, letters: OpenDeadLetters
) -> None:
    inputs = (kafka.topics.sessions, kafka.topics.speakers)
    await lettered(kafka, [("7/a", b"bad a")])
    meters = MetricRegistry()
    await show_open_letters(meters, letters, inputs)
    found = samples(meters.exposition().decode())
    for topic, count in zip(inputs, (1, 0), strict=True):
        assert found["swoogo_sync_dead_letters_open", frozenset({("topic", topic)})] == count


async def test_no_topic_of_dead_letters_is_a_sentence(kafka: KafkaWorld) -> None:
    topics = kafka.settings.topics.model_copy(update={"dead_letters": "no.such.topic"})
    async with aclosing(OpenDeadLetters(kafka.settings.model_copy(update={"topics": topics}))) as counting:
        with pytest.raises(ConfigurationError, match=r"Kafka has no topic no\.such\.topic"):
            await counting.count()


async def test_status_names_open_dead_letters_and_what_to_type(kafka: KafkaWorld, redis: Any, redis_url: str) -> None:
    names = {f"KAFKA__TOPICS__{name.upper()}": value for name, value in kafka.topics.model_dump().items()}
    values = {"KAFKA__BOOTSTRAP_SERVERS": kafka.settings.bootstrap_servers, "REDIS__URL": redis_url, **names}
    environment = {PREFIX + name: value for name, value in values.items()}

    async def status(*more: str) -> str:
        return (await asyncio.to_thread(CliRunner().invoke, app, ["status", *more], env=environment)).stdout

    assert (await status()).splitlines()[-1] == "Nothing needs an operator."
    await lettered(kafka, [("7/a", b"bad a"), ("7/b", b"bad b")])
    assert (await status()).splitlines()[-3:] == [
        "Needs an operator:",
        f"  2 records of {kafka.topics.sessions} could not be read.",
        "      swoogo-sync dlq list",
    ]
    assert json.loads(await status("--json"))["attention"]["dead_letters"] == 2
