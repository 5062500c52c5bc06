"""A topic read again: all of it, from an offset, from a moment; compacted, with gaps, beside the groups."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka.topic_scan import TopicHistory
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.ports import RawRecord, Span, Start
from consumer.settings import KafkaSettings
from tests.support.topics import Topics

pytestmark = pytest.mark.integration

FIRST_MOMENT = 1_790_000_000_000


async def written(bootstrap: str, topic: str, count: int, *, partitions: int = 1, transactional: str = "") -> None:
    """Records 0.. with their number as value, spread over the partitions, one second apart."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=transactional or None)
    await producer.start()
    try:
        if transactional:
            await producer.begin_transaction()
        sent = [
            await producer.send(
                topic,
                b"%d" % number,
                key=b"key-%d" % number,
                partition=number % partitions,
                timestamp_ms=FIRST_MOMENT + number * 1000,
                headers=[("name", b"\xff")],
            )
            for number in range(count)
        ]
        if transactional:
            await producer.commit_transaction()
        await asyncio.gather(*sent)
    finally:
        await producer.stop()


async def read(settings: KafkaSettings, topic: str, start: Start | None = None, limit: int = 500) -> list[RawRecord]:
    async with TopicHistory(settings, topic) as history:
        spans = await history.spans(start)
        found: list[RawRecord] = []
        position: dict[int, int] = {}
        async for chunk in history.read(spans, limit):
            assert len(chunk.records) <= limit
            found += chunk.records
            position |= chunk.position
        assert position == {number: span.end for number, span in spans.items()}
        return found


async def test_every_record_is_given_once_and_each_partition_in_order(topics: Topics) -> None:
    """A replay of everything, in chunks, headers and timestamps as they were."""
    topic = await topics("history", partitions=3)
    settings = KafkaSettings(bootstrap_servers=topics.bootstrap)
    assert await read(settings, topic) == []
    await written(topics.bootstrap, topic, 30, partitions=3)
    found = await read(settings, topic, limit=7)
    assert sorted(int(record.value or b"") for record in found) == list(range(30))
    for number in range(3):
        offsets = [record.offset for record in found if record.partition == number]
        assert offsets == list(range(10))
    assert {record.headers for record in found} == {(("name", b"\xff"),)}
    assert min(record.timestamp for record in found) == FIRST_MOMENT


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (Start(offset=4), {8, 9, 10, 11}),
        (Start(offset=4, partition=1), {9, 11}),
        (Start(offset=99), set()),
        (Start(time=FIRST_MOMENT + 8_500), {9, 10, 11}),
        (Start(time=FIRST_MOMENT + 99_000), set()),
        (Start(time=0), set(range(12))),
    ],
    ids=["offset", "offset of a partition", "beyond the end", "moment", "future", "long ago"],
)
async def test_a_reading_starts_where_it_is_told(topics: Topics, start: Start, expected: set[int]) -> None:
    """`--from` takes a time or an offset."""
    topic = await topics("history", partitions=2)
    await written(topics.bootstrap, topic, 12, partitions=2)
    found = await read(KafkaSettings(bootstrap_servers=topics.bootstrap), topic, start)
    assert {int(record.value or b"") for record in found} == expected


async def test_a_span_ends_where_the_topic_ended_when_it_was_asked_for(topics: Topics) -> None:
    """What comes in during a replay is the subscribers' matter; else a replay of a busy topic would never end."""
    topic = await topics("history")
    settings = KafkaSettings(bootstrap_servers=topics.bootstrap)
    await written(topics.bootstrap, topic, 5)
    async with TopicHistory(settings, topic) as history:
        spans = await history.spans()
        await written(topics.bootstrap, topic, 5)
        found = [record.offset async for chunk in history.read(spans) for record in chunk.records]
        again = [record.offset async for chunk in history.read({0: Span(3, 7)}) for record in chunk.records]
    assert (found, again) == ([0, 1, 2, 3, 4], [3, 4, 5, 6])


async def test_an_end_without_a_record_is_reached_all_the_same(topics: Topics) -> None:
    """The last offset of a transaction is its marker, which no reader ever sees; a compacted topic has such gaps."""
    topic = await topics("history")
    await written(topics.bootstrap, topic, 3, transactional=f"tx-{topic}")
    found = await read(KafkaSettings(bootstrap_servers=topics.bootstrap), topic)
    assert [int(record.value or b"") for record in found] == [0, 1, 2]


async def test_a_topic_that_is_not_there_and_a_broker_that_is_away_are_told_apart(topics: Topics) -> None:
    async with TopicHistory(KafkaSettings(bootstrap_servers=topics.bootstrap), "no-such-topic") as history:
        with pytest.raises(ConfigurationError, match="no topic no-such-topic"):
            await history.spans()
    with pytest.raises(UnavailableError, match="did not answer"):
        async with TopicHistory(KafkaSettings(bootstrap_servers="127.0.0.1:1"), "any"):
            pass
