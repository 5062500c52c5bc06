"""Gauges of what stands: of all events, one document that the elected replica keeps (`redis/fleet`); of topics, Kafka's
word on how far the service is behind and which dead letters are open.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from consumer.adapters.kafka.lag import KafkaLag
from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters
from consumer.adapters.redis.fleet import RedisFleet
from consumer.observability.metrics import freshness, pushing
from consumer.observability.metrics.recording import CONSUMER_LAG, HELD_BACK, HELD_BACK_SECONDS, OPEN_LETTERS
from consumer.observability.registry import MetricRegistry
from consumer.ports import Clock


class EventGauges:
    """The gauges of one process: a scrape costs the same however many events and replicas there are."""

    def __init__(self, fleet: RedisFleet, meters: MetricRegistry, clock: Clock) -> None:
        self._fleet = fleet
        self._meters = meters
        self._clock = clock

    async def look(self) -> None:
        """Show what was counted last. Raises UnavailableError."""
        fleet = await self._fleet.read()
        if fleet is None:
            return
        meters, now = self._meters, self._clock.now()
        for kind, waiting in fleet.due.items():
            meters.set(freshness.DUE, waiting.count, subject=kind)
            meters.set(freshness.OLDEST_DUE_AGE, _age(now, waiting.first if waiting.count else None), subject=kind)
        for state in ("known", "continuous", "failing", "archived"):
            meters.set(freshness.EVENTS, getattr(fleet, state), state=state)
        meters.set(freshness.CHANGES_WAITING, fleet.changes)
        meters.set(freshness.OLDEST_UNPUSHED_AGE, _age(now, fleet.oldest))
        meters.set(freshness.RECONCILE_AGE, _age(now, fleet.surveyed))
        meters.set(pushing.INTENTS_OPEN, fleet.intents)
        meters.set(pushing.UNLOGGED, fleet.unlogged)
        meters.set(pushing.PARKED, fleet.parked)
        meters.replace(pushing.ISSUES, {(code,): count for code, count in fleet.issues.items()})
        pairs: Counter[tuple[str, ...]] = Counter()
        for name, count in fleet.left_out.items():
            kind, _, reason = name.partition(":")
            pairs[kind, reason] += count
        meters.replace(pushing.LEFT_OUT, dict(pairs))


def _age(now: int, moment: int | None) -> float:
    """Seconds since then (ms), 0 where there is none."""
    return 0.0 if moment is None else max(now - moment, 0) / 1000


async def show_open_letters(meters: MetricRegistry, letters: OpenDeadLetters, topics: Iterable[str]) -> None:
    """Ask Kafka, and set the gauge: 0 for an input topic (`topics`) without any. Raises UnavailableError."""
    found = {**dict.fromkeys(topics, 0), **await letters.count()}
    meters.replace(OPEN_LETTERS, {(topic,): count for topic, count in found.items()})


async def show_lag(meters: MetricRegistry, lag: KafkaLag) -> None:
    """Ask Kafka, and set the gauges. Raises UnavailableError."""
    for topic, found in (await lag.topics()).items():
        meters.set(CONSUMER_LAG, found.behind, topic=topic)
        meters.set(HELD_BACK, found.held_back, topic=topic)
        meters.set(HELD_BACK_SECONDS, found.held_back_seconds, topic=topic)
