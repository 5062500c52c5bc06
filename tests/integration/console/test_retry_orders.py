"""U5: what a dry run showed is ordered from its page: once, with a reason, and only while it still holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.issues.issue import Issue
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from tests.integration.console.dry_runs import ORDERS_ON, REFUSED, order, park, send
from tests.support.builders import EVENT, a_mapping
from tests.support.console import KafkaSaid, Visitor, a_visitor, hears

pytestmark = [pytest.mark.integration, pytest.mark.rule("U5", "K3")]

DRY_RUN = "/operations/retry?what=parked"


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    async with a_visitor(redis_url) as made:
        await made.desk.map(replace(a_mapping(), name="Summit"))
        await made.stores.trouble.fill()
        made.settings = ORDERS_ON
        hears(made, KafkaSaid())
        yield made


async def commands(visitor: Visitor) -> set[LedgerCommand]:
    return set((await visitor.desk.stores.inbox.load(EVENT)).commands)


async def test_a_retry_is_ordered_once_kept_and_said(visitor: Visitor) -> None:
    await park(visitor, REFUSED)
    status, place = await order(visitor, DRY_RUN, "retry")
    assert status == 303
    assert await commands(visitor) == {LedgerCommand(Action.RETRY, "session/s1")}
    page = await visitor.page(place)
    assert "local ordered to try once more what Swoogo refused: 1 change. “It is allowed now.”" in page.text
    assert "Nothing more, a retry was asked for and waits" in page.text
    (given,) = await visitor.stores.orders.store.given(EVENT)
    assert (given.order.actor, given.order.reason, given.order.keys) == ("local", "It is allowed now.", ("session/s1",))


async def test_a_form_that_is_sent_twice_is_one_order(visitor: Visitor) -> None:
    await park(visitor, REFUSED)
    fields: dict[str, str | Sequence[str]] = {
        "act": "retry",
        "reason": "r",
        "order": "0a",
        "key": f"{EVENT}/session/s1",
    }
    assert [(await send(visitor, fields))[0] for _ in range(2)] == [303, 303]
    assert len(await visitor.stores.orders.store.given(EVENT)) == 1


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": " "}, 400),
        ({"key": ""}, 400),
        ({"order": "../x"}, 400),
        ({"act": "erase"}, 400),
        ({"key": f"{EVENT}/session/other"}, 409),
        ({"key": "another/session/s1"}, 409),
        ({"key": "no key"}, 409),
    ],
    ids=str,
)
async def test_what_is_not_parked_or_not_whole_is_not_ordered(
    visitor: Visitor, fields: dict[str, str], status: int
) -> None:
    await park(visitor, REFUSED)
    whole = {"act": "retry", "reason": "r", "order": "0a", "key": f"{EVENT}/session/s1"}
    assert (await send(visitor, {**whole, **fields}))[0] == status
    assert await commands(visitor) == set()


async def test_the_page_of_one_retry_has_the_same_bound(visitor: Visitor) -> None:
    await park(visitor, replace(REFUSED, rounds=3))
    page = await visitor.page(f"/events/{EVENT}/orders/retry?keys=session/s1")
    assert "It was retried and refused 3 times." in page.text
    assert 'method="post"' not in page.html


async def test_what_failed_as_often_as_it_may_is_not_ordered(visitor: Visitor) -> None:
    await park(visitor, replace(REFUSED, rounds=3), Issue("session/s2", REFUSED.code, parked="f"))
    page = await visitor.page(DRY_RUN)
    assert "Nothing, it failed 3 times" in page.text
    assert '<form class="block"' not in page.html
    fields: dict[str, str | Sequence[str]] = {
        "act": "retry",
        "reason": "r",
        "order": "0a",
        "key": f"{EVENT}/session/s1",
    }
    assert (await send(visitor, fields))[0] == 409
