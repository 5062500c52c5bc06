"""K1: an open page follows what happens by itself; what a person is doing on it stays."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.errors import UnavailableError
from tests.support.browser import Chromium, text
from tests.support.scenes import EVENT_ID, Scene, a_scene, good

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1")]

_DATABASE: Final = 7
_PATH: Final = f"/events/{EVENT_ID}"


async def retitled(scene: Scene, title: str) -> None:
    """One session gets another title, which waits."""
    conference = scene.conference
    assert conference is not None
    talk = replace(next(iter(conference.talks.values())), title=title)
    await scene.publish(replace(conference, talks={**conference.talks, talk.id: talk}), push=False)


async def test_a_change_comes_in_and_focus_and_open_parts_stay(redis_url: str, chromium: Chromium) -> None:
    async with a_scene(redis_url, _DATABASE) as scene:
        scene.visitor.settings = scene.visitor.settings.model_copy(update={"refresh": 2})
        await good(scene)
        async with scene.served() as base:
            page = await chromium.open(base + _PATH)
            await page.evaluate("window.same = true")
            await page.locator("details summary").first.click()
            await page.locator("nav[aria-label=Breadcrumb] a").first.focus()
            await retitled(scene, "A title that has just come")
            await page.get_by_text("A title that has just come").first.wait_for(state="attached")
            assert "1 change waits" in await text(page)
            assert await page.evaluate("window.same"), "the page was not loaded again"
            assert await page.locator("details").first.evaluate("part => part.open")
            assert await page.evaluate("document.activeElement.closest('nav').ariaLabel") == "Breadcrumb"
            await page.goto(f"{base}{_PATH}?live=off")
            assert not await page.evaluate("document.body.dataset.seconds"), "paused"


async def test_a_page_says_when_the_console_or_its_redis_does_not_answer(
    redis_url: str, chromium: Chromium, monkeypatch: pytest.MonkeyPatch
) -> None:
    chromium.expected += ["503"]
    async with a_scene(redis_url, _DATABASE) as scene:
        scene.visitor.settings = scene.visitor.settings.model_copy(update={"refresh": 2})
        await good(scene)
        async with scene.served() as base:
            page = await chromium.open(base + _PATH)

            async def away(*given: object, **named: object) -> None:
                raise UnavailableError("Redis is away.")

            with monkeypatch.context() as broken:
                broken.setattr(type(scene.visitor.stores.inbox), "waiting", away)
                await page.get_by_text("This is what was known at").wait_for()
                assert "All 40 accepted sessions are in Swoogo." in await text(page)
            await page.get_by_text("This is what was known at").wait_for(state="detached")
        await page.get_by_text("The console does not answer.").wait_for()
        assert "All 40 accepted sessions are in Swoogo." in await text(page)
