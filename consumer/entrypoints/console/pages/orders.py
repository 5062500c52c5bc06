"""`/events/EVENT/orders/KIND`: what an order does and costs, who gives it and why; then it is given (U3).

Nothing happens on a GET. A form carries the id of its order, so a double click is one order. What was
ordered is shown at `/events/EVENT/audit` and `/audit`, with who ordered it, why, and what came of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.orders.order import Order, OrderKind
from consumer.domain.pacing.pace import LATENCY
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Depth
from consumer.entrypoints.console import times
from consumer.entrypoints.console.page import Ask, MissingError, Shown, document_cache
from consumer.entrypoints.console.routes import path_of
from consumer.entrypoints.console.viewer import Role
from consumer.entrypoints.documents.audit import AuditDocument, read_audit
from consumer.entrypoints.documents.control import freeze_rows
from consumer.entrypoints.documents.orders import give_approval, plan_to_approve, preview_order, refusal
from consumer.entrypoints.documents.plan import PlanDocument, read_plan
from consumer.services.orders import CONTROLLING

_ID: Final = re.compile(r"[0-9a-z-]{8,64}")
_AUDITED: Final = 100
_SECONDS: Final = 4.0
"""For the running service to see to an order before the answer comes."""


@dataclass(frozen=True, slots=True)
class OrderWords:
    """What the page says of a kind of order. `button`: names its effect; `undone`: how it is taken back."""

    title: str
    what: str
    button: str
    undone: str
    least: Role = Role.ADMIN


KINDS: Final[Mapping[OrderKind, OrderWords]] = {
    OrderKind.SYNC: OrderWords(
        "Sync now?", "What waits is sent to Swoogo now.", "Sync now", "Nothing: what is sent is sent"
    ),
    OrderKind.RECONCILE: OrderWords(
        "Compare with Swoogo now?",
        "Swoogo is read, edits and deletions there are noticed, then what differs on our side is sent.",
        "Compare now",
        "Nothing: it reads, then syncs",
    ),
    OrderKind.LIFT: OrderWords(
        "Sync this record again?",
        "It was deleted in Swoogo and is not synced any more. After this order it is created there again.",
        "Sync it again",
        "Deleting it in Swoogo once more",
    ),
    OrderKind.RETRY: OrderWords(
        "Try this change once more?",
        "Swoogo refused it. It is sent once more; if it is refused again, it waits as before.",
        "Try it once more",
        "Nothing: it is one call",
    ),
    OrderKind.FREEZE: OrderWords(
        "Freeze what reaches Swoogo?",
        "Changes are recorded, but not sent, until the freeze ends. Everything else goes on.",
        "Freeze",
        "Ending it, at any time",
    ),
    OrderKind.THAW: OrderWords(
        "End the freeze?", "What waited is sent to Swoogo.", "End the freeze", "Freezing it again"
    ),
    OrderKind.APPROVE: OrderWords(
        "Send exactly this plan?",
        "If something in it changes before you press, nothing is sent, and this page shows what differs.",
        "Approve",
        "Nothing: what is sent is sent",
    ),
    OrderKind.ADOPT: OrderWords(
        "Take the record in Swoogo as this one?",
        "It is ours from then on: every field that Sessionboard has is sent to it.",
        "Take it as this one",
        "Nothing",
        Role.OPERATOR,
    ),
    OrderKind.FORGET: OrderWords(
        "Send the create once more?",
        "You say that none of the records in Swoogo is this one. It may be created again.",
        "It is none of them",
        "Deleting one of the two in Swoogo",
        Role.OPERATOR,
    ),
    OrderKind.REMOVE: OrderWords(
        "Delete these records in Swoogo?",
        "They are deleted, or no longer accepted, in Sessionboard. So many at once wait for this order.",
        "Delete them in Swoogo",
        "Nothing: they are gone for good",
        Role.OPERATOR,
    ),
}


async def ask(ask: Ask) -> Shown | Response:
    """The confirm page; sent back, the order is given. Raises MissingError, HTTPException."""
    kind, mapping = _kind(ask), await ask.stores.connections.mapping(ask.parts["event_id"])
    if mapping is None:
        raise MissingError("This event is not mapped to a Swoogo event.")
    posted = ask.request.method == "POST"
    order, trouble = _order(ask, kind, mapping, posted=posted)
    if posted and not trouble and kind is not OrderKind.APPROVE:
        foreseen = await preview_order(ask.stores, mapping, order, partial(_plan_now, ask))
        trouble = foreseen.refusal
        if not trouble:
            order = replace(order, keys=foreseen.keys, details={**order.details, **foreseen.details})
            await ask.stores.orders.give(order)
            return await _answer(ask, order)
    if posted and not trouble:
        document, operations = await plan_to_approve(ask.stores, mapping.event_id)
        order, receipt = await give_approval(
            ask.stores, document, operations, order.details["plan"], order.actor, order.reason, order.id
        )
        if receipt.done:
            return await _answer(ask, order)
        trouble = receipt.sentence
    return await _page(ask, kind, mapping, order, trouble)


def _kind(ask: Ask) -> OrderKind:
    try:
        kind = OrderKind(ask.parts["kind"])
        shown = KINDS[kind]
    except (ValueError, KeyError):
        raise MissingError from None
    if ask.viewer.role < shown.least:
        raise HTTPException(403)
    return kind


def _order(ask: Ask, kind: OrderKind, mapping: EventMapping, *, posted: bool) -> tuple[Order, str]:
    """The order as it is asked for, and what is wrong with the form."""
    given = ask.form if posted else ask.query
    keys = tuple(filter(None, given.get("keys", "").splitlines()))
    order_id = given.get("order", "") if posted else ""
    details, trouble = _details(kind, given, mapping, ask.now)
    if posted and not _ID.fullmatch(order_id):
        raise HTTPException(400, "This form cannot be read.")
    if posted and not given.get("reason", "").strip():
        trouble = "Say why: everybody who looks at this event reads it."
    order = ask.stores.orders.order(
        kind,
        mapping.event_id,
        actor=ask.viewer.actor,
        reason=given.get("reason", ""),
        keys=keys,
        details=details,
        order_id=order_id,
    )
    return order, trouble


def _details(kind: OrderKind, given: Mapping[str, str], mapping: EventMapping, now: int) -> tuple[dict[str, str], str]:
    match kind:
        case OrderKind.SYNC:
            scope = given.get("scope", "all")
            return {"scope": scope if scope in {"agenda", "sponsors"} else "all"}, ""
        case OrderKind.RECONCILE:
            return {"depth": Depth.DEEP.value if given.get("depth") == Depth.DEEP else Depth.SHALLOW.value}, ""
        case OrderKind.ADOPT:
            number = given.get("swoogo_id", "")
            return {"swoogo_id": number if number.isascii() and number.isdigit() else "0"}, ""
        case OrderKind.APPROVE:
            return {"plan": given.get("plan", "")}, ""
        case OrderKind.FREEZE | OrderKind.THAW:
            return _frozen(given, mapping, now)
    return {}, ""


def _frozen(given: Mapping[str, str], mapping: EventMapping, now: int) -> tuple[dict[str, str], str]:
    kinds = {Kind.SESSION.value, Kind.SPEAKER.value, Kind.SPONSOR.value}
    kind = given.get("kind", "") if given.get("kind", "") in kinds else ""
    fields = ",".join(sorted(filter(None, (each.strip() for each in given.get("fields", "").split(",")))))
    details, until = {"kind": kind, "fields": fields if kind else "", "until": ""}, given.get("until", "")
    if fields and not kind:
        return details, "Fields are of sessions, speakers or sponsors: choose one of these."
    if until:
        try:
            moment = datetime.fromisoformat(until)
        except ValueError:
            return details, "The moment at which it ends cannot be read."
        local = moment if moment.tzinfo else moment.replace(tzinfo=times.zone_of(mapping.timezone))
        details["until"] = str(round(local.timestamp() * 1000))
        if local.timestamp() * 1000 <= now:
            return details, "The moment at which it ends is over."
    return details, ""


async def _plan_now(ask: Ask) -> PlanDocument:
    event_id = ask.parts["event_id"]
    make = partial(read_plan, ask.stores, event_id, LATENCY)
    return (await document_cache(ask.request).of(ask.stores, event_id, "plan", make)).document


async def _answer(ask: Ask, order: Order) -> Response:
    if order.kind in CONTROLLING:
        await ask.stores.orders.in_force(order, _SECONDS)
    return RedirectResponse(f"{path_of('event_audit', event_id=order.event_id)}?ordered={order.id}", 303)


async def _page(ask: Ask, kind: OrderKind, mapping: EventMapping, order: Order, trouble: str) -> Shown:
    stores, plan = ask.stores, ""
    foreseen = await preview_order(stores, mapping, order, partial(_plan_now, ask))
    if kind is OrderKind.APPROVE:
        document = await _plan_now(ask)
        plan = document.plan_id
        trouble = trouble or refusal(document, order.details["plan"] or plan)
    controls = (await stores.inbox.load(mapping.event_id, snapshot=False)).controls
    given = ask.form or ask.query
    facts = {
        "kind": kind.value,
        "shown": KINDS[kind],
        "event_id": mapping.event_id,
        "event": mapping.name or mapping.event_id,
        "actor": ask.viewer.name,
        "order_id": stores.clock.new_id(),
        "foreseen": foreseen,
        "about": order.keys,
        "choices": {name: given.get(name, "") for name in ("scope", "depth", "kind", "fields", "until", "swoogo_id")},
        "reason": given.get("reason", ""),
        "trouble": trouble or foreseen.refusal,
        "plan_id": plan,
        "freezes": freeze_rows(controls, ask.now),
        "records": (Kind.SESSION.value, Kind.SPEAKER.value, Kind.SPONSOR.value),
    }
    status = 409 if trouble.startswith("plan_changed") else 200
    return Shown("order.html", KINDS[kind].title, facts, timezone=mapping.timezone, live=False, status=status)


async def show_audit(ask: Ask) -> Shown:
    """Orders that concern no event, or many. Raises UnavailableError."""
    return _audit(ask, await read_audit(ask.stores, None, _AUDITED), "", "")


async def show_event_audit(ask: Ask) -> Shown:
    """Of one event. Raises UnavailableError."""
    event_id = ask.parts["event_id"]
    mapping = await ask.stores.connections.mapping(event_id)
    document = await read_audit(ask.stores, event_id, _AUDITED)
    name, timezone = (mapping.name or event_id, mapping.timezone) if mapping else (event_id, "")
    return _audit(ask, document, name, timezone)


def _audit(ask: Ask, document: AuditDocument, name: str, timezone: str) -> Shown:
    ordered = next((each for each in document.orders if each.id == ask.query.get("ordered")), None)
    facts = {"orders": document.orders, "event_id": document.event_id, "event": name, "ordered": ordered}
    nav = "events" if document.event_id else "audit"
    return Shown("audit.html", "Orders", facts, nav=nav, timezone=timezone, live=ordered is None)
