"""How far the service is behind on Kafka, as gauges."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from consumer.adapters.kafka.lag import TopicLag
from consumer.observability.meters import Meters
from consumer.observability.metrics import CONSUMER_LAG, HELD_BACK, HELD_BACK_SECONDS


class Lag(Protocol):
    """See `adapters.kafka.lag`."""

    async def topics(self) -> Mapping[str, TopicLag]:
        """Topic -> its lag."""
        ...

    async def aclose(self) -> None:
        """Disconnect."""
        ...


async def show_lag(meters: Meters, lag: Lag) -> None:
    """Ask Kafka, and set the gauges. Raises UnavailableError."""
    for topic, found in (await lag.topics()).items():
        meters.set(CONSUMER_LAG, found.behind, topic=topic)
        meters.set(HELD_BACK, found.held_back, topic=topic)
        meters.set(HELD_BACK_SECONDS, found.held_back_seconds, topic=topic)
