"""What a dead letter keeps of a record: less where it is too large, or may hold credentials."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from aiokafka.errors import MessageSizeTooLargeError

from consumer.adapters.kafka.dead_letters import Letter, read_letter
from consumer.adapters.kafka.publish import KafkaDeadLetters
from consumer.ports import DeadLetter, RawRecord

pytestmark = pytest.mark.rule("C2", "G1")

LIMIT = 1_000_000
MAPPINGS = "mappings"


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
async def test_no_part_of_a_record_keeps_its_letter_from_being_written(large: str) -> None:
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
    await KafkaDeadLetters(producer, "dead", MAPPINGS).put([DeadLetter(record, "too_large", "It is too large.")])
    (letter,) = producer.sent
    assert letter["headers"]["swoogo-sync-truncated"] == b"true"
    assert ("trace" in letter["headers"]) == (large != "headers")
    assert (letter["key"] is None) == (large == "key")
    assert len(letter["value"]) == (100_000 if large == "value" else 1)


@pytest.mark.parametrize(
    ("topic", "value", "says"),
    [
        ("in", b"x" * (LIMIT + 1), "too large to keep"),
        (MAPPINGS, b"{}", "may hold credentials and was not kept"),
        ("in", b"{}", ""),
    ],
    ids=["cut", "withheld", "whole"],
)
async def test_letter_without_its_original_bytes_says_so(topic: str, value: bytes, says: str) -> None:
    """Such a letter must not be replayed as if it were the record."""
    producer = Producer()
    record = RawRecord(topic, 0, 7, 1, b"k", value)
    await KafkaDeadLetters(producer, "dead", MAPPINGS).put([DeadLetter(record, "too_large", "It cannot be read.")])
    (sent,) = producer.sent
    letter = read_letter(RawRecord("dead", 0, 1, 1, sent["key"], sent["value"], tuple(sent["headers"].items())))
    assert isinstance(letter, Letter)
    assert says in letter.incomplete
    assert bool(letter.incomplete) == bool(says)


async def test_credentials_in_clear_stay_out_of_a_cut_letter_too() -> None:
    value = b'{"consumer_secret": "canary"}' + b"x" * LIMIT
    record = RawRecord("in", 0, 7, 1, b"k", value, (("trace", b"x" * LIMIT),))
    producer = Producer()
    await KafkaDeadLetters(producer, "dead", MAPPINGS).put([DeadLetter(record, "too_large", "It is too large.")])
    (letter,) = producer.sent
    assert not letter["value"]
    assert "swoogo-sync-withheld" in letter["headers"]
    assert b"canary" not in b"".join(letter["headers"].values())


SECRET = "canary-in-clear"
SPELLED = (
    '{"consumer_secret": "%s"}',
    '{"consumerSecret": "%s"}',
    '{"client_secret": "%s"}',
    '{"secret": "%s"}',
    '{"credentials": ["key", "%s"]}',
    '{"\\u0063onsumer_secret": "%s"}',
    "%s",
)
ENCODED: tuple[Callable[[str], bytes], ...] = (
    str.encode,
    lambda text: text.encode("utf-16"),
    lambda text: b64encode(text.encode()),
    lambda text: text.encode()[:-1],
)


@pytest.mark.parametrize("encode", ENCODED, ids=("utf-8", "utf-16", "base64", "cut"))
@pytest.mark.parametrize("spelled", SPELLED)
async def test_no_value_of_the_mappings_topic_rests_in_a_dead_letter(
    spelled: str, encode: Callable[[str], bytes]
) -> None:
    """Whatever credentials are called there, and however they are encoded; key and origin say where it lies."""
    value = encode(spelled % SECRET)
    record = RawRecord(MAPPINGS, 3, 7, 1, b"integration/o-1", value, (("x-credentials", value),))
    producer = Producer()
    letter = DeadLetter(record, "not_json", "The value is not JSON.")
    await KafkaDeadLetters(producer, "dead", MAPPINGS).put([letter])
    (kept,) = producer.sent
    assert (kept["key"], kept["value"]) == (b"integration/o-1", None)
    assert kept["headers"].keys() == {*ORIGIN, "swoogo-sync-withheld"}
    assert {name: kept["headers"][name] for name in ORIGIN} == ORIGIN


ORIGIN = {
    "swoogo-sync-origin-topic": b"mappings",
    "swoogo-sync-origin-partition": b"3",
    "swoogo-sync-origin-offset": b"7",
    "swoogo-sync-origin-timestamp": b"1",
    "swoogo-sync-reason": b"not_json",
    "swoogo-sync-error": b"The value is not JSON.",
}


@pytest.mark.parametrize("name", ["consumer_secret", "consumerSecret", "CLIENT-SECRET", "consumer_key"])
async def test_credentials_by_their_usual_names_are_withheld_on_other_topics_too(name: str) -> None:
    producer = Producer()
    record = RawRecord("sessions", 0, 7, 1, b"k", f'{{"{name}": "{SECRET}"'.encode(), (("trace", b"t"),))
    await KafkaDeadLetters(producer, "dead", MAPPINGS).put([DeadLetter(record, "not_json", "It is not JSON.")])
    (kept,) = producer.sent
    assert kept["value"] is None
    assert kept["headers"]["trace"] == b"t"


async def test_a_null_value_of_the_mappings_topic_has_nothing_to_withhold() -> None:
    producer = Producer()
    record = RawRecord(MAPPINGS, 0, 7, 1, b"nothing/known", None)
    await KafkaDeadLetters(producer, "dead", MAPPINGS).put([DeadLetter(record, "key_mismatch", "It names nothing.")])
    assert "swoogo-sync-withheld" not in producer.sent[0]["headers"]
