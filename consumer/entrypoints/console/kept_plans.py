"""A plan is made once for all its pages, and again when something that it depends on has changed."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from consumer.domain.pace import LATENCY
from consumer.entrypoints.documents.plan import PlanDocument, read_plan
from consumer.entrypoints.documents.session import StoreSession

_SECONDS: Final = 60.0
"""How long a plan may stand although nothing changed: what has ended meanwhile is left out of the next."""
_KEPT: Final = 8


@dataclass(frozen=True, slots=True)
class KeptPlan:
    """A plan as it was made at `at` (ms), which took `took` ms of this process."""

    document: PlanDocument
    at: int
    took: int
    token: object


class KeptPlans:
    """Those of one console: a few, one made at a time, so that many readers of a large event cost no more than one."""

    def __init__(self) -> None:
        self._plans: OrderedDict[str, KeptPlan] = OrderedDict()
        self._making = asyncio.Lock()

    async def of(self, stores: StoreSession, event_id: str) -> KeptPlan:
        """The plan of an event. Raises as `read_plan` does."""
        async with self._making:
            token, now = await _token(stores, event_id), stores.clock.now()
            held = self._plans.pop(event_id, None)
            if held is None or held.token != token or not 0 <= now - held.at < _SECONDS * 1000:
                began = time.process_time()
                document = await read_plan(stores, event_id, LATENCY)
                held = KeptPlan(document, now, round((time.process_time() - began) * 1000), token)
            self._plans[event_id] = held
            if len(self._plans) > _KEPT:
                self._plans.popitem(last=False)
            return held


async def _token(stores: StoreSession, event_id: str) -> object:
    """Differs when a change was recorded or pushed, something was ordered, or the mapping is another."""
    state, run, mapping, waiting = await asyncio.gather(
        stores.inbox.load(event_id, snapshot=False),
        stores.board.current(event_id),
        stores.connections.mapping(event_id),
        stores.inbox.waiting(event_id),
    )
    last = (run.id, run.done_calls, run.ended) if run else None
    return state.marks, state.commands, state.controls, last, mapping, waiting.request
