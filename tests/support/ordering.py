"""Orders as a running service sees to them, on the ports of a `World` (U1, U2)."""

from __future__ import annotations

from consumer.domain.orders.order import OrderKind
from consumer.domain.planning.approval import ids_of, plan_id
from consumer.domain.planning.plan import Plan
from consumer.services.orders import OrderRelay, Orders
from consumer.services.plan_input import preview, upcoming_facts
from tests.support.builders import EVENT
from tests.support.fakes.orders import InMemoryOrders
from tests.support.service_world import RULES, World


class Desk:
    """What people order of the event of a world, and what they see before."""

    def __init__(self, world: World) -> None:
        self.world, self.store = world, InMemoryOrders()
        self.orders = Orders(self.store, world.inbox, world.connections, world.clock)
        on = world.inbox, world.connections, world.state_log, world.clock
        self.relay = OrderRelay(self.store, self.store, *on)

    async def order(self, what: OrderKind, **details: str) -> None:
        """Give an order, which the service sees to."""
        self.world.clock.ms += 1
        await self.orders.give(self.orders.order(what, EVENT, actor="cli:ada", reason="why", details=details))
        await self.relay.relay()

    async def freeze(self, kind: str = "", *fields: str, until: int = 0) -> None:
        await self.order(OrderKind.FREEZE, kind=kind, fields=",".join(fields), until=str(until))

    async def thaw(self, kind: str = "") -> None:
        await self.order(OrderKind.THAW, kind=kind)

    async def plan(self) -> Plan:
        """As `plan` shows it."""
        world = self.world
        former = await world.board.issues(EVENT)
        facts = await upcoming_facts(world.inbox, world.ledger, former, world.mapping, attempt=0, request=None)
        return preview(facts, RULES, world.clock.now())[0]

    async def approve(self) -> str:
        """Approve what the plan shows; its id."""
        plan = await self.plan()
        operations = "\n".join(ids_of(plan))
        await self.order(OrderKind.APPROVE, plan=(name := plan_id(plan)), operations=operations)
        return name
