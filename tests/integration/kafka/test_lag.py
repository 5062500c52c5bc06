"""How far the service is behind, as a real broker tells it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from aiokafka import AIOKafkaProducer

from consumer.adapters.kafka.lag import KafkaLag, TopicLag
from consumer.domain.errors import UnavailableError
from consumer.settings import KafkaSettings
from consumer.settings.kafka import Topics as TopicNames
from tests.support.topics import Topics
from tests.support.waiting import wait_until

pytestmark = pytest.mark.integration


async def answers(lag: KafkaLag) -> bool:
    """A new broker has no coordinator yet."""
    with suppress(UnavailableError):
        return bool(await lag.topics())
    return False


async def shows(lag: KafkaLag, topic: str, expected: TopicLag) -> bool:
    return (await lag.topics())[topic] == expected


@pytest.mark.rule("G1")
async def test_records_behind_an_open_transaction_show_although_nothing_lags(topics: Topics) -> None:
    """No one can read them, also not those that others wrote; to a consumer group that is no lag."""
    names = {name: await topics(name) for name in ("mappings", "sessions", "speakers", "sponsors")}
    settings = KafkaSettings(bootstrap_servers=topics.bootstrap, topics=TopicNames(**names))
    seconds, topic = [100.0], names["sessions"]
    lag = KafkaLag(settings, now=lambda: seconds[0])
    opened = AIOKafkaProducer(bootstrap_servers=topics.bootstrap, transactional_id=f"open-{topic}")
    other = AIOKafkaProducer(bootstrap_servers=topics.bootstrap)
    await opened.start()
    await other.start()
    try:
        await wait_until(lambda: answers(lag), "the broker has a coordinator for the groups", 30)
        assert (await lag.topics())[topic] == TopicLag(0)
        await opened.begin_transaction()
        await opened.send_and_wait(topic, b"in the transaction", key=b"key")
        await other.send_and_wait(topic, b"behind it", key=b"key")
        assert (await lag.topics())[topic] == TopicLag(0, held_back=2)
        seconds[0] += 60
        assert await lag.topics() == {
            **{name: TopicLag(0) for name in names.values()},
            topic: TopicLag(0, held_back=2, held_back_seconds=60.0),
        }
        await opened.commit_transaction()
        # Both records and the marker that ends the transaction, which the broker writes a little later.
        await wait_until(lambda: shows(lag, topic, TopicLag(3)), "the committed records are no longer held back")
        await opened.begin_transaction()
        await opened.send_and_wait(topic, b"in another one", key=b"key")
        seconds[0] += 60
        assert (await lag.topics())[topic] == TopicLag(3, held_back=1)
        await opened.abort_transaction()
        await wait_until(lambda: shows(lag, topic, TopicLag(5)), "the aborted record holds nothing back")
    finally:
        await opened.stop()
        await other.stop()
        await lag.aclose()
