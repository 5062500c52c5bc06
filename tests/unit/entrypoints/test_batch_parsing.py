"""A batch goes through FastStream's parser without FastStream looking into its records (`peers-and-pitfalls.md A2`)."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import ConsumerRecord
from faststream.kafka.message import KafkaMessage
from faststream.kafka.parser import AioKafkaBatchParser

from consumer.adapters.kafka.topic_scan import raw
from consumer.entrypoints.subscribers import raw_value, safe_headers


def a_consumer_record(offset: int, *headers: tuple[str, bytes | None]) -> ConsumerRecord[Any, Any]:
    return ConsumerRecord(
        topic="sessionboard.sessions",
        partition=0,
        offset=offset,
        timestamp=1,
        timestamp_type=0,
        key=b"ev/s1",
        value=b"{}",
        checksum=None,
        serialized_key_size=5,
        serialized_value_size=2,
        headers=headers,
    )


@pytest.mark.rule("G1")
async def test_binary_headers_reach_the_recorder_in_order() -> None:
    """FastStream decodes headers as UTF-8 and would drop the batch; G1: none is lost."""
    batch = (
        a_consumer_record(7, ("bytes", b"\xff\xfe")),
        a_consumer_record(8, ("null", None)),
        a_consumer_record(9, ("content-type", b"text/plain")),
    )
    parser = AioKafkaBatchParser(msg_class=KafkaMessage, regex=None)
    parsed = await safe_headers(batch, parser.parse_batch)
    assert parsed.raw_message is batch  # what nack rewinds to (A3)
    assert [raw(record) for record in await raw_value(parsed)] == [raw(record) for record in batch]
    assert [raw(record).offset for record in await raw_value(parsed)] == [7, 8, 9]
