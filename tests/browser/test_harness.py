"""What is found on a page where everything is wrong: a harness that finds nothing would look like good pages."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from consumer.adapters.http_server import serving
from tests.support.browser import PHONE, Chromium, barriers, tab_stops, too_wide

BAD = """<!doctype html><html lang="en"><head><title>Bad</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="/missing.css"></head><body><main><h1>Bad</h1>
<img src="https://elsewhere.invalid/x.png"><script>console.log("inline")</script>
<p><a href="/a"><font color="#eee">pale</font></a></p><table width="700"><tr><td>wide</td></tr></table></main></body>"""
POLICY = "default-src 'none'; style-src 'self'; img-src https:"


async def test_every_kind_of_fault_is_found(chromium: Chromium) -> None:
    async def bad(request: Request) -> HTMLResponse:
        return HTMLResponse(BAD, headers={"content-security-policy": POLICY})

    async with serving(Starlette(routes=[Route("/", bad)]), "127.0.0.1", 0, "The bad page", "") as port:
        page = await chromium.open(f"http://127.0.0.1:{port}/", width=PHONE)
        found = " ".join(await barriers(page))
        assert all(rule in found for rule in ("color-contrast", "image-alt"))
        assert "px too wide" in (await too_wide(page))[0]
        assert [(stop.words, stop.href, stop.ring) for stop in await tab_stops(page)] == [("pale", "/a", True)]
        faults = " ".join(await chromium.close())
    assert all(part in faults for part in ("Content Security Policy", "elsewhere.invalid", "404"))
