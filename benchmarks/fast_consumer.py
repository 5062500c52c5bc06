"""A peer of the ingest benchmark: what somebody would write by hand who wants nothing but speed.

aiokafka's `getmany`, msgspec into the structs of this service's own fast way, one pipelined HSET a topic and batch, a
commit. It knows no dead letters, no order of versions, no marks and no rebuild.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaConsumer

from consumer.adapters.kafka import wire
from consumer.adapters.redis.client import connect
from consumer.domain.records.identity import Source
from consumer.settings import Settings

_encode: Final = msgspec.json.Encoder().encode
_AT_ONCE: Final = 500


async def fast_consumer(settings: Settings) -> None:
    """Consume until cancelled: a task a topic, as in the service."""
    redis, topics, prefix = connect(settings.redis), settings.kafka.topics, settings.redis.prefix
    kinds: Mapping[str, tuple[str, Any]] = {
        "sessions": (topics.sessions, wire.READERS[Source.SESSION]),
        "speakers": (topics.speakers, wire.READERS[Source.CONTACT]),
    }

    async def consume(name: str, topic: str, decode: Any) -> None:
        consumer = AIOKafkaConsumer(
            topic,
            bootstrap_servers=settings.kafka.bootstrap_servers,
            group_id=f"{settings.kafka.group_id}.{name}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            max_partition_fetch_bytes=4_194_304,
        )
        await consumer.start()
        while True:
            found = await consumer.getmany(timeout_ms=100, max_records=_AT_ONCE)
            rows: dict[str, dict[Any, Any]] = defaultdict(dict)
            for records in found.values():
                for record in records:
                    change = decode(record.value)
                    rows[f"{prefix}:{change.metadata.event_id}:{name}"][change.data.id] = _encode(change.data)
            if rows:
                async with redis.pipeline(transaction=False) as pipe:
                    for key, fields in rows.items():
                        pipe.hset(key, mapping=fields)
                    await pipe.execute()
                await consumer.commit()

    await asyncio.gather(*(consume(name, *kind) for name, kind in kinds.items()))
