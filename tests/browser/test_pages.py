"""K1: each page, in a real Chromium, in every state: no one is kept out, nothing sticks out, nothing is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest
from playwright.async_api import Page

from consumer.entrypoints.console.routes import ROUTES
from tests.browser.conftest import Stage
from tests.support.browser import DESK, PHONE, Chromium, barriers, tab_stops, text, too_wide

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1")]

OF_KAFKA: Final = {"letter"}
"""Pages of the bytes of a record; there is no Kafka behind these scenes."""
PAGES: Final = [page.name for page in ROUTES if "GET" in page.methods and page.name not in OF_KAFKA]
OUT: Final = Path(__file__).parents[2] / "out" / "pages"
FIRST_OF_A_SCENE: Final = [("empty", "events"), ("good", "events"), ("good", "event"), ("a thousand sessions", "event")]


async def pictured(page: Page, name: str) -> None:
    """Kept for people to look at, when they ask: drawing a page whole takes as long as judging it."""
    if "SWOOGO_SYNC_TEST_PICTURES" not in os.environ:
        return
    OUT.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=OUT / f"{name}.png", full_page=True)


@pytest.mark.parametrize("name", PAGES)
async def test_in_trouble_no_page_keeps_anybody_out(name: str, stage: Stage, chromium: Chromium) -> None:
    """By day and by night, at a desk and on a phone, by the keyboard alone and without scripts; links lead to each."""
    shown = await stage.scene("in trouble")
    address = shown.base + shown.paths[name]
    page = await chromium.open(address)
    await _without_scripts_it_says_the_same(page, await chromium.open(address, scripts=False))
    await _the_keyboard_alone_is_enough(page, address)
    for width in (DESK, PHONE):
        await page.set_viewport_size({"width": width, "height": 800})
        await page.emulate_media(color_scheme="light")
        assert await barriers(page) == []
        assert await too_wide(page) == []
        await pictured(page, f"{name}-{width}")
        await page.emulate_media(color_scheme="dark")
        assert await barriers(page, only=["color-contrast"]) == []
        await pictured(page, f"{name}-{width}-dark")


async def _without_scripts_it_says_the_same(with_scripts: Page, without: Page) -> None:
    for page in (with_scripts, without):
        assert await page.locator("h1").count() == 1
    assert (await text(without))[:200].split("As of")[0] == (await text(with_scripts))[:200].split("As of")[0]
    assert not await without.locator("form button[type=button]").count()


async def _the_keyboard_alone_is_enough(page: Page, address: str) -> None:
    """The skip link comes first; every stop is drawn as focused and within the window."""
    stops = await tab_stops(page)
    assert (stops[0].words, stops[0].href) == ("Skip to content", "#main")
    assert [stop for stop in stops if not (stop.ring and stop.seen)] == []
    await page.goto(address)
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    assert await page.evaluate("document.activeElement.id") == "main"
    await page.goto(address)


@pytest.mark.parametrize(("scene", "name"), FIRST_OF_A_SCENE)
async def test_a_page_without_trouble_is_as_open(scene: str, name: str, stage: Stage, chromium: Chromium) -> None:
    shown = await stage.scene(scene)
    page = await chromium.open(shown.base + shown.paths[name], width=PHONE, dark=True)
    assert await barriers(page) == []
    assert await too_wide(page) == []
    await pictured(page, f"{scene}-{name}-{PHONE}")
    await page.set_viewport_size({"width": DESK, "height": 800})
    assert await too_wide(page) == []
    await pictured(page, f"{scene}-{name}-{DESK}")
