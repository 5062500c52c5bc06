"""What a process shows of itself: its metrics, its health, and the figures it asks Redis and Kafka for.

Made before anything else, so that the probes answer while the service still starts; `monitor` says what to look at.
"""

from __future__ import annotations

import asyncio
import logging
import platform
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

from opentelemetry.trace import Tracer

from consumer.adapters.kafka.lag import KafkaLag
from consumer.adapters.kafka.open_dead_letters import OpenDeadLetters
from consumer.adapters.redis.arrivals import RecentArrivals
from consumer.adapters.redis.fleet import RedisFleet
from consumer.observability.calls import CallMetrics
from consumer.observability.gauges import EventGauges, show_lag, show_open_letters
from consumer.observability.health import PROBES, Health, loop_check
from consumer.observability.metrics.freshness import FRESHNESS_TARGET
from consumer.observability.metrics.process import (
    BUILD,
    CLOCK_JUMPS,
    DISPATCHER_AGE,
    LOG_LINES_SUPPRESSED,
    LOOK_AGE,
    LOOP_LAG,
    REBUILD_PROGRESS,
    REBUILDING,
    TASKS,
)
from consumer.observability.metrics.swoogo import CIRCUIT_STATE, CREDITS_LEFT
from consumer.observability.polling import PolledValue
from consumer.observability.push_metrics import MeteredPusher
from consumer.observability.record_metrics import MeteredDeadLetters, MeteredRecorder
from consumer.observability.registry import MetricRegistry
from consumer.observability.tracing import Parents, TracedDecoder, TracedPusher, TracedRecords
from consumer.ports import Budget, Clock, DeadLetters, Decoder
from consumer.ports.swoogo import Circuits
from consumer.services.dispatch import Dispatcher, Pushes
from consumer.services.rebuild import Rebuilder
from consumer.services.record import RecordInbox, Records
from consumer.settings import Settings
from consumer.version import installed_version

GOAL_SECONDS: Final = 60.0
"""Beyond the quiet period: until then a change is to be in Swoogo (see docs/architecture/observability.md)."""
LOOP_PATIENCE: Final = 25.0
_ANSWER_PATIENCE: Final = 20.0
_PING_EVERY: Final = 5.0
_LAG_EVERY: Final = 10.0
_LETTERS_EVERY: Final = 60.0
_EVENTS_EVERY: Final = 5.0
_CREDITS_EVERY: Final = 10.0
_CREDENTIALS: Final = 200
_CREDENTIAL_SECONDS: Final = 3_600.0
_WAIT: Final = 1.5
_BEAT_SECONDS: Final = 0.5
_LOOK_SECONDS: Final = 5.0
_LAGS_KEPT_SECONDS: Final = 60.0


