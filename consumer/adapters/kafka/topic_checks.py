"""Whether the topics are there, and kept as the guarantees need it.

Kept by time instead of by key, the changelog forgets after a week what is in Swoogo, and a loss of Redis then doubles
records (G2, G6); an input topic forgets what Sessionboard last said. Compacted at once, an input topic loses acts that
follow each other on a key: credentials hide the disconnect before them (X1).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import structlog
from aiokafka import codec
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError

from consumer.adapters.kafka.security import client_options, explain_connection_error
from consumer.adapters.kafka.topics import COMPACTION_LAG, TopicPolicy, create_topics, policies
from consumer.domain.errors import ConfigurationError
from consumer.settings import KafkaSettings

CLEANUP: Final = "cleanup.policy"

log = structlog.get_logger("topics")


async def ensure_topics(settings: KafkaSettings) -> None:
    """All topics are there, or are made where the settings say so; ledger and input topics are compacted.

    Raises:
        ConfigurationError: a topic is missing or kept by time (the sentence names it and what to do), or the brokers
            do not let us in.
        UnavailableError: no broker answers.
    """
    wanted = policies(settings.topics)
    options = client_options(settings)
    try:
        if settings.create_topics:
            access = {name: value for name, value in options.items() if name != "bootstrap_servers"}
            await create_topics(settings.bootstrap_servers, wanted, **access)
        admin = AIOKafkaAdminClient(**options)
        await admin.start()
        try:
            there = set(await admin.list_topics())
            missing = [name for name in wanted if name not in there]
            off = {} if missing else await differing(admin, wanted)
        finally:
            await admin.close()
    except (KafkaError, OSError, TimeoutError) as error:
        raise await explain_connection_error(settings, error) from error
    if missing:
        name = missing[0]
        config = ",".join(f"{key}={value}" for key, value in wanted[name].config().items())
        seen = f" that {settings.sasl.username} may see" if settings.logs_in else ""
        raise ConfigurationError(
            f"Kafka has no topic {', '.join(missing)}{seen}; create {name} with {config}, "
            "or all with `swoogo-sync topics create`, or set SWOOGO_SYNC_KAFKA__CREATE_TOPICS=true."
        )
    _insist_on_compaction(wanted, off)


def _insist_on_compaction(wanted: Mapping[str, TopicPolicy], off: Mapping[str, Mapping[str, str]]) -> None:
    compacted = [name for name, policy in wanted.items() if policy.retention_ms is None]
    by_time = [name for name in compacted if CLEANUP in off.get(name, {})]
    if by_time:
        commands = "; ".join(alteration(name, {CLEANUP: off[name][CLEANUP]}) for name in by_time)
        raise ConfigurationError(
            f"Kafka keeps {', '.join(by_time)} by time, so that a loss of Redis could not be made good: {commands}"
        )
    too_early = [name for name in compacted if COMPACTION_LAG in off.get(name, {})]
    if too_early:
        # No reason to stand still: what is lost by it is lost only while no consumer reads.
        log.warning(
            "topics.compacted_too_early",
            topics=too_early,
            reason="A disconnect that was not read yet may be compacted away (X1).",
            then="; ".join(alteration(name, {COMPACTION_LAG: off[name][COMPACTION_LAG]}) for name in too_early),
        )
    unread = [name for name in compacted if name not in off]
    if unread:
        log.warning("topics.not_checked", topics=unread, reason="Their configuration cannot be read.")


async def differing(admin: AIOKafkaAdminClient, wanted: Mapping[str, TopicPolicy]) -> dict[str, dict[str, str]]:
    """Topic -> configuration that it should have and has not; empty where it is kept as it must be.

    Topics whose configuration may not be read are left out. Raises aiokafka's errors.
    """
    if not wanted:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in wanted])
    held = {name: config for answer in answers for name, config in _configs(answer)}
    return {
        name: {key: value for key, value in policy.config().items() if not _suits(key, held[name].get(key), value)}
        for name, policy in wanted.items()
        if name in held
    }


def alteration(topic: str, change: Mapping[str, str]) -> str:
    config = ",".join(f"{key}={value}" for key, value in change.items())
    return f"kafka-configs.sh --alter --topic {topic} --add-config {config}"


def _configs(answer: Any) -> list[tuple[str, dict[str, str]]]:
    """Topic -> its configuration, out of one answer; an error stands before each topic."""
    return [
        (name, {entry[0]: str(entry[1]) for entry in rows}) for code, _, _, name, rows in answer.resources if not code
    ]


def _suits(key: str, held: str | None, wanted: str) -> bool:
    if held is None:
        return False
    if key == CLEANUP:
        return held == wanted
    return int(held) < 0 or int(held) >= int(wanted)


def check_codecs() -> None:
    """Every compression a producer may choose can be read; aiokafka would stall for ever on another.

    Raises:
        ConfigurationError: a codec is missing from this installation.
    """
    missing = [
        name
        for name, present in (
            ("gzip", codec.has_gzip()),
            ("snappy", codec.has_snappy()),
            ("lz4", codec.has_lz4()),
            ("zstd", codec.has_zstd()),
        )
        if not present
    ]
    if missing:
        raise ConfigurationError(f"Topics compressed with {', '.join(missing)} could not be read; install cramjam.")
