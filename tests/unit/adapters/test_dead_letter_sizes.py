"""A record that is too large for the dead letters becomes a small one, whatever made it large (G1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from consumer.adapters.kafka.publish import KafkaDeadLetters
from consumer.ports import DeadLetter, RawRecord

LIMIT = 1_000_000


class Producer:
    """Takes what a topic with a limit takes."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    async def send_and_wait(
        self, topic: str, *, value: bytes | None, key: bytes | None, headers: Sequence[tuple[str, bytes]]
    ) -> None:
        size = len(value or b"") + len(key or b"") + sum(len(name) + len(held) for name, held in headers)
        if size > LIMIT:
            raise MessageSizeTooLargeError
        self.sent.append({"value": value, "key": key, "headers": dict(headers)})


@pytest.mark.parametrize("large", ["value", "headers", "key"])
async def test_g1_no_part_of_a_record_keeps_its_letter_from_being_written(large: str) -> None:
    """Else the record would be tried for ever, and everything behind it would wait."""
    much = b"x" * (LIMIT + 1)
    record = RawRecord(
        "in",
        0,
        7,
        1,
        much if large == "key" else b"k",
        much if large == "value" else b"v",
        (("trace", much if large == "headers" else b"t"),),
    )
    producer = Producer()
    await KafkaDeadLetters(producer, "dead").put([DeadLetter(record, "too_large", "It is too large.")])
    (letter,) = producer.sent
    assert letter["headers"]["swoogo-sync-truncated"] == b"true"
    assert ("trace" in letter["headers"]) == (large != "headers")
    assert (letter["key"] is None) == (large == "key")
    assert len(letter["value"]) == (100_000 if large == "value" else 1)


async def test_c2_credentials_in_clear_stay_out_of_a_cut_letter_too() -> None:
    value = b'{"consumer_secret": "canary"}' + b"x" * LIMIT
    record = RawRecord("in", 0, 7, 1, b"k", value, (("trace", b"x" * LIMIT),))
    producer = Producer()
    await KafkaDeadLetters(producer, "dead").put([DeadLetter(record, "too_large", "It is too large.")])
    (letter,) = producer.sent
    assert not letter["value"]
    assert "swoogo-sync-withheld" in letter["headers"]
    assert b"canary" not in b"".join(letter["headers"].values())
