"""All events as a list that is searched and paged: what the console's first page shows (K1).

What decides the place of an event in the list is kept in memory, and read again in one pass over all events when it is
old; the events of a page are read when it is asked for. So a page costs the same with ten events and with ten thousand.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Final

from consumer.adapters.redis.event_stats import EventSummary
from consumer.domain.explaining.sync_state import EventConditions, SyncState, Turn, state_of, turn_of
from consumer.entrypoints.documents.completeness import waits_for
from consumer.entrypoints.documents.ids import known_events
from consumer.entrypoints.documents.rows import (
    CredentialState,
    EventRow,
    conditions_of,
    credential_of,
    read_credentials,
    read_rows,
)
from consumer.entrypoints.documents.session import StoreSession

PAGE: Final = 25
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
    turns: Mapping[Turn, int]
    states: Mapping[SyncState, int]
    found: int
    page: int
    pages: int


class EventIndex:
    """Finds events. One is shared by all who look."""

    def __init__(self, stores: StoreSession) -> None:
        self._stores = stores
        self._briefs: dict[str, Brief] = {}
        self._ordered: Sequence[Brief] = ()
        self._read_at = 0
        self._reading: asyncio.Task[None] | None = None

    async def page(
        self, organizations: frozenset[str] | None, text: str = "", state: str = "", page: int = 1
    ) -> EventsDocument:
        """A page of the events of these organizations (None: all) that match.

        `text`: part of a name, an id or an organization; "" for all. `state`: one of `SyncState`, or "" for all.
        `page`: from 1; the nearest there is.

        Raises UnavailableError.
        """
        await self._refresh()
        # Once more where the rows of the page say otherwise than the index: it is right then.
        for _ in range(2):
            matching = _matching(self._ordered, organizations, text.casefold())
            states = Counter(each.state for each in matching)
            chosen = [each for each in matching if each.state == state] if state else matching
            pages = max(-(-len(chosen) // PAGE), 1)
            at = min(max(page, 1), pages)
            rows = await self._rows([each.event_id for each in chosen[(at - 1) * PAGE : at * PAGE]])
            if not self._note(rows):
                break
        turns = Counter(each.turn for each in chosen)
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
        stores = self._stores
        known, marker, now = await asyncio.gather(known_events(stores), stores.markers.look(), stores.inbox.now())
        credentials: dict[tuple[str, str], CredentialState] = {}
        found: dict[str, Brief] = {}
        for start in range(0, len(known), _SLICE):
            summaries = await stores.overview.summaries(known[start : start + _SLICE])
            mappings = [each.mapping for each in summaries.values() if each.mapping]
            credentials |= await read_credentials(
                stores, (m for m in mappings if (m.org_id, m.credential) not in credentials)
            )
            for event_id, each in summaries.items():
                credential = credential_of(credentials, each.mapping)
                waiting = waits_for(event_id, each.mapping, marker.deferred, credential.doubt_until)
                found[event_id] = _brief(each, conditions_of(each, credential, waiting, now))
        self._briefs, self._read_at = found, stores.clock.ticks()
        self._ordered = sorted(found.values(), key=lambda each: each.order)

    async def _rows(self, events: Sequence[str]) -> Sequence[EventRow]:
        if not events:
            return ()
        marker, found = await asyncio.gather(self._stores.markers.look(), self._stores.overview.summaries(events))
        return await read_rows(self._stores, found, marker.deferred)

    def _note(self, rows: Iterable[EventRow]) -> bool:
        """Take what was just read into the index; True where that moves an event."""
        moved = [row for row in rows if not self._stands(row)]
        for row in moved:
            reached = row.reached_ms or 0
            self._briefs[row.event_id] = Brief(
                row.event_id, row.name, row.org_id, row.state, row.turn, row.hands, reached
            )
        if moved:
            self._ordered = sorted(self._briefs.values(), key=lambda each: each.order)
        return bool(moved)

    def _stands(self, row: EventRow) -> bool:
        held = self._briefs.get(row.event_id)
        return held is not None and (held.state, held.turn, held.hands) == (row.state, row.turn, row.hands)


def _brief(summary: EventSummary, conditions: EventConditions) -> Brief:
    mapping = summary.mapping
    return Brief(
        summary.event_id,
        mapping.name if mapping else "",
        intern(mapping.org_id) if mapping else "",
        state_of(conditions),
        turn_of(conditions),
        conditions.hands,
        summary.stats.reached or 0,
    )


def _matching(briefs: Sequence[Brief], organizations: frozenset[str] | None, text: str) -> Sequence[Brief]:
    if organizations is not None:
        briefs = [each for each in briefs if each.org_id in organizations]
    if not text:
        return briefs
    return [
        each
        for each in briefs
        if text in each.name.casefold() or text in each.event_id.casefold() or text in each.org_id.casefold()
    ]
