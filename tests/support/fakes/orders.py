"""Orders in memory, and where they are published as a list."""

from __future__ import annotations

from collections.abc import Iterable

from consumer.adapters.redis.orders import KEPT
from consumer.domain.orders.order import GivenOrder, Order
from consumer.ports.orders import OrderStore, OrderTopic


class InMemoryOrders(OrderStore, OrderTopic):
    """See `ports.orders`."""

    def __init__(self) -> None:
        self.held: dict[str, dict[str, GivenOrder]] = {}
        self.outbox: dict[str, GivenOrder] = {}
        self.published: list[GivenOrder] = []

    async def begin(self, order: Order) -> GivenOrder | None:
        """See `ports.orders.OrderStore`."""
        held = self.held.setdefault(order.event_id, {})
        if order.id in held:
            return held[order.id]
        held[order.id] = GivenOrder(order)
        if len(held) > KEPT:
            del held[min(each for each in held if each != order.id)]
        return None

    async def finish(self, given: GivenOrder) -> None:
        """See `ports.orders.OrderStore`."""
        self.outbox[given.order.id] = given
        self.held.setdefault(given.order.event_id, {})[given.order.id] = given.for_audit

    async def given(self, event_id: str = "", limit: int = 100) -> list[GivenOrder]:
        """See `ports.orders.OrderStore`."""
        return _sorted(self.held.get(event_id, {}).values())[::-1][:limit]

    async def waiting(self) -> list[GivenOrder]:
        """See `ports.orders.OrderStore`."""
        return _sorted(self.outbox.values())

    async def seen_to(self, ids: Iterable[str]) -> None:
        """See `ports.orders.OrderStore`."""
        for each in ids:
            self.outbox.pop(each, None)

    async def order(self, given: GivenOrder) -> None:
        """See `ports.orders.OrderTopic`."""
        self.published.append(given)


def _sorted(orders: Iterable[GivenOrder]) -> list[GivenOrder]:
    return sorted(orders, key=lambda each: (each.order.at, each.order.id))
