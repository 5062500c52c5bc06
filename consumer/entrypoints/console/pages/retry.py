"""`/operations/retry`: what would a retry of these do now, and what would it cost? A dry run changes nothing (U5).

What it showed is ordered at `/operations/retry/order`: parked changes are retried, letters replayed or left.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from consumer.adapters.kafka.dead_letters import DeadLetterQueue
from consumer.domain.errors import ConfigurationError, UnavailableError
from consumer.domain.orders.bulk import ORDERED, BulkFilter, Outcome, seconds_of
from consumer.domain.orders.order import OrderKind, Receipt
from consumer.entrypoints.console.page import Ask, Shown
from consumer.entrypoints.console.pages.operations import by_reason
from consumer.entrypoints.console.routes import path_of
from consumer.entrypoints.documents.letters import LetterDocument, foresee_letters, letter_document
from consumer.entrypoints.documents.operations import parked_codes
from consumer.entrypoints.documents.parked import ParkedRow, count_parked, find_parked, foresee_parked, parked_document
from consumer.entrypoints.documents.words import counted, plain
from consumer.services.orders import order_of, retry_many

AGES = (("", "any age"), ("1h", "1 hour"), ("1d", "1 day"), ("7d", "1 week"))
_SHOWN = 50
"""Changes that are shown, and may be ordered, at once."""
_EVENTS = 5
"""Events that are planned for one page: a plan costs more the more records an event has."""
_LETTERS = 20
_SECONDS = 8.0
_LOOKS = {
    Outcome.SEND: "move",
    Outcome.READ: "move",
    Outcome.FAIL: "hand",
    Outcome.EXHAUSTED: "held",
    Outcome.LOST: "held",
}


@dataclass(frozen=True, slots=True)
class DryRun:
    """What was looked at. `meant`: how many there are, None: not known; `keys`: what an order would be given for."""

    parked: tuple[ParkedRow, ...] = ()
    letters: tuple[LetterDocument, ...] = ()
    meant: int | None = None
    credits: int = 0
    keys: tuple[str, ...] = ()
    trouble: str = ""
    looks: dict[str, str] = field(default_factory=lambda: {each.value: look for each, look in _LOOKS.items()})


async def show(ask: Ask) -> Shown:
    """The form, and below it the dry run that it asked for. Raises UnavailableError."""
    what = "letters" if ask.query.get("what") == "letters" else "parked"
    age = ask.query.get("age", "")
    known = age if age in dict(AGES) else ""
    choice = BulkFilter(
        ask.query.get("code", ""),
        ask.query.get("org", "").strip(),
        ask.query.get("event", "").strip(),
        seconds_of(known) if known else 0,
    )
    given = await given_order(ask, ask.query.get("given", ""), ask.query.get("of", ""))
    troubles, reading = await asyncio.gather(ask.stores.trouble.by_event(), ask.stores.kafka.read())
    dry_run = None
    if "what" in ask.query:
        dry_run = await (_letters(ask, choice) if what == "letters" else _parked(ask, choice))
    facts = {
        "what": what,
        "choice": choice,
        "age": known,
        "ages": AGES,
        "codes": sorted({row.code for row in parked_codes(troubles or {})}),
        "reasons": sorted(reason for reason, _ in by_reason(reading.letters)),
        "dry_run": dry_run,
        "given": given,
        "order_id": ask.stores.clock.new_id() if ask.may_order and dry_run else "",
        "max_rounds": ask.stores.settings.bulk.max_rounds,
    }
    return Shown("retry.html", "Retry many", facts, nav="operations", live=False)


async def _parked(ask: Ask, choice: BulkFilter) -> DryRun:
    limit = ask.stores.settings.bulk.max_rounds
    found = await find_parked(ask.stores, choice, _SHOWN)
    planned = list(dict.fromkeys(each.event_id for each in found))[:_EVENTS]
    found = [each for each in found if each.event_id in planned]
    foreseen = await foresee_parked(ask.stores, found, limit)
    document = parked_document(found, limit, foreseen)
    return DryRun(
        parked=document.parked,
        meant=await count_parked(ask.stores, choice),
        credits=document.credits,
        keys=tuple(f"{row.event_id}/{row.key}" for row in document.parked if row.outcome in ORDERED),
    )


async def _letters(ask: Ask, choice: BulkFilter) -> DryRun:
    """Without a look for newer records: that reads the topics on from there, and a replay does it by itself."""
    settings, reading = ask.stores.settings, await ask.stores.kafka.read()
    events = sorted({each.event_id for each in reading.letters} - {""}) if choice.org_id else []
    owners = {
        each.event_id: each.org_id
        for each in await asyncio.gather(*map(ask.stores.connections.mapping, events))
        if each
    }
    meant = sorted(
        (
            each
            for each in reading.letters
            if choice.takes(each.reason, owners.get(each.event_id, ""), each.event_id, each.at, ask.now)
        ),
        key=lambda each: (each.at, each.partition, each.offset),
    )
    try:
        async with asyncio.timeout(_SECONDS):
            some = await DeadLetterQueue(settings.kafka).some(
                [(each.partition, each.offset) for each in meant[:_LETTERS]]
            )
            foreseen = await foresee_letters(settings, some, limit=settings.bulk.max_rounds, compare=False)
    except (UnavailableError, ConfigurationError, TimeoutError) as error:
        return DryRun(meant=len(meant), trouble=str(error) or "Kafka did not answer in time.")
    shown = tuple(letter_document(each, foreseen=seen) for each, seen in zip(some, foreseen, strict=True))
    keys = tuple(each.id for each in shown if each.outcome in ORDERED)
    return DryRun(letters=shown, meant=len(meant), keys=keys, trouble=reading.trouble)


_MOST: Final = 50
_ORDER_SECONDS: Final = 9.0


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
            event = await _order_retry(ask, keys, order_id, reason)
        case "replay" | "discard" as act:
            event = ""
            await _order_letters(ask, OrderKind(act), keys, order_id, reason)
        case _:
            raise HTTPException(400, "There is no such order.")
    what = "parked" if form.get("act") == "retry" else "letters"
    query = urlencode({"what": what, "given": order_id, "of": event})
    return RedirectResponse(f"{path_of('retry')}?{query}", 303)


async def _order_retry(ask: Ask, keys: list[str], order_id: str, reason: str) -> str:
    """Only what is parked now, and may be retried. The first event of it; all are kept under one id."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for each in keys:
        event_id, _, key = each.partition("/")
        wanted[event_id].add(key)
    limit = ask.stores.settings.bulk.max_rounds
    chosen: dict[str, tuple[str, ...]] = {}
    for event_id, named in sorted(wanted.items()):
        found = await find_parked(ask.stores, BulkFilter(event_id=event_id))
        parked = {each.issue.key for each in found if each.issue.rounds < limit} & named
        chosen |= {event_id: tuple(sorted(parked))} if parked else {}
    if not chosen:
        raise HTTPException(409, "None of these is parked any more. Look at the dry run once more.")
    await retry_many(ask.stores.orders, chosen, actor=ask.viewer.actor, reason=reason, bulk_id=order_id)
    return next(iter(chosen))


async def _order_letters(ask: Ask, kind: OrderKind, names: list[str], order_id: str, reason: str) -> None:
    settings, orders = ask.stores.settings, ask.stores.orders
    known = {each.name: (each.partition, each.offset) for each in (await ask.stores.kafka.read()).letters}
    places = [known[name] for name in names if name in known]
    queue, limit = DeadLetterQueue(settings.kafka), settings.bulk.max_rounds

    async def act() -> Receipt:
        letters = await queue.some(places)
        if kind is OrderKind.DISCARD:
            await queue.resolve(letters, "discarded", put_back=False)
            return Receipt(at_once=True)
        whole = [each for each in letters if not each.incomplete and each.origin.round < limit]
        old = await queue.replay(whole)
        said = f"{counted(len(whole) - len(old), 'record')} put back"
        return Receipt(at_once=True, sentence=f"{said}, {len(old)} only resolved." if old else f"{said}.")

    order = orders.order(kind, actor=ask.viewer.actor, reason=reason, keys=tuple(names), order_id=order_id)
    try:
        async with asyncio.timeout(_ORDER_SECONDS):
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
