"""K3: a page of another site, in a real Chromium, can link to the console and nothing else."""

from __future__ import annotations

from typing import Final

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from consumer.adapters.http_server import serving
from consumer.entrypoints.console.viewer import LOCAL
from tests.support.browser import Chromium
from tests.support.scenes import EVENT_ID, a_scene, in_trouble

pytestmark = [pytest.mark.integration, pytest.mark.rule("K3")]

_DATABASE: Final = 7
_EVIL: Final = """<!doctype html><html lang="en"><head><title>Evil</title><link rel="icon" href="data:,"></head><body>
<a href="{base}/">The console</a>
<form method="post" action="{order}"><input name="token" value="{token}"><input name="order" value="order-0001">
<input name="reason" value="evil"></form>
<img src="{base}/static/icon.svg" alt=""><script src="{base}/static/refresh.js"></script>
<iframe src="{base}/events/{event}" title="framed"></iframe></body></html>"""


async def test_another_site_gives_no_order_and_frames_nothing(redis_url: str, chromium: Chromium) -> None:
    """Even with a token that was stolen: where a form comes from counts as well."""
    async with a_scene(redis_url, _DATABASE) as scene:
        await in_trouble(scene)
        async with scene.served() as base:
            order = f"{base}/events/{EVENT_ID}/orders/freeze"
            token = scene.visitor.forms.token(scene.visitor.viewer or LOCAL)

            async def evil(request: Request) -> HTMLResponse:
                return HTMLResponse(_EVIL.format(base=base, order=order, token=token, event=EVENT_ID))

            async with serving(Starlette(routes=[Route("/", evil)]), "127.0.0.1", 0, "Another site", "") as port:
                page = await chromium.open(f"http://localhost:{port}/")
                assert await page.evaluate("document.images[0].naturalWidth") == 0, "nothing of it is embedded"
                framed = page.frames[1]
                assert "swoogo-sync" not in await framed.content()
                fetched = "fetch({!r}, {{mode: 'no-cors'}}).then(() => 'read', () => 'refused')"
                assert await page.evaluate(fetched.format(f"{base}/")) == "refused"
                async with page.expect_navigation():
                    await page.evaluate("document.forms[0].submit()")
                assert "did not come from a page of this console" in await page.inner_text("body")
                assert await scene.visitor.stores.orders.store.given(str(EVENT_ID)) == []
                await page.goto(f"http://localhost:{port}/")
                await page.click("a")
                assert await page.locator("h1").inner_text() == "Events"
            faults = " ".join(await chromium.close())
    assert "a request leaves the console" in faults
