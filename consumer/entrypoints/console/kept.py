"""What is made from all records of an event is made once for all its pages, and again when those have changed."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from starlette.requests import Request

from consumer.entrypoints.documents.session import StoreSession

_SECONDS: Final = 60.0
"""How long it may stand although nothing changed: what has ended meanwhile is left out of the next plan."""
_KEPT: Final = 8
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kept(Generic[T]):
    """A document as it was made at `at` (ms), which took `took` ms of this process."""

    document: T
    at: int
    took: int
    token: object


class KeptDocuments:
    """Those of one console: a few, one made at a time, so that many readers of a large event cost no more than one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Kept[Any]] = OrderedDict()
        self._making = asyncio.Lock()

    async def of(self, stores: StoreSession, event_id: str, what: str, make: Callable[[], Awaitable[T]]) -> Kept[T]:
        """The document called `what` of an event. Raises what `make` raises, and UnavailableError."""
        async with self._making:
            token, now = await _token(stores, event_id), stores.clock.now()
            held = self._kept.pop((event_id, what), None)
            if held is None or held.token != token or not 0 <= now - held.at < _SECONDS * 1000:
                began = time.process_time()
                document = await make()
                held = Kept(document, now, round((time.process_time() - began) * 1000), token)
            self._kept[event_id, what] = held
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
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


def kept_by(request: Request) -> KeptDocuments:
    state = request.app.state
    if not hasattr(state, "kept"):
        state.kept = KeptDocuments()
    found: KeptDocuments = state.kept
    return found
