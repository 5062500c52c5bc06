"""ORDERS about many events at once: one order for each event, so that each is kept with what it concerns (U3, U5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from consumer.domain.errors import PoisonError
from consumer.domain.orders.bulk import Foreseen, Outcome
from consumer.domain.orders.order import OrderKind, Receipt
from consumer.ports import Change, Decoder, RawRecord
from consumer.services.orders import Orders
from consumer.services.workers import for_each

_AT_ONCE: Final = 8


async def retry_many(
    orders: Orders, keys: Mapping[str, Sequence[str]], *, actor: str, reason: str, bulk_id: str = ""
) -> dict[str, Receipt]:
    """Have parked changes tried once more: event id -> issue keys. Answers with what came of each event's order.

    `bulk_id`: of the form that asked; given twice, each order is still one order. Raises UnavailableError.
    """
    bulk = bulk_id or orders.clock.new_id()
    found: dict[str, Receipt] = {}
    count = {"bulk": bulk, "changes": str(sum(map(len, keys.values()))), "events": str(len(keys))}

    async def give(item: tuple[str, Sequence[str]]) -> None:
        event_id, chosen = item
        order = orders.order(
            OrderKind.RETRY,
            event_id,
            actor=actor,
            reason=reason,
            keys=tuple(chosen),
            details=count if len(keys) > 1 or bulk_id else {},
            order_id=order_of(bulk, event_id),
        )
        found[event_id] = await orders.give(order)

    await for_each(keys.items(), give, _AT_ONCE)
    return found


def order_of(bulk_id: str, event_id: str) -> str:
    """The id of one event's order among those that were given together."""
    return f"{bulk_id}.{event_id}" if event_id else bulk_id


def foresee_record(decoder: Decoder, record: RawRecord) -> Foreseen:
    """What would become of the record if it were put back now. The sentence of a failure repeats no value of it."""
    try:
        peeked = decoder.peek(record)
        read = decoder.read(peeked) if peeked else None
    except PoisonError as error:
        return Foreseen(Outcome.FAIL, f"Fail again with {error.reason}: {str(error).rstrip('.')}")
    if peeked is None or read is None:
        return Foreseen(Outcome.READ, "Be read, and passed over: it is not for this service")
    change = "a change of " if isinstance(read, Change) else ""
    where = f" of {peeked.subject.kind} {peeked.subject.id}" if peeked.subject else ""
    return Foreseen(Outcome.READ, f"Be read as {change}{peeked.key}{where}")
