"""Approving a plan, as the command and the page do it (U2)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consumer.domain.orders.order import Order, OrderKind, Receipt
from consumer.domain.planning.approval import ids_of
from consumer.entrypoints.documents.plan import PlanDocument, plan_of, read_plan
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import plain

_NAMED: Final = 1_000
"""Operations that an order names, so that a refusal can say what differs."""


async def plan_to_approve(stores: StoreSession, event: str, latency: float = 0.2) -> tuple[PlanDocument, list[str]]:
    """The plan of an event as people see it, and its operations by their ids. Raises as `read_plan` does."""
    document = await read_plan(stores, event, latency)
    mapping = await stores.connections.mapping(document.event_id)
    if mapping is None or len(document.operations) > _NAMED:
        return document, []
    plan, _ = await plan_of(stores, mapping)
    return document, ids_of(plan)


async def give_approval(
    stores: StoreSession,
    document: PlanDocument,
    operations: Sequence[str],
    plan: str,
    actor: str,
    reason: str,
    order_id: str = "",
) -> tuple[Order, Receipt]:
    """Order that a plan is sent; refused when it is not the one that `document` shows. Kept in any case (U3)."""
    orders, details = stores.orders, {"plan": plan, "operations": "\n".join(operations)}
    order = orders.order(
        OrderKind.APPROVE, document.event_id, actor=actor, reason=reason, details=details, order_id=order_id
    )
    sentence = refusal(document, plan)

    async def act() -> Receipt:
        return Receipt(done=not sentence, at_once=not sentence, sentence=sentence)

    return order, await orders.give(order, act)


def refusal(document: PlanDocument, plan: str) -> str:
    """Why a plan cannot be approved; "" when it can."""
    if not document.mapped:
        return "The event is not mapped to a Swoogo event."
    if not document.approval:
        return "The mapping of this event asks for no approval: its changes are sent by themselves."
    if document.plan_id == plan:
        return ""
    now = f"it is {document.plan_id} now" if document.plan_id else "there is nothing to send now"
    return f"plan_changed: {plain(plan, 40)} is not what would be sent; {now}. Look at the plan again."
