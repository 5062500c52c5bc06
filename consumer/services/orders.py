"""ORDERS: the one way by which pages and commands tell the service what to do (U3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

from consumer.domain.errors import UnavailableError
from consumer.domain.identity import stamp
from consumer.domain.order import GivenOrder, Order, OrderKind, Receipt, commands_of, one_line, request_of
from consumer.domain.survey import Depth
from consumer.ports import Clock, Connections, Inbox
from consumer.ports.orders import OrderStore, OrderTopic

_CARRYING_OUT_MS: Final = 60_000
"""After that, whoever carried an order out is taken for dead, and the order may be given once more."""


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
            case _:
                if commands := commands_of(order):
                    await self.inbox.request_commands(event_id, commands)
                mapping = await self.connections.mapping(event_id)
                return Receipt(at_once=mapping is not None and mapping.continuous)


@dataclass(frozen=True, slots=True)
class OrderRelay:
    """The running service's part of orders: it publishes them, so that commands need no Kafka."""

    store: OrderStore
    topic: OrderTopic

    async def relay(self) -> None:
        """Everything that waits, in the order it was given; a crash in between repeats it. Raises UnavailableError."""
        for given in await self.store.waiting():
            await self.topic.order(given)
            await self.store.seen_to([given.order.id])
