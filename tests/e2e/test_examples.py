"""The example publishers as a publisher runs them: what they put on a real broker keeps the contract."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

import jsonschema
import pytest
from pydantic import SecretStr

from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.redis import codecs
from consumer.adapters.sealing import CredentialOpener, KeyPair
from consumer.domain.connections.connection import IntegrationRequest
from consumer.ports import Change, RawRecord
from consumer.settings import KeySettings
from consumer.settings import Topics as TopicNames
from schemas.json_schema import value_schema
from schemas.topics import Topic
from tests.support import tools
from tests.support.rendered import ROOT
from tests.support.topics import Topics, read_all

pytestmark = pytest.mark.e2e

_INPUT: Final = (Topic.MAPPINGS, Topic.SPEAKERS, Topic.SESSIONS, Topic.SPONSORS)


def _command(language: str) -> list[str]:
    if language == "python":
        return [sys.executable, str(ROOT / "examples" / "publisher" / "python" / "publisher.py")]
    return tools.typescript_publisher()


@pytest.mark.parametrize("language", ["python", "typescript"])
@pytest.mark.timeout(300)
async def test_an_example_publisher_keeps_the_contract(language: str, topics: Topics) -> None:
    names = await topics.service_topics()
    keys = KeyPair.generate()
    arguments = {
        "kafka": topics.bootstrap,
        "public-key": keys.public,
        "consumer-key": "key-of-the-example",
        "consumer-secret": "secret-of-the-example",
        "org": "org-example",
        "event": "3960",
        "swoogo-event": "117174",
        "topics": names[Topic.SESSIONS].removesuffix(".sessions"),
    }
    command = [*_command(language), *(word for name, value in arguments.items() for word in (f"--{name}", value))]
    run = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr

    records = {topic: await read_all(topics.bootstrap, names[topic]) for topic in _INPUT}
    assert [len(records[topic]) for topic in _INPUT] == [3, 1, 2, 2]
    assert records[Topic.SPONSORS][-1].value is None, "the sponsor is deleted by a null value"
    for topic, found in records.items():
        validator = jsonschema.Draft202012Validator(value_schema(topic))
        for record in found:
            if record.value is not None:
                validator.validate(json.loads(record.value))

    decoder = KafkaDecoder(TopicNames(**{topic.value.partition(".")[2]: names[topic] for topic in _INPUT}), 4_194_304)
    read = [_read(decoder, record) for found in records.values() for record in found]
    [integration] = [row for row in read if isinstance(row, IntegrationRequest)]
    opener = CredentialOpener(KeySettings(private=SecretStr(keys.private)))
    assert opener(integration) == ("key-of-the-example", "secret-of-the-example")


def _read(decoder: KafkaDecoder, record: RawRecord) -> object:
    """Peek and read, as the service does. Raises PoisonError for what would be a dead letter."""
    peeked = decoder.peek(record)
    assert peeked is not None, "nothing of it is ignored"
    change = decoder.read(peeked)
    if isinstance(change, Change) and peeked.key.startswith("integration/"):
        return codecs.request(change.key, change.row)
    return change


def test_a_missing_argument_is_named() -> None:
    commands: Sequence[list[str]] = (_command("python"), _command("typescript"))
    for command in commands:
        run = subprocess.run([*command, "--org", "a"], capture_output=True, text=True, timeout=60, check=False)
        assert run.returncode == 2
        assert "event" in run.stderr or "kafka" in run.stderr
