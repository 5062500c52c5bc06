"""What is to be known of a push that is over, for everything that watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from consumer.domain.planning.plan import Plan
from consumer.domain.push.execution import ExecutionResult
from consumer.domain.push.facts import Facts
from consumer.domain.push.run import Run, RunCalls
from consumer.domain.push.settlement import Settlement


@dataclass(frozen=True, slots=True)
class PushReport:
    """What a push knew, wanted, did, and came to. `hinted`: ms that passed since each delivery it looked at came.

    `calls`: those it made.
    """

    facts: Facts
    plan: Plan
    result: ExecutionResult
    settlement: Settlement
    hinted: Sequence[int] = ()
    calls: RunCalls = field(default_factory=RunCalls)

    @property
    def run(self) -> Run:
        return self.settlement.run
