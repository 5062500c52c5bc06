"""Orders given in a browser, from the click to Swoogo: `swoogo-sync console` beside the running service."""

from __future__ import annotations

from typing import Final

import pytest
from playwright.async_api import Page

from sandbox.demo.look import open_console
from sandbox.demo.play import Play
from sandbox.demo.world import World
from tests.support.browser import a_chromium, text
from tests.support.conferences import edited, small
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("U2", "U3")]

_TITLE: Final = "A title that waits for the end"


async def order(page: Page, event: str, kind: str, button: str) -> None:
    """From the page of the event to the order that stands in its audit."""
    await page.goto(event)
    await page.locator(f"a[href$='/orders/{kind}']").first.click()
    await page.get_by_label("Why").fill("The programme is printed tonight.")
    await page.get_by_role("button", name=button).click()
    await page.wait_for_url("**/audit?ordered=*")


async def test_a_freeze_holds_back_what_comes_until_it_is_ended(shared: World, playing: Play) -> None:
    """A change that arrives meanwhile is not in Swoogo, and is there as soon as the freeze ends."""

    async def arrived() -> bool:
        return any(row["name"] == _TITLE for row in (await playing.state())["sessions"])

    await playing.connect()
    await playing.publish([small()], "arrives")
    console = await open_console(shared)
    process = shared.replicas.pop()
    try:
        async with a_chromium() as chromium:
            event = f"{console}events/{playing.event.id}"
            page = await chromium.open(event)
            assert "All 6 accepted sessions are in Swoogo." in await text(page)
            await order(page, event, "freeze", "Freeze")
            await playing.publisher.publish(edited(small(), 0, title=_TITLE), at=playing.now())

            async def said() -> bool:
                await page.goto(event)
                return "1 record waits for the end of a freeze" in await text(page)

            await wait_until(said, "the page says what is held back", 15)
            assert not await arrived()
            await order(page, event, "thaw", "End the freeze")
            await wait_until(arrived, "the change reaches Swoogo", 15)
            assert await chromium.close() == []
    finally:
        process.stop()
