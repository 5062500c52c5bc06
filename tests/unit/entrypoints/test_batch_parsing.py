"""A batch goes through FastStream's parser without FastStream looking into its records."""

from __future__ import annotations

import pytest
from faststream.kafka.message import KafkaMessage
from faststream.kafka.parser import AioKafkaBatchParser

from consumer.entrypoints.subscribers import raw_value, safe_headers
from consumer.ports import RawRecord


def a_record(offset: int, *headers: tuple[str, bytes | None]) -> RawRecord:
    return RawRecord("sessionboard.sessions", 0, offset, 1, b"ev/s1", b"{}", headers)


@pytest.mark.rule("G1")
async def test_binary_headers_reach_the_recorder_in_order() -> None:
    """FastStream decodes headers as UTF-8 and would drop the batch; G1: none is lost."""
    batch = (
        a_record(7, ("bytes", b"\xff\xfe")),
        a_record(8, ("null", None)),
        a_record(9, ("content-type", b"text/plain")),
    )
    parser = AioKafkaBatchParser(msg_class=KafkaMessage, regex=None)
    parsed = await safe_headers(batch, parser.parse_batch)
    assert parsed.raw_message is batch  # what nack rewinds to (A3)
    assert await raw_value(parsed) is batch
