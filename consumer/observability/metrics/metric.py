"""What is declared of a metric, and what several metrics share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

PREFIX: Final = "swoogo_sync_"
OTHER: Final = "other"
"""Stands for every credential beyond those that have a series of their own."""

CALL_BUCKETS: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20)
"""Buckets for single calls, seconds."""

Type = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        short: its name without the prefix; a counter's ends in `_total`.
        action: what to do when it is not as it should be.
        labels: label -> what its values are.
        known: values of the only label that exist from the start with 0, so that a rate sees the first one.
        buckets: upper bounds, of a histogram.
        scope: whether each process reports its own share (`process`: add them up) or all report the same (`all`: take
            the largest).
    """

    short: str
    unit: str
    meaning: str
    action: str
    labels: Mapping[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    scope: Literal["process", "all"] = "process"

    @property
    def name(self) -> str:
        return PREFIX + self.short

    @property
    def type(self) -> Type:
        return "counter" if self.short.endswith("_total") else "histogram" if self.buckets else "gauge"


TRIGGER: Final = {"trigger": "manual, changes or reconcile"}
KINDS: Final = "session, speaker, sponsor, location, track or level"
