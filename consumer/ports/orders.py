"""ORDERS: what people told the service to do, and what came of it (U3)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from consumer.domain.orders.order import GivenOrder, Order


class OrderStore(Protocol):
    """Orders by event, bounded, and those that no service has seen to yet. All raise UnavailableError."""

    async def begin(self, order: Order) -> GivenOrder | None:
        """Keep an order. None: it is new; otherwise what is kept under its id."""

    async def finish(self, given: GivenOrder) -> None:
        """Keep what came of it, and leave it for the running service (`waiting`)."""

    async def given(self, event_id: str = "", limit: int = 100) -> Sequence[GivenOrder]:
        """Of an event, or those without one; newest first."""

    async def waiting(self) -> Sequence[GivenOrder]:
        """What the running service has still to see to, as it was given."""

    async def seen_to(self, ids: Iterable[str]) -> None:
        """The running service has done its part of these."""


class OrderTopic(Protocol):
    """Where orders are published."""

    async def order(self, given: GivenOrder) -> None:
        """`order.given`. Raises UnavailableError."""
