"""What an order would do and cost now, as the confirm pages show it before it is given; approving a plan (U2, U3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.orders.ledger_commands import not_adoptable
from consumer.domain.orders.order import Order, OrderKind, Receipt, commands_of, freeze_of
from consumer.domain.planning.approval import ids_of, operation_id
from consumer.domain.planning.freezing import thawed
from consumer.domain.planning.plan import removal_key
from consumer.domain.records.ledger import Ledger, State
from consumer.entrypoints.documents.plan import PlanDocument, plan_of, read_plan
from consumer.entrypoints.documents.planned import Planned
from consumer.entrypoints.documents.session import StoreSession
from consumer.entrypoints.documents.words import plain

PlanNow = Callable[[], Awaitable[PlanDocument]]
_SHOWN: Final = 20
_COMMANDS: Final = frozenset({OrderKind.LIFT, OrderKind.ADOPT, OrderKind.FORGET, OrderKind.RETRY})


@dataclass(frozen=True, slots=True)
class OrderPreview:
    """What an order would do now.

    Attributes:
        refusal: why it cannot be given; "" when it can.
        calls, credits: of what is sent because of it; of a comparison at least.
        operations: the first of what it sends, or of a freeze what stays behind; `more`: how many more there are.
        details: to be given with it: removals by their Swoogo ids.
    """

    refusal: str = ""
    calls: int = 0
    credits: int = 0
    operations: tuple[Planned, ...] = ()
    more: int = 0
    keys: tuple[str, ...] = ()
    details: Mapping[str, str] = field(default_factory=dict)


async def preview_order(stores: StoreSession, mapping: EventMapping, order: Order, plan_now: PlanNow) -> OrderPreview:
    """What it would do. `plan_now`: reads the plan as it is; a console keeps it while nothing changes.

    Raises UnavailableError, UnknownTimezoneError.
    """
    event_id = order.event_id
    ledger = await stores.ledger.load(event_id)
    if refusal := _refusal(order, ledger) or await _exhausted(stores, order):
        return OrderPreview(refusal)
    keys, details = order.keys, order.details
    match order.kind:
        case OrderKind.RECONCILE:
            kinds = 1 + bool(mapping.settings.sync_sponsors)
            return OrderPreview(calls=kinds, credits=10 * kinds, keys=keys, details=details)
        case OrderKind.SYNC | OrderKind.APPROVE:
            now = await plan_now()
            return _of(now.operations, now.calls, now.credits, order)
        case OrderKind.THAW:
            held = (await plan_now()).frozen
            cost = sum(each.credits for each in held)
            return _of(held, cost, cost, order)
    plan, words = await plan_of(stores, mapping)
    match order.kind:
        case OrderKind.FREEZE:
            stays = thawed(plan, [freeze_of(order)]).frozen
            return _of(tuple(map(words.planned, stays)), 0, 0, order)
        case OrderKind.REMOVE:
            if not plan.unconfirmed:
                return OrderPreview("No removals of this event wait to be confirmed.")
            ids = {removal_key(each.key): str(each.swoogo_id) for each in plan.unconfirmed}
            shown = tuple(map(words.planned, plan.unconfirmed[:_SHOWN]))
            more = len(ids) - len(shown)
            return OrderPreview("", len(ids), len(ids), shown, more, tuple(ids), ids)
    before = set(map(operation_id, plan.operations))
    if order.kind in _COMMANDS:
        plan, words = await plan_of(stores, mapping, frozenset(commands_of(order)))
    sent = [each for each in plan.operations if operation_id(each) not in before]
    cost = sum(each.credits for each in sent)
    return _of(tuple(map(words.planned, sent)), cost, cost, order)


def _of(planned: Sequence[Planned], calls: int, cost: int, order: Order) -> OrderPreview:
    shown = tuple(planned[:_SHOWN])
    return OrderPreview("", calls, cost, shown, len(planned) - len(shown), order.keys, order.details)


async def _exhausted(stores: StoreSession, order: Order) -> str:
    """Why nothing is retried that failed as often as it may (U5); "" where something is, and for other orders."""
    if order.kind is not OrderKind.RETRY:
        return ""
    issues = (await stores.board.issues(order.event_id)).values()
    rounds = [each.rounds for each in issues if each.parked and each.key in order.keys]
    if not rounds or min(rounds) < stores.settings.bulk.max_rounds:
        return ""
    times = min(rounds)
    return f"It was retried and refused {times} times. `swoogo-sync parked retry --again` tries it all the same."


def _refusal(order: Order, ledger: Ledger) -> str:
    """Why an order about ledger keys cannot be given; "" when it can."""
    for key in order.keys if order.kind in {OrderKind.LIFT, OrderKind.ADOPT, OrderKind.FORGET} else ():
        entry = ledger.get(key)
        if order.kind is OrderKind.LIFT and not (entry and entry.state is State.GONE):
            return "This record was not deleted in Swoogo."
        if order.kind is OrderKind.FORGET and not (entry and entry.state is State.INTENT):
            return "There is no unanswered create of this record."
        if order.kind is OrderKind.ADOPT:
            if entry is None or entry.live:
                return "It is in Swoogo already, or was never sent."
            if said := next((not_adoptable(each, ledger) for each in commands_of(order)), ""):
                return f"It cannot be adopted: {said}"
    return ""


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
