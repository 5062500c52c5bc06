"""How far the service is behind on Kafka, and its open dead letters, as gauges."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from consumer.adapters.kafka.lag import TopicLag
from consumer.observability.metrics.recording import CONSUMER_LAG, HELD_BACK, HELD_BACK_SECONDS, OPEN_LETTERS
from consumer.observability.registry import MetricRegistry


class Lag(Protocol):
    async def topics(self) -> Mapping[str, TopicLag]:
        """Topic -> its lag."""

    async def aclose(self) -> None: ...


class LetterCount(Protocol):
    async def count(self) -> Mapping[str, int]:
        """Topic a letter came from -> how many are open."""

    async def aclose(self) -> None: ...


async def show_open_letters(meters: MetricRegistry, letters: LetterCount, topics: Iterable[str]) -> None:
    """Ask Kafka, and set the gauge: 0 for an input topic (`topics`) without any. Raises UnavailableError."""
    found = {**dict.fromkeys(topics, 0), **await letters.count()}
    meters.replace(OPEN_LETTERS, {(topic,): count for topic, count in found.items()})


async def show_lag(meters: MetricRegistry, lag: Lag) -> None:
    """Ask Kafka, and set the gauges. Raises UnavailableError."""
    for topic, found in (await lag.topics()).items():
        meters.set(CONSUMER_LAG, found.behind, topic=topic)
        meters.set(HELD_BACK, found.held_back, topic=topic)
        meters.set(HELD_BACK_SECONDS, found.held_back_seconds, topic=topic)
