"""Dead letters on a real Kafka, and the commands that deal with them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from typer.testing import CliRunner, Result

from consumer.adapters.kafka.publish import KafkaDeadLetters, producer
from consumer.entrypoints.cli.app import app
from consumer.ports import DeadLetter, RawRecord
from consumer.settings import PREFIX
from tests.integration.kafka.kafka_world import KafkaWorld


async def call(kafka: KafkaWorld, *arguments: str) -> Result:
    """A command, in a loop of its own."""
    names = {f"KAFKA__TOPICS__{name.upper()}": value for name, value in kafka.topics.model_dump().items()}
    values = {"KAFKA__BOOTSTRAP_SERVERS": kafka.settings.bootstrap_servers, **names}
    environment = {PREFIX + name: value for name, value in values.items()}
    return await asyncio.to_thread(CliRunner().invoke, app, ["dlq", *arguments], env=environment)


async def read(kafka: KafkaWorld, *arguments: str, code: int = 0) -> Any:
    result = await call(kafka, *arguments, "--json")
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


async def lettered(kafka: KafkaWorld, records: Sequence[tuple[str, bytes]]) -> None:
    """These records are on the sessions topic, and each has become a dead letter."""
    topic = kafka.topics.sessions
    await kafka.send(*(value for _, value in records), keys=[key.encode() for key, _ in records], headers=[("h", b"x")])
    written = await kafka.read(topic, len(records))
    sender = producer(kafka.settings)
    await sender.start()
    try:
        await KafkaDeadLetters(sender, kafka.topics.dead_letters, kafka.topics.mappings).put(
            [
                DeadLetter(
                    RawRecord(topic, 0, each.offset, each.timestamp, each.key, each.value, tuple(each.headers)),
                    "not_json",
                    "The value is not JSON.",
                )
                for each in written
            ]
        )
    finally:
        await sender.stop()
