"""A real Chromium, and what must hold of every page it shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, async_playwright

from tests.support import tools

DESK: Final = 1280
PHONE: Final = 360
_FLAGS: Final = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_SERIOUS: Final = frozenset({"serious", "critical"})

# What sticks out of the window, but for what scrolls by itself and says so by being focusable.
_TOO_WIDE: Final = """() => {
  const box = (e) => e.tabIndex >= 0 && /auto|scroll/.test(getComputedStyle(e).overflowX);
  const scrolls = (e) => e && (box(e) || scrolls(e.parentElement));
  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide <= 0) return [];
  const out = (e) => e.getBoundingClientRect().right > innerWidth + 1 && !scrolls(e);
  const found = [...document.querySelectorAll("body *")].filter(out);
  return [`${wide} px too wide`, ...found.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];
}"""

# The element that has the focus: its words, and whether it, its parent or a part of it looks other than without.
_FOCUSED: Final = """() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const drawn = ["outline", "boxShadow", "stroke", "strokeWidth", "borderColor", "textDecorationLine"];
  const style = (x) => drawn.map((name) => getComputedStyle(x)[name]);
  const look = () => JSON.stringify([e.parentElement, e, ...e.children].map(style));
  const focused = look(), box = e.getBoundingClientRect();
  e.blur();
  const ring = look() !== focused;
  e.focus({ focusVisible: true, preventScroll: true });
  const seen = box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight;
  const said = e.getAttribute("aria-label") || e.innerText || e.textContent || e.getAttribute("name") || "";
  const words = said.trim().replace(/\\s+/g, " ").slice(0, 80);
  return { tag: e.localName, words, href: e.getAttribute("href") || "", ring, seen };
}"""


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the Tab key. `ring`: it is drawn as focused; `seen`: within the window."""

    tag: str
    words: str
    href: str
    ring: bool
    seen: bool


@dataclass
class Chromium:
    """Opens pages, each in a context of its own. `faults`: what they did that no page may."""

    browser: Browser
    faults: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    _open: list[BrowserContext] = field(default_factory=list)

    async def open(
        self, address: str, *, width: int = DESK, dark: bool = False, scripts: bool = True, height: int = 800
    ) -> Page:
        """A page that has been loaded, on a window of `width` x `height` px."""
        context = await self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            reduced_motion="reduce",
            locale="en-GB",
            timezone_id="UTC",
        )
        context.set_default_timeout(10_000)
        self._open.append(context)
        page = await context.new_page()
        origin = "/".join(address.split("/")[:3])
        page.on("console", self._said)
        page.on("pageerror", lambda error: self.faults.append(f"error on {page.url}: {error}"))
        page.on("request", lambda request: self._asked(request, origin))
        await page.goto(address)
        return page

    async def close(self) -> list[str]:
        """Close all pages; what they did that no page may, without what was expected."""
        for context in self._open:
            await context.close()
        self._open.clear()
        found, self.faults = self.faults, []
        expected, self.expected = tuple(self.expected), []
        return [fault for fault in found if not any(part in fault for part in expected)]

    def _said(self, message: ConsoleMessage) -> None:
        # A violation of the policy is among these. Only a test ends a console under a page that refreshes itself.
        if message.type in {"error", "warning"} and "ERR_CONNECTION_REFUSED" not in message.text:
            self.faults.append(f"{message.type} on the browser's console: {message.text}")

    def _asked(self, request: Request, origin: str) -> None:
        if not request.url.startswith(f"{origin}/"):
            self.faults.append(f"a request leaves the console: {request.url[:120]}")


@asynccontextmanager
async def a_chromium() -> AsyncIterator[Chromium]:
    """The browser, headless. Raises MissingServiceError."""
    path = str(tools.chromium())
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=[*_FLAGS], chromium_sandbox=False)
        try:
            yield Chromium(browser)
        finally:
            await browser.close()


async def barriers(page: Page, only: Sequence[str] = ()) -> list[str]:
    """What axe finds that keeps people out, each as one line; by all rules, or these. Raises MissingServiceError."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(tools.axe().read_text())
    options = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": list(only)} if only else {})
    found = await page.evaluate("options => axe.run(document, options)", options)
    return [_line(each, node) for each in found["violations"] if each["impact"] in _SERIOUS for node in each["nodes"]]


def _line(violation: Any, node: Any) -> str:
    why = " ".join(str(node.get("failureSummary", "")).split())
    return f"{violation['impact']} {violation['id']}: {node['html'][:160]} {why[:240]}"


async def too_wide(page: Page) -> list[str]:
    """Why the page scrolls sideways; nothing where it does not."""
    found: list[str] = await page.evaluate(_TOO_WIDE)
    return found


async def tab_stops(page: Page, most: int = 400) -> list[Stop]:
    """Every stop of the Tab key from the top of the page, until the focus leaves it."""
    stops: list[Stop] = []
    while len(stops) < most:
        await page.keyboard.press("Tab")
        focused = await page.evaluate(_FOCUSED)
        if focused is None:
            return stops
        stops.append(Stop(**focused))
    raise AssertionError(f"more than {most} stops")


async def text(page: Page) -> str:
    """The words of the page as they are seen, with single spaces."""
    return " ".join((await page.locator("body").inner_text()).split())
