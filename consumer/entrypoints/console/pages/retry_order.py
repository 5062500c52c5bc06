"""`/operations/retry/order`: what a dry run showed is ordered: parked changes are retried, letters replayed or left."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from consumer.adapters.kafka.dead_letters import DeadLetterQueue
from consumer.domain.orders.bulk import Choice
from consumer.domain.orders.order import OrderKind, Receipt
from consumer.entrypoints.console.page import Ask
from consumer.entrypoints.console.routes import path_of
from consumer.entrypoints.documents.parked import find_parked
from consumer.entrypoints.documents.words import counted, plain
from consumer.services.bulk import order_of, retry_many

_MOST: Final = 50
_SECONDS: Final = 9.0


@dataclass(frozen=True, slots=True)
class Given:
    """An order that was just given, as its page says so."""

    words: str
    count: str
    actor: str
    reason: str
    sentence: str


async def give(ask: Ask) -> RedirectResponse:
    """Give the order, once however often its form is sent. Raises HTTPException, UnavailableError."""
    form, reason = ask.form, ask.form.get("reason", "").strip()
    keys = [each for each in form.get("key", "").split("\n") if each]
    order_id = form.get("order", "")
    if not reason or not keys or len(keys) > _MOST or not (order_id.isalnum() and len(order_id) <= 40):
        raise HTTPException(400, "An order needs a reason, and what it is about. Go back and look at the dry run.")
    match form.get("act"):
        case "retry":
            event = await _retry(ask, keys, order_id, reason)
        case "replay" | "discard" as act:
            event = ""
            await _letters(ask, OrderKind(act), keys, order_id, reason)
        case _:
            raise HTTPException(400, "There is no such order.")
    what = "parked" if form.get("act") == "retry" else "letters"
    query = urlencode({"what": what, "given": order_id, "of": event})
    return RedirectResponse(f"{path_of('retry')}?{query}", 303)


async def _retry(ask: Ask, keys: list[str], order_id: str, reason: str) -> str:
    """Only what is parked now, and may be retried. The first event of it; all are kept under one id."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for each in keys:
        event_id, _, key = each.partition("/")
        wanted[event_id].add(key)
    limit = ask.stores.settings.bulk.max_rounds
    chosen: dict[str, tuple[str, ...]] = {}
    for event_id, named in sorted(wanted.items()):
        found = await find_parked(ask.stores, Choice(event_id=event_id))
        parked = {each.issue.key for each in found if each.issue.rounds < limit} & named
        chosen |= {event_id: tuple(sorted(parked))} if parked else {}
    if not chosen:
        raise HTTPException(409, "None of these is parked any more. Look at the dry run once more.")
    await retry_many(ask.stores.orders, chosen, actor=ask.viewer.actor, reason=reason, bulk_id=order_id)
    return next(iter(chosen))


async def _letters(ask: Ask, kind: OrderKind, names: list[str], order_id: str, reason: str) -> None:
    settings, orders = ask.stores.settings, ask.stores.orders
    known = {each.name: (each.partition, each.offset) for each in (await ask.stores.kafka.read()).letters}
    places = [known[name] for name in names if name in known]
    queue, limit = DeadLetterQueue(settings.kafka), settings.bulk.max_rounds

    async def act() -> Receipt:
        letters = await queue.some(places)
        if kind is OrderKind.DISCARD:
            await queue.settle(letters, "discarded", put_back=False)
            return Receipt(at_once=True)
        whole = [each for each in letters if not each.incomplete and each.origin.round < limit]
        old = await queue.replay(whole)
        said = f"{counted(len(whole) - len(old), 'record')} put back"
        return Receipt(at_once=True, sentence=f"{said}, {len(old)} only settled." if old else f"{said}.")

    order = orders.order(kind, actor=ask.viewer.actor, reason=reason, keys=tuple(names), order_id=order_id)
    try:
        async with asyncio.timeout(_SECONDS):
            await orders.give(order, act)
    except TimeoutError:
        raise HTTPException(
            503, "Kafka did not answer in time. What was done is not known; the dry run shows what is still open."
        ) from None
    ask.stores.kafka.look_again()


async def given_order(ask: Ask, order_id: str, event_id: str) -> Given | None:
    """What the page says after an order; None where there is no such order."""
    if not order_id:
        return None
    for each in await ask.stores.orders.store.given(event_id):
        if each.order.id == order_of(order_id, event_id):
            order, details = each.order, each.order.details
            what = "change" if order.kind is OrderKind.RETRY else "dead letter"
            count = counted(int(details.get("changes") or len(order.keys)), what)
            events = int(details.get("events") or 1)
            of = f" of {counted(events, 'event')}" if events > 1 else ""
            sentence = each.receipt.sentence if each.receipt else "It is not known yet what came of it."
            return Given(order.kind.words, count + of, plain(order.actor, 80), plain(order.reason), plain(sentence))
    return None
