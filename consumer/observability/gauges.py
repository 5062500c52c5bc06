"""Gauges of what stands in Redis, read for a scrape: what is due, and what stands of every event.

Events are looked at a part at a time, so that a scrape costs Redis the same however many there are; the sums are over
what was last seen of each.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from consumer.adapters.redis.event_stats import EventStats, RedisEventStats
from consumer.observability.metrics import freshness, pushing
from consumer.observability.registry import MetricRegistry
from consumer.ports import Clock

_A_PART: Final = 500
"""Events looked at for one scrape at most."""


class EventGauges:
    """The gauges of one process; every replica that is scraped reads for itself."""

    def __init__(self, overview: RedisEventStats, meters: MetricRegistry, clock: Clock) -> None:
        self._overview = overview
        self._meters = meters
        self._clock = clock
        self._seen: dict[str, EventStats] = {}
        self._passed: set[str] = set()
        self._next = 0

    async def due(self) -> None:
        """What is due. Raises UnavailableError."""
        for kind, waiting in (await self._overview.due()).items():
            self._meters.set(freshness.DUE, waiting.count, subject=kind)
            self._meters.set(freshness.OLDEST_DUE_AGE, waiting.seconds, subject=kind)

    async def events(self) -> None:
        """The next part of the events. Raises UnavailableError."""
        following, part, known = await self._overview.some_events(self._next, _A_PART)
        self._seen |= await self._overview.stats_of(part)
        self._passed |= set(part)
        self._next = following
        if not following:
            for gone in self._seen.keys() - self._passed:
                del self._seen[gone]
            self._passed.clear()
        self._show(known)

    def _show(self, known: int) -> None:
        now, all_seen = self._clock.now(), self._seen.values()
        by_themselves = [each for each in all_seen if each.continuous]
        meters = self._meters
        meters.set(freshness.EVENTS, known, state="known")
        meters.set(freshness.EVENTS, len(by_themselves), state="continuous")
        meters.set(freshness.EVENTS, sum(each.failures > 0 for each in all_seen), state="failing")
        meters.set(freshness.CHANGES_WAITING, sum(each.changes for each in by_themselves))
        meters.set(freshness.OLDEST_UNPUSHED_AGE, _age(now, [each.oldest for each in by_themselves]))
        meters.set(freshness.RECONCILE_AGE, _age(now, [each.surveyed for each in by_themselves]))
        meters.set(pushing.INTENTS_OPEN, sum(each.intents for each in all_seen))
        meters.set(pushing.UNLOGGED, sum(each.unlogged for each in all_seen))
        meters.set(pushing.PARKED, sum(each.parked for each in all_seen))
        issues, left_out = Counter[str](), Counter[str]()
        for each in all_seen:
            issues.update(each.issues)
            left_out.update(each.left_out)
        meters.replace(pushing.ISSUES, {(code,): count for code, count in issues.items()})
        pairs: Counter[tuple[str, ...]] = Counter()
        for name, count in left_out.items():
            kind, _, reason = name.partition(":")
            pairs[kind, reason] += count
        meters.replace(pushing.LEFT_OUT, dict(pairs))


def _age(now: int, moments: list[int | None]) -> float:
    """Seconds since the earliest of these (ms), 0 when there is none."""
    first = min((each for each in moments if each is not None), default=now)
    return max(now - first, 0) / 1000
