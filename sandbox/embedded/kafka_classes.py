"""The classes that Apache Kafka loads, archived by a run of it (class data sharing)."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from sandbox.embedded.jars import fetch
from sandbox.embedded.kafka import EmbeddedKafka
from sandbox.embedded.kafka_start import CLASSES

_TOPIC = "any"
_SECONDS = 60.0


def archive_classes(cache: Path | None = None) -> None:
    """Run Kafka once and keep the classes it loads beside its jars; nothing to do when they are kept already.

    Raises `ServerUnavailableError` without Java and `ServerFailedError` when it does not start.
    """
    if not (fetch(cache) / CLASSES).exists():
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a broker that has just begun has no coordinator yet
        asyncio.run(_archive(_Watched(cache=cache, startup_timeout=3 * _SECONDS)))


class _Watched(EmbeddedKafka):
    """Its JVM writes the archive when it ends in order."""

    def _command(self) -> list[str]:
        java, *rest = super()._command()
        return [java, f"-XX:ArchiveClassesAtExit={self.root / CLASSES}", *rest]


async def _archive(kafka: EmbeddedKafka) -> None:
    async with kafka:
        await _use(kafka.bootstrap)
        await kafka.astop(keep=True, grace=3 * _SECONDS)
        made = kafka.root / CLASSES
        if made.exists():
            kept = fetch(kafka.cache) / CLASSES
            part = kept.with_suffix(f".{kafka.root.name}")
            shutil.copy(made, part)
            part.replace(kept)


async def _use(bootstrap: str) -> None:
    """What every client does, once: a topic, a record, and a group that reads it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(_TOPIC, 1, 1)])
    finally:
        await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=bootstrap) as producer:
        await producer.send_and_wait(_TOPIC, b"a record")
    async with AIOKafkaConsumer(
        _TOPIC, bootstrap_servers=bootstrap, group_id=_TOPIC, auto_offset_reset="earliest"
    ) as consumer:
        await asyncio.wait_for(consumer.getone(), _SECONDS)
        await consumer.commit()
