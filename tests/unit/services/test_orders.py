"""Orders are done once, kept with who and why, and published by the running service (U3)."""

from __future__ import annotations

import pytest

from consumer.domain.errors import UnavailableError
from consumer.domain.orders.order import Order, OrderKind, Receipt
from consumer.domain.push.cause import Reconcile
from consumer.domain.surveys.survey import Depth
from consumer.ports import event_subject
from consumer.services.orders import OrderRelay, Orders
from tests.support.builders import EVENT
from tests.support.fakes.orders import InMemoryOrders
from tests.support.service_world import World

pytestmark = pytest.mark.rule("U3")


def orders_in(world: World) -> Orders:
    return Orders(InMemoryOrders(), world.inbox, world.connections, world.clock)


def a_lift(orders: Orders, order_id: str = "") -> Order:
    return orders.order(
        OrderKind.LIFT, EVENT, actor="cli:ada", reason="by\nmistake", keys=("session/s1",), order_id=order_id
    )


async def test_an_order_takes_effect_and_is_kept(world: World) -> None:
    orders = orders_in(world)
    receipt = await orders.give(a_lift(orders))
    assert receipt.done
    assert [str(each) for each in (await world.inbox.load(EVENT)).commands] == ["lift 0 session/s1"]
    [kept] = await orders.store.given(EVENT)
    assert (kept.order.actor, kept.order.reason, kept.receipt) == ("cli:ada", "by mistake", receipt)


async def test_a_double_click_is_one_order(world: World) -> None:
    orders, done = orders_in(world), list[int]()

    async def act() -> Receipt:
        done.append(1)
        return Receipt(sentence="first")

    for _ in range(2):
        assert await orders.give(a_lift(orders, "form-1"), act) == Receipt(sentence="first")
    assert done == [1]
    assert len(await orders.store.given(EVENT)) == 1


async def test_an_order_that_is_being_carried_out_is_not_begun_again(world: World) -> None:
    """Until the process that did that is taken for dead."""
    orders = orders_in(world)
    await orders.store.begin(a_lift(orders, "form-1"))
    with pytest.raises(UnavailableError, match="being carried out"):
        await orders.give(a_lift(orders, "form-1"))
    world.clock.ms += 60_000
    assert (await orders.give(a_lift(orders, "form-1"))).done


async def test_an_order_that_failed_can_be_given_again(world: World) -> None:
    orders = orders_in(world)

    async def broken() -> Receipt:
        raise UnavailableError("Kafka is away.")

    with pytest.raises(UnavailableError, match="Kafka"):
        await orders.give(a_lift(orders, "form-1"), broken)
    [kept] = await orders.store.given(EVENT)
    assert kept.receipt is None
    assert await orders.store.waiting() == []


@pytest.mark.parametrize("depth", [Depth.SHALLOW, Depth.DEEP, Depth.CONFIRMED])
async def test_a_reconcile_is_asked_for(world: World, depth: Depth) -> None:
    orders = orders_in(world)
    order = orders.order(OrderKind.RECONCILE, EVENT, actor="cli:ada", details={"depth": depth.value})
    assert (await orders.give(order)).at_once
    lease = await world.inbox.claim(event_subject(EVENT), "op")
    assert lease
    assert lease.cause == Reconcile(depth)


async def test_a_sync_is_asked_for_once_under_the_id_of_its_order(world: World) -> None:
    orders = orders_in(world)
    order = orders.order(OrderKind.SYNC, EVENT, actor="cli:ada", details={"scope": "agenda"}, order_id="form-1")
    await orders.give(order)
    lease = await world.inbox.claim(event_subject(EVENT), "op")
    assert lease
    assert [each.id for each in lease.asked] == ["form-1"]


async def test_the_service_publishes_what_was_ordered_once(world: World) -> None:
    orders, topic = orders_in(world), InMemoryOrders()
    await orders.give(a_lift(orders))
    relay = OrderRelay(orders.store, topic, world.inbox, world.connections, world.state_log, world.clock)
    await relay.relay()
    await relay.relay()
    assert [each.order.kind for each in topic.published] == [OrderKind.LIFT]
