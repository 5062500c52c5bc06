"""Orders that people gave, and what the running service has still to see to (U3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.adapters.redis.orders import KEPT
from consumer.domain.orders.order import GivenOrder, Order, OrderKind, Receipt
from tests.contract.bench import Bench
from tests.support.builders import EVENT, NOW

pytestmark = pytest.mark.rule("U3")


def an_order(number: int = 1, event_id: str = EVENT, at: int = NOW) -> Order:
    return Order(f"o{number:05}", OrderKind.LIFT, event_id, "cli:ada", "because", at + number, ("session/s1",))


async def test_a_new_order_is_kept_without_a_receipt(bench: Bench) -> None:
    assert await bench.orders.begin(an_order()) is None
    assert await bench.orders.given(EVENT) == [GivenOrder(an_order())]
    assert await bench.orders.waiting() == []


async def test_an_order_given_twice_finds_the_first(bench: Bench) -> None:
    await bench.orders.begin(an_order())
    later = an_order(at=NOW + 5)
    assert await bench.orders.begin(later) == GivenOrder(an_order())
    await bench.orders.finish(done := GivenOrder(an_order(), Receipt(at_once=True)))
    assert await bench.orders.begin(later) == done
    assert await bench.orders.given(EVENT) == [done]


async def test_what_is_finished_waits_until_it_is_seen_to(bench: Bench) -> None:
    for number in (2, 1):
        await bench.orders.begin(an_order(number))
        await bench.orders.finish(GivenOrder(an_order(number), Receipt()))
    assert [each.order.id for each in await bench.orders.waiting()] == ["o00001", "o00002"]
    await bench.orders.seen_to(["o00001"])
    assert [each.order.id for each in await bench.orders.waiting()] == ["o00002"]
    assert len(await bench.orders.given(EVENT)) == 2


async def test_the_operations_of_a_plan_wait_for_the_service_and_are_not_in_the_audit(bench: Bench) -> None:
    order = replace(an_order(), details={"plan": "p", "operations": "many"})
    await bench.orders.begin(order)
    await bench.orders.finish(GivenOrder(order, Receipt()))
    [waits], [kept] = await bench.orders.waiting(), await bench.orders.given(EVENT)
    assert (waits.order.details, kept.order.details) == (order.details, {"plan": "p"})


async def test_orders_are_kept_by_event_the_newest_first(bench: Bench) -> None:
    for number, event_id in ((1, EVENT), (2, ""), (3, EVENT)):
        await bench.orders.begin(an_order(number, event_id))
    assert [each.order.id for each in await bench.orders.given(EVENT)] == ["o00003", "o00001"]
    assert [each.order.id for each in await bench.orders.given(EVENT, 1)] == ["o00003"]
    assert [each.order.id for each in await bench.orders.given()] == ["o00002"]


async def test_the_oldest_orders_go(bench: Bench) -> None:
    for number in range(KEPT + 1):
        await bench.orders.begin(an_order(number))
    held = await bench.orders.given(EVENT, KEPT + 10)
    assert len(held) == KEPT
    assert held[-1].order.id == "o00001"
