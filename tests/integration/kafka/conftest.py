"""`kafka`: topics of this test's own, and a Redis to record into."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from consumer.settings import PREFIX, KafkaSettings
from consumer.settings import Topics as TopicNames
from tests.contract.bench import Times, in_redis
from tests.integration.kafka.kafka_world import KafkaWorld
from tests.support.topics import Topics


@pytest.fixture
async def kafka(topics: Topics, redis: Redis) -> KafkaWorld:
    """All topics of the service, with one partition each."""
    names = await topics.service_topics()
    chosen = TopicNames(**{field: names[default] for field, default in TopicNames().model_dump().items()})
    settings = KafkaSettings(
        bootstrap_servers=topics.bootstrap, group_id=f"group-{chosen.sessions}", topics=chosen, session_timeout=6
    )
    return KafkaWorld(in_redis(redis, Times(quiet=60, max_wait=60)), settings)


@pytest.fixture
def audit(redis: Redis, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands give orders, which are kept in Redis (U3)."""
    monkeypatch.setenv(f"{PREFIX}REDIS__URL", redis_url)
