"""K2: an open page puts in what changed, and no more of it moves; without the script the browser loads it again."""

from __future__ import annotations

from typing import Final

import pytest

from tests.support.browser import Chromium
from tests.support.desk import soon
from tests.support.scenes import SCENES, a_scene

pytestmark = [pytest.mark.integration, pytest.mark.rule("K2")]

PLACE: Final = "document.querySelector('.agenda').getBoundingClientRect().top"


async def test_what_changed_is_put_in_and_the_rest_stays(redis_url: str, chromium: Chromium) -> None:
    async with a_scene(redis_url, 7) as scene:
        await SCENES["good"](scene)
        scene.visitor.settings = scene.visitor.settings.model_copy(update={"refresh": 2})
        event_id = scene.mapping.event_id
        async with scene.served() as base:
            page = await chromium.open(f"{base}/events/{event_id}")
            await page.click("#agenda-table summary")
            await page.locator("#agenda-table tbody a").first.focus()
            await page.evaluate("window.held = document.activeElement; window.scrollTo(0, 300)")
            before = await page.evaluate(PLACE)
            await scene.desk.record(soon("new-one", title="Hot off the press"), event_id=event_id)
            await page.get_by_text("Hot off the press").first.wait_for(state="attached")
            assert await page.evaluate("document.querySelector('#agenda-table').open")
            assert await page.evaluate("document.activeElement === window.held")
            assert abs(await page.evaluate(PLACE) - before) < 50, "what is looked at stays, but for its own height"
            bare = await chromium.open(f"{base}/events/{event_id}", scripts=False)
            async with bare.expect_navigation():
                pass
