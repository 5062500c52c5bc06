"""TLS, logins and rights on a real Apache Kafka: the service works, and a refusal is one sentence."""

from __future__ import annotations

import asyncio
import os
import sys
import uuid
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from redis.asyncio import Redis

from consumer.adapters.kafka.lag import GroupStatus, read_groups
from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters
from consumer.adapters.kafka.security import client_options
from consumer.adapters.kafka.topic_checks import ensure_topics
from consumer.adapters.kafka.topics import create_topics, policies
from consumer.adapters.redis.client import read_hash
from consumer.adapters.sealing import KeyPair
from consumer.app import service
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.settings import KafkaSettings, Settings, Topics, load_settings
from tests.integration.kafka.kafka_world import EVENT, a_session_value, key_of
from tests.integration.secure.conftest import Guarded
from tests.support.certificates import KEY_PASSWORD, Certificates
from tests.support.secure_kafka import PASSWORD, USER, Rights, SecureKafka, grant
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration

_PATIENCE = 45.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A Kafka that wants to know who comes, and the certificates."""

    kafka: SecureKafka
    files: Certificates

    def over_tls(self, mechanism: str = "SCRAM-SHA-512", **tls: Any) -> dict[str, Any]:
        """A login over TLS."""
        return {
            "bootstrap_servers": self.kafka.login,
            "security_protocol": "SASL_SSL",
            "sasl": {"mechanism": mechanism, "username": USER, "password": PASSWORD},
            "tls": {"ca_file": self.files.authority, **tls},
        }

    def mutual(self, **tls: Any) -> dict[str, Any]:
        """A certificate of our own instead of a login."""
        own = {"cert_file": self.files.client_certificate, "key_file": self.files.client_key}
        return {
            "bootstrap_servers": self.kafka.mutual,
            "security_protocol": "SSL",
            "tls": {"ca_file": self.files.authority, "key_password": KEY_PASSWORD, **own, **tls},
        }

    def in_clear(self) -> dict[str, Any]:
        """A login without encryption."""
        return {**self.over_tls(), "bootstrap_servers": self.kafka.clear, "security_protocol": "SASL_PLAINTEXT"} | {
            "tls": {}
        }


@pytest.fixture(scope="module")
def ground(guarded: Guarded) -> Ground:
    return Ground(guarded.kafka, guarded.files)


WAYS: dict[str, Callable[[Ground], dict[str, Any]]] = {
    "SCRAM-SHA-512 over TLS": lambda ground: ground.over_tls(),
    "SCRAM-SHA-256 over TLS": lambda ground: ground.over_tls("SCRAM-SHA-256"),
    "PLAIN over TLS": lambda ground: ground.over_tls("PLAIN"),
    "SCRAM-SHA-512 in clear": lambda ground: ground.in_clear(),
    "a certificate": lambda ground: ground.mutual(),
}


@pytest.mark.parametrize("way", WAYS)
async def test_the_service_works_with_exactly_the_documented_rights(
    ground: Ground, redis: Redis, redis_url: str, way: str
) -> None:
    """Start, record a change and write a dead letter, with the rights docs/access.md lists and no more."""
    name = uuid.uuid4().hex[:8]
    topics = Topics(**{field: f"{name}.{default}" for field, default in Topics().model_dump().items()})
    await create_topics(ground.kafka.bootstrap, policies(topics), partitions=1)
    inputs = [topics.sessions, topics.speakers, topics.sponsors, topics.mappings]
    outputs = [topics.status, topics.issues, topics.ledger, topics.dead_letters]
    readable = [*inputs, topics.issues, topics.ledger, topics.dead_letters]
    await grant(ground.kafka.bootstrap, Rights(readable, outputs, f"{name}."))
    settings = load_settings(
        role="ingest",
        kafka={**WAYS[way](ground), "topics": topics.model_dump(), "group_id": f"{name}.sync", "session_timeout": 6},
        redis={"url": redis_url, "prefix": name},
        keys={"private": KeyPair.generate().private},
    )
    await _publish(ground, topics.sessions, a_session_value(), b"not an event")
    async with service(settings) as running:
        assert running.broker
        await running.broker.start()
        try:
            letter = await _first(ground, topics.dead_letters)
            row = await wait_until(lambda: _recorded(redis, settings), "the change is recorded", _PATIENCE)
        finally:
            await running.broker.stop()
    assert letter == b"not an event"
    assert b"Title of s1" in row


@pytest.mark.rule("K3")
async def test_the_console_looks_with_rights_for_reading(ground: Ground) -> None:
    """What docs/access.md lists for it: the operations page says who reads and which letters are open."""
    name = uuid.uuid4().hex[:8]
    topics = Topics(**{field: f"{name}.{default}" for field, default in Topics().model_dump().items()})
    await create_topics(ground.kafka.bootstrap, policies(topics), partitions=1)
    readable = [topics.sessions, topics.speakers, topics.sponsors, topics.mappings, topics.dead_letters]
    await grant(ground.kafka.bootstrap, Rights(readable, [], f"{name}.", member=False))
    await _publish(ground, topics.sessions, a_session_value())
    login = ground.over_tls() | {"topics": topics.model_dump(), "group_id": f"{name}.sync"}
    settings = load_settings(kafka=login).kafka
    groups = await wait_until(lambda: _groups(settings), "the coordinator of a new broker is there", _PATIENCE)
    assert {each.topic: each.behind for each in groups}[topics.sessions] == 1
    async with aclosing(OpenDeadLetters(settings)) as letters:
        assert await letters.letters() == []
    with pytest.raises(TopicAuthorizationFailedError):
        async with AIOKafkaProducer(**client_options(settings)) as sender:
            await sender.send_and_wait(topics.sessions, b"x")


async def _groups(settings: KafkaSettings) -> tuple[GroupStatus, ...]:
    try:
        return await read_groups(settings, _PATIENCE)
    except UnavailableError:
        return ()


async def _publish(ground: Ground, topic: str, *values: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=ground.kafka.bootstrap) as sender:
        for value in values:
            await sender.send_and_wait(topic, value, key=key_of(value))


async def _first(ground: Ground, topic: str) -> bytes | None:
    reader = AIOKafkaConsumer(topic, bootstrap_servers=ground.kafka.bootstrap, auto_offset_reset="earliest")
    async with reader, asyncio.timeout(_PATIENCE):
        record = await reader.getone()
    value: bytes | None = record.value
    return value


async def _recorded(redis: Redis, settings: Settings) -> bytes:
    return b"".join((await read_hash(redis, f"{settings.redis.prefix}:{{event/{EVENT}}}:rows")).values())


REFUSED: dict[str, tuple[Callable[[Ground], dict[str, Any]], str]] = {
    "a wrong password": (
        lambda ground: ground.over_tls() | {"sasl": {"username": USER, "password": "canary-wrong"}},
        "refused the login of swoogo-sync; check SWOOGO_SYNC_KAFKA__SASL__USERNAME, SWOOGO_SYNC_KAFKA__SASL__PASSWORD",
    ),
    "a wrong password, PLAIN": (
        lambda ground: (
            ground.over_tls() | {"sasl": {"mechanism": "PLAIN", "username": USER, "password": "canary-wrong"}}
        ),
        "SWOOGO_SYNC_KAFKA__SASL__MECHANISM (PLAIN).",
    ),
    "a mechanism it does not offer": (
        lambda ground: ground.in_clear() | {"sasl": ground.over_tls("PLAIN")["sasl"]},
        "does not offer PLAIN; set SWOOGO_SYNC_KAFKA__SASL__MECHANISM to one that it offers.",
    ),
    "an authority no one knows": (
        lambda ground: ground.over_tls(ca_file=ground.files.stranger),
        "is not accepted (unable to get local issuer certificate); check SWOOGO_SYNC_KAFKA__TLS__CA_FILE",
    ),
    "the certificate of another host": (
        lambda ground: ground.over_tls() | {"bootstrap_servers": ground.kafka.login.replace("127.0.0.1", "localhost")},
        "Hostname mismatch, certificate is not valid for 'localhost'.); check SWOOGO_SYNC_KAFKA__TLS__CA_FILE and that",
    ),
    "no certificate where one is asked for": (
        lambda ground: {
            "bootstrap_servers": ground.kafka.mutual,
            "security_protocol": "SSL",
            "tls": {"ca_file": ground.files.authority},
        },
        "and the port, and SWOOGO_SYNC_KAFKA__TLS__CERT_FILE where the brokers ask for one.",
    ),
    "a port without TLS": (
        lambda ground: ground.over_tls() | {"bootstrap_servers": ground.kafka.clear},
        "took the connection and closed it; check SWOOGO_SYNC_KAFKA__SECURITY_PROTOCOL (SASL_SSL) and the port, and",
    ),
    "a port that logs no one in": (
        lambda ground: ground.in_clear() | {"bootstrap_servers": ground.kafka.bootstrap},
        "takes no login on that port; check SWOOGO_SYNC_KAFKA__SECURITY_PROTOCOL (SASL_PLAINTEXT) and the port.",
    ),
    "a port that wants a login": (
        lambda ground: {"bootstrap_servers": ground.kafka.clear},
        "took the connection and closed it; check SWOOGO_SYNC_KAFKA__SECURITY_PROTOCOL (PLAINTEXT) and the port.",
    ),
    "a certificate that is not there": (
        lambda ground: ground.mutual(cert_file="/nowhere/cert.pem"),
        "SWOOGO_SYNC_KAFKA__TLS__CERT_FILE names /nowhere/cert.pem, which cannot be read (No such file or directory)",
    ),
    "a wrong password of the key": (
        lambda ground: ground.mutual(key_password="canary-wrong"),
        "SWOOGO_SYNC_KAFKA__TLS__KEY_FILE names ",
    ),
    "no password of the key": (
        lambda ground: ground.mutual(key_password=""),
        "which does not hold a certificate and its key (or the key's password is another one) in PEM.",
    ),
    "an authority that is no certificate": (
        lambda ground: ground.over_tls(ca_file=ground.files.client_key),
        "which does not hold certificates in PEM.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
async def test_whoever_is_not_let_in_is_told_in_one_sentence_what_to_check(ground: Ground, what: str) -> None:
    """Names the setting, and shows no secret."""
    way, says = REFUSED[what]
    with pytest.raises(ConfigurationError) as caught:
        await ensure_topics(KafkaSettings.model_validate(way(ground)))
    sentence = str(caught.value)
    assert says in sentence
    assert "canary" not in sentence
    assert "\n" not in sentence


async def test_topics_that_may_not_be_seen_are_called_missing_with_that_reason(ground: Ground) -> None:
    settings = KafkaSettings.model_validate(ground.over_tls() | {"topics": {"sessions": "hidden"}})
    await create_topics(ground.kafka.bootstrap, {"hidden": policies(Topics())[Topics().sessions]}, partitions=1)
    with pytest.raises(ConfigurationError, match=r"no topic hidden.* that swoogo-sync may see"):
        await ensure_topics(settings)


async def test_a_broker_that_is_away_is_no_mistake_in_the_settings(ground: Ground) -> None:
    away = KafkaSettings.model_validate(ground.over_tls() | {"bootstrap_servers": "127.0.0.1:1"})
    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1:1 did not answer"):
        await ensure_topics(away)


async def test_the_process_ends_with_the_sentence_and_exit_code_2(ground: Ground, redis_url: str) -> None:
    """A wrong password, as the one who starts the service sees it."""
    variables = {
        "KAFKA__BOOTSTRAP_SERVERS": ground.kafka.login,
        "KAFKA__SECURITY_PROTOCOL": "SASL_SSL",
        "KAFKA__SASL__USERNAME": USER,
        "KAFKA__SASL__PASSWORD": "canary-wrong",
        "KAFKA__TLS__CA_FILE": str(ground.files.authority),
        "REDIS__URL": redis_url,
        "KEYS__PRIVATE": KeyPair.generate().private,
        "HTTP__PORT": "0",
        "LOG__LEVEL": "DEBUG",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "consumer.entrypoints.cli",
        "run",
        env={**os.environ, **{f"SWOOGO_SYNC_{name}": value for name, value in variables.items()}},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_PATIENCE):
        shown, told = await process.communicate()
    assert process.returncode == 2
    assert shown == b""
    assert told.decode().splitlines()[-1].startswith(f"Kafka at {ground.kafka.login} refused the login of swoogo-sync;")
    assert b"canary-wrong" not in told
    assert variables["KEYS__PRIVATE"].encode() not in told
