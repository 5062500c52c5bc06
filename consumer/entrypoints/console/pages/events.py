"""`/`: which events need somebody, which go on by themselves, which are right?"""

from __future__ import annotations

from itertools import groupby
from typing import Final
from urllib.parse import urlencode

from consumer.domain.explaining.sync_state import SyncState, Turn
from consumer.entrypoints.console import looks, times
from consumer.entrypoints.console.page import Ask, Facts, Shown
from consumer.entrypoints.console.words import last_words, waiting_words
from consumer.entrypoints.documents.events import EventsDocument
from consumer.entrypoints.documents.rows import EventRow
from consumer.entrypoints.documents.words import counted

_HEADINGS: Final = {
    Turn.SOMEBODY: ("Somebody is needed", "most issues first"),
    Turn.ITSELF: ("On its way, by itself", ""),
    Turn.DONE: ("In sync", "the latest change first"),
}
_CHIPS: Final = (
    SyncState.NEEDS_HAND,
    SyncState.NOT_CONNECTED,
    SyncState.PUSHING,
    SyncState.WAITING,
    SyncState.HELD,
    SyncState.IN_SYNC,
)


async def show(ask: Ask) -> Shown:
    """The events that the viewer may see. Raises UnavailableError."""
    text, state = ask.query.get("q", "").strip()[:100], ask.query.get("state", "")
    state = state if state in set(SyncState) else ""
    number = ask.query.get("page", "")
    page = int(number) if number.isdecimal() and len(number) < 6 else 1
    document = await ask.events.page(ask.viewer.organizations, text, state, page)
    swoogo = ask.stores.settings.swoogo
    facts = {
        "lead": _lead(document, narrowed=bool(text or state)),
        "caption": f"{counted(document.found, 'event')}. Credits are Swoogo’s: an organization has "
        f"{swoogo.credit_limit:,} in {times.lasting(swoogo.credit_window)}, shared by its events.",
        "text": text,
        "state": state,
        "narrowed": bool(text or state),
        "chips": _chips(document, text, state),
        "groups": _groups(document, ask, swoogo.credit_limit),
        "found": document.found,
        "page": document.page,
        "pages": document.pages,
        "before": _query(text, state, document.page - 1) if document.page > 1 else "",
        "after": _query(text, state, document.page + 1) if document.page < document.pages else "",
    }
    return Shown("events.html", "Events", facts, many_clocks=True)


def _lead(document: EventsDocument, *, narrowed: bool) -> str:
    """`7 of 14 events are in sync. 4 are on their way, 3 need somebody.`"""
    done, itself, somebody = (document.turns.get(turn, 0) for turn in (Turn.DONE, Turn.ITSELF, Turn.SOMEBODY))
    if narrowed:
        return f"{counted(document.found, 'event')} found."
    if done == document.found:
        return f"All {counted(done, 'event')} are in sync." if done > 1 else "The event is in sync."
    said = [
        f"{number:,} {one if number == 1 else many}"
        for number, one, many in (
            (itself, "is on its way", "are on their way"),
            (somebody, "needs somebody", "need somebody"),
        )
        if number
    ]
    if not done:
        return f"No event is in sync. {', '.join(said)}."
    return f"{done:,} of {document.found:,} events {'is' if done == 1 else 'are'} in sync. {', '.join(said)}."


def _query(text: str, state: str, page: int = 1) -> str:
    given = {"q": text, "state": state, "page": str(page) if page > 1 else ""}
    return "?" + urlencode({name: value for name, value in given.items() if value})


def _chips(document: EventsDocument, text: str, state: str) -> tuple[Facts, ...]:
    every = {
        "look": None,
        "words": "All",
        "query": _query(text, ""),
        "number": sum(document.states.values()),
        "current": not state,
    }
    return every, *(
        {
            "look": looks.of_state(each),
            "words": each.words,
            "query": _query(text, each),
            "number": document.states.get(each, 0),
            "current": state == each,
        }
        for each in _CHIPS
        if document.states.get(each) or state == each
    )


def _groups(document: EventsDocument, ask: Ask, limit: int) -> tuple[Facts, ...]:
    groups = []
    for turn, rows in groupby(document.rows, key=lambda row: row.turn):
        heading, order = _HEADINGS[turn]
        number = counted(document.turns.get(turn, 0), "event")
        note = f"{number}, {order}" if order and document.turns.get(turn, 0) > 1 else number
        groups.append({"heading": heading, "note": note, "lines": tuple(_line(row, ask, limit) for row in rows)})
    return tuple(groups)


def _line(row: EventRow, ask: Ask, limit: int) -> Facts:
    timezone = times.zone_of(row.timezone)
    run = row.last_run if row.state is SyncState.PUSHING else None
    share = run.done_calls * 100 / run.planned_calls if run and run.planned_calls else None
    when, ago = last_words(row, ask.now, timezone)
    waits, why = waiting_words(row, ask.now, timezone)
    return {
        "event_id": row.event_id,
        "name": row.name or row.event_id,
        "org_id": row.org_id,
        "look": looks.of_state(row.state),
        "share": share,
        "when": when,
        "ago": ago,
        "waits": waits,
        "why": why,
        "hands": row.hands,
        "left": None if row.refused else row.credits_left,
        "left_share": min((row.credits_left or 0) * 100 / limit, 100),
    }
