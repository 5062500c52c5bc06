"""All events as a list that is searched and paged: what the console's first page shows (K1).

What decides the place of an event in the list is kept in memory, and read again in one pass over all events when it is
old; the events of a page are read when it is asked for. So a page costs the same with ten events and with ten thousand.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.domain.sync_state import SyncState, Turn
from consumer.entrypoints.documents.ids import known_events
from consumer.entrypoints.documents.rows import EventRow, read_rows
from consumer.entrypoints.documents.session import StoreSession

PAGE: Final = 50
_SLICE: Final = 250
_SECONDS_A_SLICE: Final = 1.0
"""Seconds for which a pass counts, for each slice of events beyond the first: so that passes take a small share."""
_TURNS: Final = tuple(Turn)
_STATES: Final = tuple(SyncState)


@dataclass(frozen=True, slots=True)
class Brief:
    """What decides the place of an event in the list."""

    event_id: str
    name: str
    org_id: str
    state: SyncState
    turn: Turn
    hands: int
    reached: int

    @property
    def order(self) -> tuple[int, int, int, str]:
        """Trouble first, by who acts; most issues first, then the latest change."""
        done = self.turn is Turn.DONE
        first = -self.reached if done else -self.hands
        return _TURNS.index(self.turn), 0 if done else _STATES.index(self.state), first, self.name or self.event_id


@dataclass(frozen=True, slots=True)
class EventsDocument:
    """A page of events.

    Attributes:
        rows: the events of this page, in order.
        turns: whose turn -> how many of those found; `states`: likewise for each state.
        found: how many there are in all; `page`, from 1, of `pages`.
    """

    rows: tuple[EventRow, ...]
    turns: Mapping[str, int]
    states: Mapping[str, int]
    found: int
    page: int
    pages: int


class EventIndex:
    """Finds events. One is shared by all who look."""

    def __init__(self, stores: StoreSession) -> None:
        self._stores = stores
        self._briefs: dict[str, Brief] = {}
        self._read_at = 0
        self._reading: asyncio.Task[None] | None = None

    async def page(
        self, organizations: frozenset[str] | None, text: str = "", state: str = "", page: int = 1
    ) -> EventsDocument:
        """A page of the events of these organizations (None: all) that match.

        Args:
            organizations: whose.
            text: part of a name, an id or an organization; "" for all.
            state: one of `SyncState`, or "" for all.
            page: from 1; the nearest there is.

        Raises UnavailableError.
        """
        await self._refresh()
        # Once more where the rows of the page say otherwise than the index: it is right then.
        for _ in range(2):
            matching = [each for each in self._briefs.values() if _matches(each, organizations, text.casefold())]
            states = Counter(each.state.value for each in matching)
            chosen = sorted((e for e in matching if not state or e.state == state), key=lambda each: each.order)
            pages = max(-(-len(chosen) // PAGE), 1)
            at = min(max(page, 1), pages)
            shown = [each.event_id for each in chosen[(at - 1) * PAGE : at * PAGE]]
            rows = await self._rows(shown)
            if not self._note(rows):
                break
        turns = Counter(each.turn.value for each in chosen)
        return EventsDocument(tuple(rows), turns, states, len(chosen), at, pages)

    async def _refresh(self) -> None:
        """Read all when what is known is too old: a few at once, many beside the pages that are asked for meanwhile."""
        age = self._stores.clock.ticks() - self._read_at
        if not self._read_at or age > (len(self._briefs) // _SLICE) * _SECONDS_A_SLICE * 1e9:
            if self._reading is None or self._reading.done():
                self._reading = asyncio.create_task(self._read_all())
            if not self._read_at or len(self._briefs) <= _SLICE:
                await asyncio.shield(self._reading)
            elif self._reading.done():
                await self._reading

    async def _read_all(self) -> None:
        known = await known_events(self._stores)
        found: dict[str, Brief] = {}
        for start in range(0, len(known), _SLICE):
            found |= {row.event_id: _brief(row) for row in await self._rows(known[start : start + _SLICE])}
        self._briefs, self._read_at = found, self._stores.clock.ticks()

    async def _rows(self, events: Sequence[str]) -> Sequence[EventRow]:
        if not events:
            return ()
        marker, found = await asyncio.gather(self._stores.markers.look(), self._stores.overview.summaries(events))
        return await read_rows(self._stores, found, marker.deferred)

    def _note(self, rows: Iterable[EventRow]) -> bool:
        """Take what was just read into the index; True where that moves an event."""
        news = [brief for brief in map(_brief, rows) if self._briefs.get(brief.event_id) != brief]
        moved = any(
            before is None or (before.turn, before.state) != (each.turn, each.state)
            for each in news
            for before in [self._briefs.get(each.event_id)]
        )
        self._briefs |= {each.event_id: each for each in news}
        return moved


def _brief(row: EventRow) -> Brief:
    return Brief(row.event_id, row.name, row.org_id, row.state, row.turn, row.hands, row.reached_ms or 0)


def _matches(brief: Brief, organizations: frozenset[str] | None, text: str) -> bool:
    if organizations is not None and brief.org_id not in organizations:
        return False
    return not text or any(text in each.casefold() for each in (brief.name, brief.event_id, brief.org_id))
