"""REPORT while a run goes on: how far it is, and when it should be done at the credits left (N1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from consumer.domain.pace import Pace
from consumer.domain.plan import Plan
from consumer.ports import Clock, LedgerStore, StatusBoard, Swoogo
from consumer.services.execute import Execution

_LOOKED_UP_EVERY: Final = 500
"""ms between two notes for who looks the run up."""
_PUBLISHED_EVERY: Final = 30_000
"""ms between two messages on the status topic."""


@dataclass(slots=True)
class Progress:
    """Tells of one run. Nothing is said of a run that is over within half a second but its start and its end."""

    execution: Execution
    plan: Plan
    swoogo: Swoogo
    board: StatusBoard
    store: LedgerStore
    clock: Clock
    pace: Pace
    _noted: int = 0
    _published: int = 0

    async def begin(self) -> None:
        """The run starts: say so, with what it will cost. Raises UnavailableError."""
        self._noted = self._published = self._passed()
        await self._estimate()
        self.execution.run.announced = True
        await self.board.started(self.execution.run)

    async def moved(self) -> bool:
        """An operation is done. True now and then, when it is time to look around. Raises UnavailableError."""
        now = self._passed()
        if now - self._noted <= _LOOKED_UP_EVERY:
            return False
        self._noted = now
        await self.store.flush(self.execution.work.lease)
        await self._estimate()
        if now - self._published > _PUBLISHED_EVERY:
            self._published = now
            await self.board.moved(self.execution.run)
        else:
            await self.board.progress(self.execution.run)
        return True

    def _passed(self) -> int:
        return self.clock.ticks() // 1_000_000

    async def _estimate(self) -> None:
        run = self.execution.run
        run.credits = self.swoogo.spent(self.execution.work)
        run.credits_left = await self.swoogo.left(self.execution.work)
        # What a run has read before its plan is spent and no longer part of what lies ahead.
        ahead = max(self.plan.credits - run.done_calls, 0)
        calls = max(self.plan.calls - run.done_calls, 0)
        run.eta = self.clock.now() + round(self.pace.seconds(calls, ahead, run.credits_left) * 1000)
