"""What an order to freeze, thaw or approve changes of an event (U1, U2)."""

from __future__ import annotations

from consumer.domain.orders.order import Order, OrderKind
from consumer.domain.planning.control import APPROVAL, Approval, Control, Controls, Freeze


def controls_after(controls: Controls, order: Order) -> tuple[Control, ...]:
    """What an order changes; () when it was seen to before, or there is nothing to change."""
    held = controls.held
    if any(each.order == order.id for each in held.values()):
        return ()
    match order.kind:
        case OrderKind.FREEZE:
            freeze = freeze_of(order)
            return (_next(held.get(freeze.name), freeze.name, order, freeze=freeze),)
        case OrderKind.APPROVE:
            operations = tuple(filter(None, order.details.get("operations", "").split("\n")))
            approval = Approval(order.details["plan"], order.at, order.actor, operations)
            return (_next(held.get(APPROVAL), APPROVAL, order, approval=approval),)
        case OrderKind.THAW:
            asked = freeze_of(order)
            return tuple(
                _next(held[each.name], each.name, order)
                for each in controls.freezes
                if asked.kind in {"", each.kind} and asked.fields in {(), each.fields}
            )
    return ()


def freeze_of(order: Order) -> Freeze:
    fields = tuple(sorted(filter(None, order.details.get("fields", "").split(","))))
    until = int(order.details.get("until") or 0)
    return Freeze(order.details.get("kind", ""), fields, until, order.at, order.actor, order.reason)


def _next(
    before: Control | None,
    name: str,
    order: Order,
    *,
    freeze: Freeze | None = None,
    approval: Approval | None = None,
) -> Control:
    revision = max(order.at, before.revision + 1 if before else 0)
    return Control(order.event_id, name, revision, order.id, freeze, approval)
