"""What a benchmark gives: a figure, the goal for it, and the same figure of a peer."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value.

    Attributes:
        benchmark: name of the benchmark, as on the command line.
        what: what was measured.
        value: the service's figure, in `unit`.
        goal: what it is to reach; None where the figure only explains another.
        more_is_better: whether the goal is a lower bound.
        peer: the same of the peer, measured in the same run; `peer_name` says what it is.
        note: what a reader must know to judge the figure.
    """

    benchmark: str
    what: str
    value: float
    unit: str
    goal: float | None = None
    more_is_better: bool = False
    peer: float | None = None
    peer_name: str = ""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None without a goal."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.more_is_better else self.value <= self.goal

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer; below 1 is worse. None without a peer, or where the value says it."""
        if not self.peer or not self.value or self.unit == "x":
            return None
        return self.value / self.peer if self.more_is_better else self.peer / self.value

    def as_json(self) -> dict[str, Any]:
        """All of it, for machines."""
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def percentile(values: list[float], share: float) -> float:
    """The value that `share` (0..1) of `values` do not exceed (nearest rank). Raises ValueError for none."""
    if not values:
        raise ValueError("There is no percentile of nothing.")
    ordered = sorted(values)
    return ordered[max(0, -(-round(share * len(ordered) * 1000) // 1000) - 1)]
