"""`audit`: what people ordered, newest first, and what came of it (U3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from consumer.domain.orders.order import GivenOrder, Order, OrderKind
from consumer.entrypoints.documents.control import frozen_words
from consumer.entrypoints.documents.ids import whole_event
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import iso, plain


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order. `words`: what it does, after "to"; `outcome`: done, refused, or unknown where its giver died.

    `about`: of what, e.g. `location of sessions` or a plan's id; "" where it is about the whole event, or `records`.
    """

    id: str
    kind: str
    words: str
    event_id: str
    actor: str
    reason: str
    at: str | None
    at_ms: int
    outcome: str
    sentence: str
    about: str = ""
    records: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AuditDocument:
    """What `audit --json` prints. `event_id` is "" for orders that concern no event, or many."""

    event_id: str
    orders: tuple[OrderRow, ...]


async def read_audit(stores: StoreSession, event: str | None, limit: int) -> AuditDocument:
    """The newest orders of an event, or those without one. Raises AmbiguousIdError, UnavailableError."""
    event_id = await whole_event(stores, event) if event else ""
    return AuditDocument(event_id, tuple(order_row(each) for each in await stores.orders.store.given(event_id, limit)))


def order_row(given: GivenOrder) -> OrderRow:
    order, receipt = given.for_audit.order, given.receipt
    outcome = "unknown" if receipt is None else "done" if receipt.done else "refused"
    return OrderRow(
        order.id,
        order.kind.value,
        order.kind.words,
        order.event_id,
        plain(order.actor, 80),
        plain(order.reason),
        iso(order.at),
        order.at,
        outcome,
        plain(receipt.sentence) if receipt else "",
        _about(order),
        order.keys,
        order.details,
    )


def _about(order: Order) -> str:
    said = order.details.get
    match order.kind:
        case OrderKind.FREEZE | OrderKind.THAW:
            what = frozen_words(said("kind", ""), said("fields", "").split(",") if said("fields") else ())
            if order.kind is OrderKind.THAW and not said("kind"):
                return "all freezes"
            until = iso(int(said("until") or 0))
            return f"{what} until {until}" if until else what
        case OrderKind.APPROVE:
            return f"plan {plain(said('plan', ''))}"
        case OrderKind.SYNC | OrderKind.RECONCILE:
            word = said("scope") or said("depth") or ""
            return "" if word in {"all", "shallow"} else word
    return ""
