"""`topics create`: the topics with the policies the service needs, on a real Kafka."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from typer.testing import CliRunner, Result

from consumer.adapters.kafka.topics import policies
from consumer.entrypoints.cli.app import app
from consumer.settings import Topics

pytestmark = pytest.mark.integration


@pytest.fixture
async def admin(kafka_bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    client = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await client.start()
    yield client
    await client.close()


async def test_topics_are_made_once_each_kept_as_the_service_needs_it(
    kafka_bootstrap: str, admin: AIOKafkaAdminClient
) -> None:
    names = {field: f"cli-{uuid.uuid4().hex[:8]}.{field}" for field in Topics.model_fields}
    environment = {f"SWOOGO_SYNC_KAFKA__TOPICS__{field.upper()}": name for field, name in names.items()}
    environment["SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS"] = kafka_bootstrap

    async def call(*options: str) -> Result:
        arguments = ["topics", "create", "--json", *options]
        return await asyncio.to_thread(CliRunner().invoke, app, arguments, env=environment)

    try:
        first = await call("--replication", "1", "--partitions", "2")
        assert first.exit_code == 0, first.output
        assert json.loads(first.stdout) == {"created": sorted(names.values()), "there": []}
        again = await call("--replication", "1")
        assert json.loads(again.stdout) == {"created": [], "there": sorted(names.values())}
        made = {topic["topic"]: len(topic["partitions"]) for topic in await admin.describe_topics(list(names.values()))}
        assert made == dict.fromkeys(names.values(), 2)
        for name, policy in policies(Topics(**names)).items():
            [answer] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name)])
            config = {row[0]: row[1] for row in answer.resources[0][4]}
            assert policy.config().items() <= config.items(), name
    finally:
        await admin.delete_topics(list(names.values()))


async def test_more_copies_than_brokers_is_a_sentence(kafka_bootstrap: str) -> None:
    name = f"cli-{uuid.uuid4().hex[:8]}"
    environment = {
        "SWOOGO_SYNC_KAFKA__BOOTSTRAP_SERVERS": kafka_bootstrap,
        "SWOOGO_SYNC_KAFKA__TOPICS__SESSIONS": name,
    }
    result = await asyncio.to_thread(
        CliRunner().invoke, app, ["topics", "create", "--replication", "3"], env=environment
    )
    assert result.exit_code == 2
    assert "give a smaller --replication" in result.stderr
