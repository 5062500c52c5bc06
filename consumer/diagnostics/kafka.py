"""Kafka: reachable, every topic there and kept as it must be, readable, and publishing allowed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.security import client_options, explain_connection_error
from consumer.adapters.kafka.topic_checks import CLEANUP, alteration, differing
from consumer.adapters.kafka.topics import TopicPolicy, policies
from consumer.diagnostics.check_result import CheckResult
from consumer.domain.errors import SwoogoSyncError
from consumer.settings import KafkaSettings

_PART: Final = "kafka"


async def check_kafka(settings: KafkaSettings) -> list[CheckResult]:
    try:
        options = client_options(settings)
        admin = AIOKafkaAdminClient(**options)
        await admin.start()
    except SwoogoSyncError as error:
        return [CheckResult.error(_PART, str(error))]
    except (KafkaError, OSError, TimeoutError) as error:
        return [CheckResult.error(_PART, str(await explain_connection_error(settings, error)))]
    try:
        wanted = policies(settings.topics)
        there = set(await admin.list_topics())
        found = [CheckResult.ok(_PART, f"answers at {settings.bootstrap_servers}")]
        found += [_missing(name, wanted[name]) for name in wanted if name not in there]
        present = {name: policy for name, policy in wanted.items() if name in there}
        found += await _kept(admin, present)
        parts = await _partitions(admin, present)
        found += _copies(parts)
    except (KafkaError, OSError, TimeoutError) as error:
        name = type(error).__name__
        return [CheckResult.error(_PART, f"topics cannot be described ({name}); grant DESCRIBE and DESCRIBE_CONFIGS.")]
    finally:
        await admin.close()
    topics = settings.topics
    inputs = {topics.sessions, topics.speakers, topics.sponsors, topics.mappings}
    readable, publishing = await asyncio.gather(
        _readable(options, [part for part in parts if part.topic in inputs]), _publishing(options)
    )
    return [*found, *readable, publishing]


def _missing(name: str, policy: TopicPolicy) -> CheckResult:
    config = ",".join(f"{key}={value}" for key, value in policy.config().items())
    return CheckResult.error(_PART, f"topic {name} is missing; create it with {config}.")


async def _kept(admin: AIOKafkaAdminClient, wanted: Mapping[str, TopicPolicy]) -> list[CheckResult]:
    """Whether each topic's configuration is the one that the guarantees stand on."""
    found = []
    off = await differing(admin, wanted)
    for name in wanted:
        change = off.get(name)
        if change is None:
            found.append(
                CheckResult.warning(_PART, f"topic {name}: its configuration cannot be read; grant DESCRIBE_CONFIGS.")
            )
        elif not change:
            found.append(CheckResult.ok(_PART, f"topic {name} is kept as it must be"))
        else:
            grade = CheckResult.error if CLEANUP in change else CheckResult.warning
            found.append(grade(_PART, f"topic {name}: {alteration(name, change)}"))
    return found


async def _partitions(admin: AIOKafkaAdminClient, topics: Iterable[str]) -> dict[TopicPartition, int]:
    """Every partition of the topics, and how many copies it has."""
    described = await admin.describe_topics(sorted(topics))
    return {
        TopicPartition(topic["topic"], part["partition"]): len(part["replicas"])
        for topic in described
        for part in topic["partitions"]
    }


def _copies(parts: Mapping[TopicPartition, int]) -> list[CheckResult]:
    single = sorted({part.topic for part, copies in parts.items() if copies < 2})
    if not single:
        return []
    return [
        CheckResult.warning(_PART, f"topics with one copy only, which a broker's disk can lose: {', '.join(single)}.")
    ]


async def _readable(options: Mapping[str, Any], parts: list[TopicPartition]) -> list[CheckResult]:
    """Read a record of each partition, beside every consumer group."""
    consumer = AIOKafkaConsumer(**options)
    try:
        await consumer.start()
        consumer.assign(parts)
        await consumer.end_offsets(parts)
        await consumer.seek_to_beginning()
        await consumer.getmany(timeout_ms=50, max_records=1)
    except (KafkaError, OSError, TimeoutError) as error:
        return [CheckResult.error(_PART, f"input topics cannot be read ({type(error).__name__}); grant READ on them.")]
    finally:
        await consumer.stop()
    return [CheckResult.ok(_PART, "input topics can be read")]


async def _publishing(options: Mapping[str, Any]) -> CheckResult:
    """A producer that may not write idempotently fails at its start; nothing is sent."""
    producer = AIOKafkaProducer(acks="all", enable_idempotence=True, **options)
    try:
        await producer.start()
    except (KafkaError, OSError, TimeoutError) as error:
        return CheckResult.error(
            _PART, f"nothing can be published ({type(error).__name__}); grant WRITE and IDEMPOTENT_WRITE."
        )
    finally:
        await producer.stop()
    return CheckResult.ok(_PART, "an idempotent producer may start")
