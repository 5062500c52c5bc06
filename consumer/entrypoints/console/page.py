"""What a page is asked, and what it answers with; long lists go page by page, so that what is sent is bounded."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from starlette.requests import Request

from consumer.entrypoints.console.viewer import Viewer
from consumer.entrypoints.documents.events import EventIndex
from consumer.entrypoints.documents.session import StoreSession
from consumer.settings import ConsoleSettings


class MissingError(Exception):
    """There is no such thing, or it is not theirs to see; the sentence is for people."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request.

    Attributes:
        now: ms.
        parts: of the address, as `event_id`.
        query: behind the question mark.
        form: the fields of an order, those of one name on a line each; `ui.token_field()` stands in each form, and the
            gate has checked it before a page is asked.
    """

    viewer: Viewer
    stores: StoreSession
    events: EventIndex
    settings: ConsoleSettings
    now: int
    parts: Mapping[str, str]
    query: Mapping[str, str]
    request: Request
    form: Mapping[str, str]
    token: str

    @property
    def may_order(self) -> bool:
        """Whether pages have buttons at all."""
        return self.settings.orders == "on"


Facts = Mapping[str, Any]
"""What a template says, by the names it uses: one that is missing is an error there."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A page to be drawn.

    Attributes:
        template: below `templates`.
        title: of the window, without personal data.
        facts: all that the template says and that may change; the page's ETag is their digest. Dataclasses, mappings,
            lists and plain values, with no moment in them that changes by itself.
        nav: the entry of the navigation it belongs to.
        timezone: on whose clocks its times are, by IANA name; "": UTC.
        many_clocks: its times are each on the clocks of their own event.
        live: it is read again by itself; never where there is a form.
    """

    template: str
    title: str
    facts: Facts
    nav: str = "events"
    timezone: str = ""
    many_clocks: bool = False
    live: bool = True
    status: int = 200

    @property
    def place(self) -> str:
        """Where its clocks are: `New York`; "" where they are UTC."""
        return self.timezone.rpartition("/")[2].replace("_", " ")


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pages:
    """One page of a list. `first` and `last`: places of what is on it, from 1; `number`: of the page, from 1."""

    number: int
    size: int
    total: int

    @property
    def first(self) -> int:
        return min((self.number - 1) * self.size + 1, self.total)

    @property
    def last(self) -> int:
        return min(self.number * self.size, self.total)

    @property
    def before(self) -> int:
        """The number of the page before; 0 for none."""
        return self.number - 1

    @property
    def after(self) -> int:
        """The number of the next page; 0 for none."""
        return self.number + 1 if self.last < self.total else 0

    def cut(self, rows: Sequence[T]) -> Sequence[T]:
        return rows[(self.number - 1) * self.size : self.number * self.size]


def pages_of(given: str, total: int, size: int) -> Pages:
    """The page that an address asks for; the first for what is no number, the last for what is beyond."""
    number = int(given) if given.isascii() and given.isdigit() and len(given) < 8 else 1
    return Pages(max(min(number, -(-total // size)), 1), size, total)


_KEPT_SECONDS: Final = 60.0
"""How long it may stand although nothing changed: what has ended meanwhile is left out of the next plan."""
_KEPT: Final = 8
D = TypeVar("D")


@dataclass(frozen=True, slots=True)
class CachedDocument(Generic[D]):
    """A document as it was made at `at` (ms), which took `took` ms of this process."""

    document: D
    at: int
    took: int
    token: object


class DocumentCache:
    """Those of one console: a few, one made at a time, so that many readers of a large event cost no more than one."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], CachedDocument[Any]] = OrderedDict()
        self._making = asyncio.Lock()

    async def of(
        self, stores: StoreSession, event_id: str, what: str, make: Callable[[], Awaitable[D]]
    ) -> CachedDocument[D]:
        """The document called `what` of an event. Raises what `make` raises, and UnavailableError."""
        async with self._making:
            token, now = await _token(stores, event_id), stores.clock.now()
            held = self._kept.pop((event_id, what), None)
            if held is None or held.token != token or not 0 <= now - held.at < _KEPT_SECONDS * 1000:
                began = time.process_time()
                document = await make()
                held = CachedDocument(document, now, round((time.process_time() - began) * 1000), token)
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


def document_cache(request: Request) -> DocumentCache:
    state = request.app.state
    if not hasattr(state, "kept"):
        state.kept = DocumentCache()
    found: DocumentCache = state.kept
    return found
