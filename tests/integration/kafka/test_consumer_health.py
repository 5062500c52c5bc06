"""A consumer that is dead while its process lives is seen, whatever of it died."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka.consumer_health import ConsumerHealth
from consumer.adapters.kafka.publish import producer
from tests.integration.kafka.kafka_world import KafkaWorld, a_session_value
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("G1")]

DEATHS = {
    "reading": lambda subscriber: subscriber.tasks[-1],
    "group membership": lambda subscriber: subscriber.consumer._coordinator._coordination_task,
    "fetching": lambda subscriber: subscriber.consumer._fetcher.error_future,
    "knowledge of the cluster": lambda subscriber: subscriber.consumer._client._sync_task,
}


def the_subscriber(kafka: KafkaWorld, topic: str) -> Any:
    subscribers: list[Any] = [*kafka.broker.subscribers] if kafka.broker else []
    return next(each for each in subscribers if topic in each.topic_names)


def a_pulse(kafka: KafkaWorld, patience: float = 60.0) -> ConsumerHealth:
    pulse = ConsumerHealth(patience)
    pulse.watch(kafka.broker)
    assert set(pulse.topics()) == set(list(kafka.topics.model_dump().values())[:4])
    return pulse


async def all_well(pulse: ConsumerHealth) -> None:
    await wait_until(lambda: not pulse.waiting() and not pulse.trouble(), "all consumers read", 30)


@pytest.mark.parametrize("part", DEATHS)
async def test_dead_consumer_task_is_noticed_though_reported_running(kafka: KafkaWorld, part: str) -> None:
    async with kafka.recording():
        pulse = a_pulse(kafka)
        await all_well(pulse)
        subscriber = the_subscriber(kafka, kafka.topics.sponsors)
        DEATHS[part](subscriber).cancel()
        await wait_until(pulse.trouble, "it is seen", 30)
        assert pulse.trouble() == f"The consumer of {kafka.topics.sponsors} is dead: its {part} ended."
        assert pulse.waiting() == f"The consumer of {kafka.topics.sponsors} does not read: its {part} ended."
        assert [topic for topic, wrong in pulse.topics().items() if wrong] == [kafka.topics.sponsors]
        assert subscriber.running
        pulse.rest()
        assert pulse.trouble() == pulse.waiting() == ""


async def test_a_consumer_whose_handler_never_returns_is_stuck(kafka: KafkaWorld) -> None:
    await kafka.send(a_session_value("s1"))
    hanging, released = asyncio.Event(), asyncio.Event()

    class Hanging:
        async def record(self, *_: Any) -> int:
            hanging.set()
            await released.wait()
            return 0

    async with kafka.recording(Hanging()):  # type: ignore[arg-type]
        pulse = a_pulse(kafka, patience=1.0)
        await hanging.wait()
        await wait_until(pulse.trouble, "it is seen", 30)
        assert f"The consumer of {kafka.topics.sessions} is stuck" in pulse.trouble()
        released.set()


async def test_a_member_without_a_partition_is_well(kafka: KafkaWorld) -> None:
    """Two replicas, topics with one partition: one of each pair of consumers has nothing to read, and that is fine."""
    other = KafkaWorld(kafka.bench, kafka.settings)
    async with kafka.recording():
        pulse = a_pulse(kafka, patience=1.0)
        async with other.recording():
            second = a_pulse(other, patience=1.0)
            await wait_until(lambda: kafka.idle() + other.idle() == 4, "each partition has one of them", 30)
            await all_well(second)
            await all_well(pulse)
            assert kafka.idle() + other.idle() == 4


async def test_a_producer_whose_sender_died_is_seen(kafka: KafkaWorld) -> None:
    publisher: AIOKafkaProducer = producer(kafka.settings)
    await publisher.start()
    pulse = ConsumerHealth(60.0)
    pulse.watch(None, publisher)
    assert pulse.trouble() == ""
    publisher._sender.sender_task.cancel()
    await wait_until(pulse.trouble, "it is seen", 30)
    assert pulse.trouble() == pulse.waiting() == "The producer is dead: its sending ended."
    await publisher.stop()
