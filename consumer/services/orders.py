"""ORDERS: the one way by which pages and commands tell the service what to do (U3).

Of many events at once each gets an order of its own, so that each is kept with what it concerns (U5).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from consumer.domain.errors import PoisonError, UnavailableError
from consumer.domain.orders.bulk import Foreseen, Outcome
from consumer.domain.orders.order import (
    GivenOrder,
    Order,
    OrderKind,
    Receipt,
    commands_of,
    controls_after,
    one_line,
    request_of,
)
from consumer.domain.records.identity import stamp
from consumer.domain.surveys.survey import Depth
from consumer.ports import Change, Clock, Connections, Decoder, Inbox, RawRecord, StateLog, SyncRequest
from consumer.ports.orders import OrderStore, OrderTopic
from consumer.services.workers import for_each

CONTROLLING: Final = frozenset({OrderKind.FREEZE, OrderKind.THAW, OrderKind.APPROVE})
"""Orders that the running service puts in force."""

_CARRYING_OUT_MS: Final = 60_000
"""After that, the process that carried an order out is taken for dead, and the order may be given once more."""


_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class Orders:
    """Takes orders. Each is kept before it takes effect, and done once, however often it is given."""

    store: OrderStore
    inbox: Inbox
    connections: Connections
    clock: Clock

    def order(
        self,
        kind: OrderKind,
        event_id: str = "",
        *,
        actor: str,
        reason: str = "",
        keys: tuple[str, ...] = (),
        details: Mapping[str, str] | None = None,
        order_id: str = "",
    ) -> Order:
        """A new order, or the one of a form that was sent with `order_id`."""
        identifier, now = order_id or self.clock.new_id(), self.clock.now()
        return Order(identifier, kind, event_id, actor, one_line(reason), now, keys, details or {})

    async def give(self, order: Order, act: Callable[[], Awaitable[Receipt]] | None = None) -> Receipt:
        """Have an order done. `act`: what it takes, where that is not a request of the inbox.

        Given twice, the receipt of the first time. Raises UnavailableError, also while it is being done elsewhere; and
        what `act` raises: the order is then kept without a receipt, and may be given again.
        """
        held = await self.store.begin(order)
        if held and held.receipt:
            return held.receipt
        if held and self.clock.now() < held.order.at + _CARRYING_OUT_MS:
            raise UnavailableError("This order is being carried out. Look at the audit in a minute.")
        receipt = await (act() if act else self._carry_out(order))
        await self.store.finish(GivenOrder(order, receipt))
        return receipt

    async def in_force(self, order: Order, seconds: float) -> bool:
        """Wait until the running service has seen to an order; False when it has not within so many seconds."""
        for _ in range(max(round(seconds / _LOOK_SECONDS), 1)):
            if all(each.order.id != order.id for each in await self.store.waiting()):
                return True
            await self.clock.sleep(_LOOK_SECONDS)
        return False

    async def _carry_out(self, order: Order) -> Receipt:
        event_id = order.event_id
        match order.kind:
            case OrderKind.SYNC:
                now = self.clock.now()
                await self.inbox.request_sync(event_id, request_of(order), stamp(now, now, 0))
                return Receipt(at_once=True)
            case OrderKind.RECONCILE:
                await self.inbox.request_survey(event_id, Depth(order.details["depth"]))
                return Receipt(at_once=True)
            case OrderKind.VOID:
                await self.inbox.request_commands(event_id, commands_of(order), at_once=True)
                return Receipt(at_once=True)
            case _ if order.kind in CONTROLLING:
                return Receipt(at_once=True)
            case _:
                if commands := commands_of(order):
                    await self.inbox.request_commands(event_id, commands)
                mapping = await self.connections.mapping(event_id)
                return Receipt(at_once=mapping is not None and mapping.continuous)


@dataclass(frozen=True, slots=True)
class OrderRelay:
    """The running service's part of orders, so that commands need no Kafka.

    A freeze, its end and an approval are on the changelog before they are in force (G6). Every order is published.
    """

    store: OrderStore
    topic: OrderTopic
    inbox: Inbox
    connections: Connections
    state_log: StateLog
    clock: Clock

    async def relay(self) -> None:
        """Everything that waits, in the order it was given; a crash in between repeats it. Raises UnavailableError."""
        for given in await self.store.waiting():
            if given.order.kind in CONTROLLING and given.receipt and given.receipt.done:
                await self._put_in_force(given.order)
            await self.topic.order(given)
            await self.store.seen_to([given.order.id])

    async def _put_in_force(self, order: Order) -> None:
        event_id = order.event_id
        held = (await self.inbox.load(event_id, snapshot=False)).controls
        for control in controls_after(held, order):
            await self.state_log.write_states([control])
            before = held.held.get(control.name)
            if not await self.inbox.put_control(control, expected=before.revision if before else 0):
                raise UnavailableError(f"Another order for event {event_id} came between; this one is tried again.")
        mapping = await self.connections.mapping(event_id)
        if order.kind is OrderKind.APPROVE and mapping and not mapping.continuous:
            now = self.clock.now()
            await self.inbox.request_sync(event_id, SyncRequest(order.id), stamp(now, now, 0))
        else:
            # What a freeze left waiting goes, and the moment at which it ends by itself is noted.
            await self.inbox.request_commands(event_id, ())


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
