"""What a rebuild reads from a real Kafka: all of it or an error, whatever transactions and brokers do."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from unittest.mock import Mock

import pytest
from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka import topic_scan
from consumer.adapters.kafka.rebuild_source import KafkaRebuildSource
from consumer.adapters.kafka.topic_scan import OpenTransactionError
from consumer.domain.errors import UnavailableError
from consumer.ports.rebuild import TopicPartition
from consumer.settings import KafkaSettings
from consumer.settings import Topics as TopicNames
from sandbox.embedded import EmbeddedKafka
from tests.support.topics import Topics
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]


@asynccontextmanager
async def a_source(bootstrap: str) -> AsyncIterator[KafkaRebuildSource]:
    """On topics of a test's own."""
    made = Topics(bootstrap)
    names = await made.service_topics()
    chosen = TopicNames(**{name: names[default] for name, default in TopicNames().model_dump().items()})
    settings = KafkaSettings(bootstrap_servers=bootstrap, group_id=uuid.uuid4().hex, topics=chosen)
    source = KafkaRebuildSource(settings, Mock())
    try:
        yield source
    finally:
        await source.aclose()
        await made.delete()


@asynccontextmanager
async def a_producer(bootstrap: str, transaction: str | None = None) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=transaction)
    await producer.start()
    try:
        yield producer
    finally:
        await producer.stop()


async def send(producer: AIOKafkaProducer, topic: str, first: int, count: int) -> None:
    for number in range(first, first + count):
        await producer.send_and_wait(topic, b"%d" % number, key=b"k%d" % number)


async def values(source: KafkaRebuildSource, topic: str, start: int = 0) -> tuple[list[int], int]:
    """Numbers read, and how far that was; raises with them in its notes."""
    place = TopicPartition(topic, 0)
    ends = {place: (await source.ends())[place]}
    found: list[int] = []
    position = start
    async with aclosing(source.scan({place: start}, ends)) as batches:
        async for batch in batches:
            found += [int(record.value or b"") for record in batch.records]
            position = batch.positions[place]
    return found, position


async def test_records_beyond_the_ends_are_left_out(kafka_bootstrap: str) -> None:
    """They are for the next scan, which would give them twice otherwise."""
    async with a_source(kafka_bootstrap) as source, a_producer(kafka_bootstrap) as producer:
        await send(producer, source.ledger, 0, 3)
        place = TopicPartition(source.ledger, 0)
        ends = {place: (await source.ends())[place]}
        await send(producer, source.ledger, 3, 2)
        async with aclosing(source.scan({place: 0}, ends)) as batches:
            found = [int(record.value or b"") async for batch in batches for record in batch.records]
    assert found == [0, 1, 2]


async def test_an_open_transaction_on_the_changelog_is_an_error_and_no_end(kafka_bootstrap: str) -> None:
    """What comes after it is hidden too: entries that are in Swoogo. It is told at once, and not by time."""
    async with (
        a_source(kafka_bootstrap) as source,
        a_producer(kafka_bootstrap) as ours,
        a_producer(kafka_bootstrap, f"tx-{uuid.uuid4().hex}") as foreign,
    ):
        await send(ours, source.ledger, 0, 3)
        await foreign.begin_transaction()
        await send(foreign, source.ledger, 3, 1)
        await send(ours, source.ledger, 4, 3)
        assert (await source.ends())[TopicPartition(source.ledger, 0)] == 7
        with pytest.raises(OpenTransactionError, match=r"hides offsets 3 to 6 of partition 0; they are read as soon"):
            async with asyncio.timeout(topic_scan._PATIENCE_SECONDS):
                await values(source, source.ledger)
        await foreign.commit_transaction()
        place = TopicPartition(source.ledger, 0)

        async def ended(end: int) -> bool:  # the broker writes the marker of the end a moment later
            return (await source.ends())[place] == end

        await wait_until(partial(ended, 8), "the end of the transaction is on the topic")
        assert await values(source, source.ledger) == ([0, 1, 2, 3, 4, 5, 6], 8)
        await foreign.begin_transaction()
        await send(foreign, source.ledger, 7, 1)
        await foreign.abort_transaction()
        await wait_until(partial(ended, 10), "the end of the aborted transaction is on the topic")
        await send(ours, source.ledger, 8, 1)
        assert await values(source, source.ledger, 7) == ([8], 11)


@pytest.mark.rule("G1")
async def test_an_open_transaction_on_an_input_topic_holds_up_no_rebuild(kafka_bootstrap: str) -> None:
    """What it hides comes through the consumer group, when it ends."""
    async with a_source(kafka_bootstrap) as source, a_producer(kafka_bootstrap, f"tx-{uuid.uuid4().hex}") as foreign:
        for topic in (source.requests, *source.resources):
            await foreign.begin_transaction()
            await send(foreign, topic, 0, 2)
            await foreign.commit_transaction()
        await foreign.begin_transaction()
        for topic in (source.requests, *source.resources):
            await send(foreign, topic, 2, 2)
        for topic in (source.requests, *source.resources):
            assert await values(source, topic) == ([0, 1], 3)
        await foreign.abort_transaction()


async def test_a_broker_that_stands_still_ends_a_scan_with_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGSTOP in the middle: what was read counts, the rest is read when it goes on."""
    monkeypatch.setattr(topic_scan, "_PATIENCE_SECONDS", 3.0)
    monkeypatch.setattr(topic_scan, "_FETCH_BYTES", 4_096)
    count = 300
    async with EmbeddedKafka() as kafka, a_source(kafka.bootstrap) as source:
        async with a_producer(kafka.bootstrap) as producer:
            sent = [
                await producer.send(source.ledger, b"%d" % number, key=b"k%d" % number, headers=[("pad", b"x" * 2_000)])
                for number in range(count)
            ]
            await asyncio.gather(*sent)
        place, reached, found = TopicPartition(source.ledger, 0), 0, list[int]()
        ends = {place: (await source.ends())[place]}

        async def read(stop: int = 0) -> None:
            nonlocal reached
            async with aclosing(source.scan({place: reached}, ends)) as batches:
                async for batch in batches:
                    if stop:
                        os.kill(stop, signal.SIGSTOP)
                    found.extend(int(record.value or b"") for record in batch.records)
                    reached = batch.positions[place]

        assert kafka.pid
        try:
            with pytest.raises(UnavailableError, match="Kafka"):
                await read(stop=kafka.pid)
            with pytest.raises(UnavailableError, match="Kafka"):
                await source.ends()
        finally:
            os.kill(kafka.pid, signal.SIGCONT)
        assert 0 < reached < count
        assert found == list(range(reached))
        await read()
    assert (found, reached) == (list(range(count)), count)
