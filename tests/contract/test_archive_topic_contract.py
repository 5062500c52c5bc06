"""Where the ledgers of archived events lie: in memory, and on a real Kafka, compacted or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from consumer.adapters.kafka.archive import KafkaArchive
from consumer.adapters.kafka.changelog import remembered
from consumer.adapters.kafka.topics import LEDGER
from consumer.adapters.redis import codecs
from consumer.adapters.redis.archive import ArchiveTopic
from consumer.domain.errors import UnavailableError
from consumer.settings import KafkaSettings
from consumer.settings import Topics as TopicNames
from schemas.ledger import ArchiveEntry, read_ledger_value
from tests.support.builders import an_entry, session_key
from tests.support.fakes.archive import FakeArchiveTopic
from tests.support.topics import Topics, read_all
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("Y4")]

ROWS = {session_key(f"s{number}").encode(): codecs.encode(an_entry(number)) for number in range(3)}
LARGE = {f"session/{number}".encode(): b'{"natural":"%s"}' % (b"x" * 1000) for number in range(1200)}
COMPACT_SOON = {
    "cleanup.policy": "compact",
    "segment.ms": "200",
    "min.cleanable.dirty.ratio": "0.001",
    "delete.retention.ms": "0",
}


@pytest.fixture
async def on_kafka(topics: Topics) -> AsyncIterator[KafkaArchive]:
    name = await topics("ledger", LEDGER)
    made = KafkaArchive(KafkaSettings(bootstrap_servers=topics.bootstrap, topics=TopicNames(ledger=name)))
    yield made
    await made.aclose()


@pytest.fixture(params=["memory", "kafka"])
def topic(request: pytest.FixtureRequest) -> ArchiveTopic:
    found: ArchiveTopic = FakeArchiveTopic() if request.param == "memory" else request.getfixturevalue("on_kafka")
    return found


async def test_what_is_written_is_read_to_the_byte(topic: ArchiveTopic) -> None:
    places = {event: await topic.write(event, "op", ROWS) for event in ("ev1", "ev2")}
    large = await topic.write("ev3", "op", LARGE)
    assert await topic.read("ev1", "op", places["ev1"]) == ROWS
    assert await topic.read("ev2", "op", places["ev2"]) == ROWS
    assert await topic.read("ev3", "op", large) == LARGE
    assert await topic.read("ev4", "op", await topic.write("ev4", "op", {})) == {}


async def test_another_archiving_is_not_taken_for_this_one(topic: ArchiveTopic) -> None:
    first = await topic.write("ev1", "op", ROWS)
    await topic.write("ev1", "later", {})
    assert await topic.read("ev1", "op", first) == ROWS
    for event, op in (("ev2", "op"), ("ev1", "later")):
        with pytest.raises(UnavailableError):
            await topic.read(event, op, first)


async def test_it_survives_compaction_and_is_gone_after_it_when_forgotten(
    on_kafka: KafkaArchive, topics: Topics
) -> None:
    name, bootstrap = on_kafka._topic, topics.bootstrap
    admin, producer = AIOKafkaAdminClient(bootstrap_servers=bootstrap), AIOKafkaProducer(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, configs=COMPACT_SOON)])
    await admin.close()
    gone, kept = await on_kafka.write("ev1", "op", ROWS), await on_kafka.write("ev2", "op", ROWS)
    await on_kafka.forget("ev1", "op", len(gone))

    async def compacted() -> bool:
        # A segment is compacted once another one has begun.
        await producer.send_and_wait(name, None, key=b"filler/session/s")
        return not any(each.key == b"ev1/archive/op-0" for each in await read_all(bootstrap, name))

    async with producer:
        await wait_until(compacted, "the broker has compacted the topic", 60)
    assert await on_kafka.read("ev2", "op", kept) == ROWS
    with pytest.raises(UnavailableError, match="is not at"):
        await on_kafka.read("ev1", "op", gone)


async def test_a_place_that_kafka_does_not_say_is_no_place(
    on_kafka: KafkaArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As for a record that was sent twice, of which the broker keeps the first."""
    await on_kafka.write("ev1", "op", ROWS)

    async def send(*_: object, **__: object) -> asyncio.Future[SimpleNamespace]:
        sent = asyncio.get_running_loop().create_future()
        sent.set_result(SimpleNamespace(partition=0, offset=-1))
        return sent

    with monkeypatch.context() as patch:
        patch.setattr(on_kafka._producer, "send", send)
        with pytest.raises(UnavailableError, match="does not say"):
            await on_kafka.write("ev2", "op", ROWS)


async def test_a_producer_that_waits_for_a_broker_for_ever_does_not_keep_it_open(
    on_kafka: KafkaArchive, monkeypatch: pytest.MonkeyPatch
) -> None:
    await on_kafka.write("ev1", "op", ROWS)
    made = on_kafka._producer
    assert made
    with monkeypatch.context() as patch:
        patch.setattr("consumer.adapters.kafka.archive._STOP_SECONDS", 0.01)
        patch.setattr(made, "stop", asyncio.Event().wait)
        await on_kafka.aclose()


async def test_a_rebuild_passes_it_over_and_the_contract_has_it(on_kafka: KafkaArchive, topics: Topics) -> None:
    await on_kafka.write("ev1", "op", ROWS)
    (record,) = await read_all(topics.bootstrap, on_kafka._topic)
    assert remembered(record) is None
    value = read_ledger_value(record.value or b"")
    assert isinstance(value, ArchiveEntry)
    assert value.entries.keys() == {key.decode() for key in ROWS}