class Telemetry:
    """One a process. `tracer` is there while tracing is on, and set before anything is built."""

    def __init__(self, settings: Settings) -> None:
        self.meters = MetricRegistry()
        self.health = Health(self.meters)
        self.tracer: Tracer | None = None
        self.goal = settings.debounce.quiet_period + GOAL_SECONDS
        self._sources: list[PolledValue[Any]] = []
        self._late: list[tuple[float, float]] = []
        self._spending: dict[str, float] = {}
        self._held_back = 0
        topics = settings.kafka.topics
        self._inputs = (topics.mappings, topics.sessions, topics.speakers, topics.sponsors)
        self.meters.set(FRESHNESS_TARGET, self.goal)
        self.meters.at_scrape(LOOP_LAG, self._longest_lag)
        self.meters.at_scrape(TASKS, _tasks)
        labels = {"version": installed_version(), "python": platform.python_version(), "role": settings.role}
        self.meters.set(BUILD, 1, **labels)

    def calls(self) -> CallMetrics:
        """Sees every call to Swoogo. Once `tracer` is set."""
        return CallMetrics(self.meters, self._spends, self.tracer)

    def budget(self, inner: Budget) -> None:
        """Shows what is left of the credits of the credentials used lately."""
        self._sources.append(PolledValue("Credits", lambda: self._credits_left(inner), every=_CREDITS_EVERY))

    def circuits(self, inner: Circuits) -> None:
        """Shows whether the calls of the credentials used lately are paused."""
        self._sources.append(PolledValue("Circuits", lambda: self._states(inner), every=_CREDITS_EVERY))

    def records(self, inner: RecordInbox, parents: Parents) -> RecordInbox:
        """The inbox that records go into: as it is, unless they are traced."""
        return TracedRecords(inner, parents) if self.tracer else inner

    def decoder(self, inner: Decoder) -> Decoder:
        """The decoder of what comes in: as it is, unless it is traced."""
        return TracedDecoder(inner, self.tracer) if self.tracer else inner

    def dead_letters(self, inner: DeadLetters) -> DeadLetters:
        return MeteredDeadLetters(inner, self.meters)

    def recorder(self, inner: Records) -> Records:
        return MeteredRecorder(inner, self.meters)

    def pusher(
        self, inner: Pushes, calls: CallMetrics, parents: Parents, recent: RecentArrivals | None = None
    ) -> Pushes:
        traced = TracedPusher(inner, self.tracer, parents) if self.tracer else inner
        return MeteredPusher(traced, self.meters, calls, self.goal, recent)

    def rebuilds(self, rebuilder: Rebuilder) -> None:
        """Shows a rebuild of Redis; the process is not ready meanwhile."""

        def rebuilding() -> str:
            return "Redis lost something and is being rebuilt from Kafka." if rebuilder.progress else ""

        def share() -> float:
            progress = rebuilder.progress
            return 1.0 if progress is None else progress.read / max(progress.total, progress.read, 1)

        self.health.add("ready", "rebuild", rebuilding)
        self.meters.at_scrape(REBUILDING, lambda: float(rebuilder.progress is not None))
        self.meters.at_scrape(REBUILD_PROGRESS, share)

    async def scrape(self) -> bytes:
        """What Prometheus reads; figures of Redis and Kafka are as new as a short wait allows."""
        await asyncio.gather(*(source.refresh(_WAIT) for source in self._sources))
        for source in self._sources:
            self.meters.set(LOOK_AGE, source.age, source=source.name.lower())
        for probe in PROBES:
            await self.health.ask(probe)
        held_back = _held_back()
        self.meters.add(LOG_LINES_SUPPRESSED, max(held_back - self._held_back, 0))
        self._held_back = held_back
        return self.meters.exposition()

    @asynccontextmanager
    async def monitor(
        self,
        redis: Any,
        fleet: RedisFleet,
        lag: KafkaLag,
        letters: OpenDeadLetters,
        clock: Clock,
        dispatcher: Dispatcher | None,
    ) -> AsyncIterator[None]:
        """Look at these while the block runs; readiness and liveness count on them."""
        pinged = PolledValue("Redis", redis.ping, every=_PING_EVERY)
        lags = PolledValue("Kafka", lambda: show_lag(self.meters, lag), every=_LAG_EVERY)
        events = PolledValue("Events", EventGauges(fleet, self.meters, clock).look, every=_EVENTS_EVERY)
        open_letters = PolledValue(
            "Letters", lambda: show_open_letters(self.meters, letters, self._inputs), every=_LETTERS_EVERY
        )
        self._sources += [pinged, lags, events, open_letters]
        self.health.add("ready", "redis", lambda: pinged.trouble(_ANSWER_PATIENCE, _WAIT))
        self.health.add("ready", "kafka", lambda: lags.trouble(_ANSWER_PATIENCE, _WAIT))
        if dispatcher is not None:

            def now() -> float:
                return clock.ticks() / 1e9

            self.health.add(
                "live",
                "dispatcher",
                loop_check(
                    "The loop that looks for due events", lambda: dispatcher.turned_at / 1000, LOOP_PATIENCE, now
                ),
            )
            self.meters.at_scrape(
                DISPATCHER_AGE, lambda: now() - dispatcher.turned_at / 1000 if dispatcher.turned_at else 0.0
            )
        beat = asyncio.create_task(self._beat(), name="beat")
        try:
            yield
        finally:
            self.health.stopping = True
            beat.cancel()
            await asyncio.gather(beat, return_exceptions=True)
            for source in self._sources:
                await source.aclose()
            await lag.aclose()
            await letters.aclose()

    def _spends(self, credential: str) -> None:
        self._spending.pop(credential, None)
        self._spending[credential] = time.monotonic()
        if len(self._spending) > _CREDENTIALS:
            del self._spending[next(iter(self._spending))]

    async def _credits_left(self, budget: Budget) -> None:
        """Of the credentials that this process used within the last hour."""
        now = time.monotonic()
        self._spending = {each: used for each, used in self._spending.items() if now - used < _CREDENTIAL_SECONDS}
        left: dict[tuple[str, ...], float] = {}
        for each in list(self._spending):
            left[(self.meters.credential(each),)] = await budget.left(each)
        self.meters.replace(CREDITS_LEFT, left)

    async def _states(self, circuits: Circuits) -> None:
        states: dict[tuple[str, ...], float] = {}
        for each in list(self._spending):
            circuit = await circuits.look(each)
            states[(self.meters.credential(each),)] = 0 if not circuit.open else 1 if circuit.probe_until else 2
        self.meters.replace(CIRCUIT_STATE, states)

    async def _beat(self) -> None:
        """Measures how late the event loop is, and checks liveness also between probes."""
        looked = time.monotonic()
        while True:
            began = time.monotonic()
            await asyncio.sleep(_BEAT_SECONDS)
            now = time.monotonic()
            self._late.append((now, max(now - began - _BEAT_SECONDS, 0.0)))
            if now - looked >= _LOOK_SECONDS:
                looked = now
                self._late = [each for each in self._late if now - each[0] <= _LAGS_KEPT_SECONDS]
                await self.health.ask("live")

    def clock_set(self, seconds: float) -> None:
        """The Redis server's clock was set by so many seconds."""
        self.meters.add(CLOCK_JUMPS, direction="forward" if seconds > 0 else "back")

    def _longest_lag(self) -> float:
        longest = max((late for _, late in self._late), default=0.0)
        self._late.clear()
        return longest


def _held_back() -> int:
    """Log lines that the filters of this process held back so far."""
    filters = [each for handler in logging.getLogger().handlers for each in handler.filters]
    return sum(getattr(each, "held_back", 0) for each in filters)


def _tasks() -> float:
    """Tasks of the loop that runs; none outside of one."""
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:
        return 0
