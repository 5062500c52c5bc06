"""U3: orders by hand, from the click on the event's page to what is kept of them, with and without scripts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

import pytest

from consumer.domain.orders.order import OrderKind
from consumer.entrypoints.console.pages import orders
from tests.support.browser import PHONE, Chromium, barriers, text, too_wide
from tests.support.scenes import EVENT_ID, Scene, a_scene, in_trouble

pytestmark = [pytest.mark.integration, pytest.mark.rule("U3")]

_DATABASE: Final = 6
_WHY: Final = "The programme is printed tonight."


@pytest.fixture
async def scene(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """In trouble, with no service that sees to an order."""
    monkeypatch.setattr(orders, "_SECONDS", 0.0)
    async with a_scene(redis_url, _DATABASE) as made:
        await in_trouble(made)
        yield made


async def given(scene: Scene) -> list[tuple[str, str]]:
    """Kind and reason of what was ordered, the newest first."""
    kept = await scene.visitor.stores.orders.store.given(str(EVENT_ID))
    return [(each.order.kind.value, each.order.reason) for each in kept]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts on", "scripts off"])
async def test_an_order_is_given_by_hand(scene: Scene, chromium: Chromium, scripts: bool) -> None:
    """Freeze, sync and compare: a click, a page that says what it does, a reason, and it stands in the audit."""
    wanted = [OrderKind.FREEZE, OrderKind.SYNC, OrderKind.RECONCILE] if scripts else [OrderKind.FREEZE]
    async with scene.served() as base:
        page = await chromium.open(f"{base}/events/{EVENT_ID}", scripts=scripts)
        for number, kind in enumerate(wanted, 1):
            await page.goto(f"{base}/events/{EVENT_ID}")
            await page.locator(f"a[href$='/orders/{kind.value}']").first.click()
            assert await page.locator("h1").inner_text() == orders.KINDS[kind].title
            assert len(await given(scene)) == number - 1, "a page that asks gives no order"
            await page.get_by_label("Why").fill(_WHY)
            await page.get_by_role("button", name=orders.KINDS[kind].button).click()
            assert _WHY in await text(page)
            assert (await given(scene))[0] == (kind.value, _WHY)


@pytest.mark.parametrize("kind", [OrderKind.FREEZE, OrderKind.APPROVE], ids=lambda kind: kind.value)
async def test_a_page_that_asks_is_open_to_everybody(scene: Scene, chromium: Chromium, kind: OrderKind) -> None:
    async with scene.served() as base:
        page = await chromium.open(f"{base}/events/{EVENT_ID}/orders/{kind.value}", width=PHONE, dark=True)
        assert await barriers(page) == []
        assert await too_wide(page) == []


async def test_a_double_click_is_one_order_and_a_reason_is_asked_for(scene: Scene, chromium: Chromium) -> None:
    async with scene.served() as base:
        page = await chromium.open(f"{base}/events/{EVENT_ID}/orders/freeze")
        button = page.get_by_role("button", name="Freeze")
        await button.click()
        assert await page.evaluate("document.activeElement.id") == "reason", "the browser says what is missing"
        await page.get_by_label("Why").fill(_WHY)
        await button.dblclick(no_wait_after=True)
        await page.wait_for_url("**/audit?ordered=*")
        assert await given(scene) == [("freeze", _WHY)]
