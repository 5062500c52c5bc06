"""The metrics of one process: counts by the catalogue in `metrics`, and the text a scrape gets.

Every change names a metric of the catalogue; a label that it does not declare is an error at once, in any test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from consumer.observability.metrics import CATALOGUE
from consumer.observability.metrics.metric import OTHER, Metric

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
_CREDENTIALS: Final = 200
_CREDENTIAL_DIGITS: Final = 8

# A second series for each counter and histogram, of no use to anybody here.
disable_created_metrics()  # type: ignore[no-untyped-call] # it has no annotations


class MetricRegistry:
    def __init__(self) -> None:
        """Make every metric of the catalogue; those whose label values are known stand at 0."""
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._made = {metric.short: self._make(metric) for metric in CATALOGUE}
        self._credentials: set[str] = set()

    def add(self, metric: Metric, amount: float = 1, **labels: str) -> None:
        self._of(metric, labels).inc(amount)

    def set(self, metric: Metric, value: float, **labels: str) -> None:
        self._of(metric, labels).set(value)

    def replace(self, metric: Metric, values: dict[tuple[str, ...], float]) -> None:
        """Put all series of a gauge by their label values; those that are not among them end."""
        made = self._made[metric.short]
        made.clear()
        for labels, value in values.items():
            made.labels(*labels).set(value)

    def observe(self, metric: Metric, value: float, **labels: str) -> None:
        self._of(metric, labels).observe(value)

    def at_scrape(self, metric: Metric, value: Callable[[], float], **labels: str) -> None:
        """A gauge whose value is asked for by each scrape; it must be at hand."""
        self._of(metric, labels).set_function(value)

    def credential(self, credential: str) -> str:
        """The label of a credential: the first digits of its hash, for so many of them."""
        short = credential[:_CREDENTIAL_DIGITS]
        if short not in self._credentials:
            if len(self._credentials) >= _CREDENTIALS:
                return OTHER
            self._credentials.add(short)
        return short

    def exposition(self) -> bytes:
        return generate_latest(self._registry)

    def value(self, name: str, **labels: str) -> float | None:
        """One sample by its scraped name; None when there is none."""
        return self._registry.get_sample_value(name, labels)

    def _make(self, metric: Metric) -> Any:
        names, text = tuple(metric.labels), metric.meaning
        made: Any
        match metric.type:
            case "counter":
                made = Counter(metric.name, text, names, registry=self._registry)
            case "gauge":
                made = Gauge(metric.name, text, names, registry=self._registry)
            case "histogram":
                made = Histogram(metric.name, text, names, registry=self._registry, buckets=metric.buckets)
        for value in metric.known:
            made.labels(value)
        return made

    def _of(self, metric: Metric, labels: dict[str, str]) -> Any:
        made = self._made[metric.short]
        return made.labels(**labels) if labels else made
