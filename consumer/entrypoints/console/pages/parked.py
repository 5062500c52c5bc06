"""`/operations/parked`: what did Swoogo refuse, where, since when, and how often was it retried?"""

from __future__ import annotations

from consumer.domain.orders.bulk import Choice
from consumer.entrypoints.console.page import Ask, Shown
from consumer.entrypoints.documents.operations import parked_codes
from consumer.entrypoints.documents.parked import count_parked, find_parked, parked_document

_SHOWN = 50


async def show(ask: Ask) -> Shown:
    """The first of them by event, of one code where that is chosen. Raises UnavailableError."""
    stores = ask.stores
    choice = Choice(ask.query.get("code", ""), ask.query.get("org", ""), ask.query.get("event", ""))
    found = await find_parked(stores, choice, _SHOWN)
    document = parked_document(found, stores.settings.bulk.max_rounds)
    standings = await stores.trouble.standings()
    facts = {
        "choice": choice,
        "codes": None if standings is None else parked_codes(standings),
        "chosen": await count_parked(stores, choice),
        "rows": document.parked,
        "max_rounds": document.max_rounds,
    }
    return Shown("parked.html", "Parked changes", facts, nav="operations")
