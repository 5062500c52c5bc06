"""REPORT: how far a run is, when it should be done at the credits left (N1), and in the end what it did (N2)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from consumer.domain.pacing.pace import Pace
from consumer.domain.planning.plan import Plan
from consumer.domain.push.push_report import PushReport
from consumer.domain.push.run import Run
from consumer.domain.push.timeline import happenings
from consumer.ports import Clock, StatusBoard, Swoogo, Work
from consumer.ports.status import Timeline
from consumer.services.execution import LedgerWriter

_NOTED_EVERY: Final = 500
"""ms between two notes for people who look the run up."""
_PUBLISHED_EVERY: Final = 30_000
"""ms between two messages on the status topic."""


@dataclass(slots=True)
class RunReporter:
    """Reports one run. Of a run that is over within half a second nothing is said but its start and its end."""

    run: Run
    work: Work
    swoogo: Swoogo
    board: StatusBoard
    ledger: LedgerWriter
    clock: Clock
    pace: Pace
    plan: Plan = field(default_factory=Plan)
    _noted: int = 0
    _published: int = 0

    async def begin(self) -> None:
        """The run starts: say so, with what it will cost. Raises UnavailableError."""
        self._noted = self._published = self._passed()
        await self._estimate()
        self.run.announced = True
        await self.board.started(self.run)

    async def on_operation_done(self) -> bool:
        """True now and then, when it is time to look around. Raises UnavailableError."""
        now = self._passed()
        if now - self._noted <= _NOTED_EVERY:
            return False
        self._noted = now
        await self.ledger.flush()
        await self._estimate()
        if now - self._published > _PUBLISHED_EVERY:
            self._published = now
            await self.board.moved(self.run)
        else:
            await self.board.progress(self.run)
        return True

    def _passed(self) -> int:
        return self.clock.ticks() // 1_000_000

    async def _estimate(self) -> None:
        run = self.run
        run.credits = self.swoogo.spent(self.work)
        run.credits_left = await self.swoogo.left(self.work)
        # What a run has read before its plan is spent and no longer part of what lies ahead.
        ahead = max(self.plan.credits - run.done_calls, 0)
        calls = max(self.plan.calls - run.done_calls, 0)
        run.eta = self.clock.now() + round(self.pace.seconds(calls, ahead, run.credits_left) * 1000)


async def note_report(timeline: Timeline, report: PushReport, replaced: str = "") -> None:
    """Nothing is written where nothing happened. Raises LeaseLostError, UnavailableError.

    `replaced`: the run before, which this one takes the place of.
    """
    happened = happenings(report)
    if happened or report.calls.total:
        await timeline.note(report.facts.lease, report.run.id, happened, report.calls, instead_of=replaced)
