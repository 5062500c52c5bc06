"""What every request must be like, and what every answer carries, whichever page it is about (K3, K4).

The host is ours, so that no other name can be pointed at this machine; a page of another site neither embeds nor
scripts this one; an order comes from a page of ours; nothing is larger or slower than a form needs.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from consumer.domain.records.text import masked
from consumer.settings import ConsoleSettings
from consumer.settings.console import loopback

BODY_BYTES: Final = 65_536
REQUEST_SECONDS: Final = 10.0
_LONGEST: Final = 2_048
_METHODS: Final = {"GET", "HEAD", "POST"}
_FORM: Final = "application/x-www-form-urlencoded"
_HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # With `no-referrer` browsers send forms with `Origin: null`, which could be anyone's.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "vary": "Sec-Fetch-Site, Sec-Fetch-Dest",
}

log = structlog.get_logger("console")


class Secured:
    """The application behind these checks. Refusals here are one line of text: no page is drawn for them."""

    def __init__(self, app: ASGIApp, settings: ConsoleSettings) -> None:
        self._app = app
        self._public = urlsplit(settings.public_url) if settings.oidc.on else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began, status = time.monotonic(), 0
        scope["state"] = {}

        async def secured(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers: Any = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers[name] = value
                headers["cache-control"] = "no-cache" if scope["path"].startswith("/static/") else "no-store"
            await send(message)

        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                self._require_ours(scope)
                body = await _whole(scope, receive)
                await self._app(scope, _again(body, receive), secured)
        except HTTPException as refused:
            answer = PlainTextResponse(refused.detail, refused.status_code, headers={"connection": "close"})
            await answer(scope, receive, secured)
        except TimeoutError:
            if not status:
                answer = PlainTextResponse("This took too long.", 503, headers={"connection": "close"})
                await answer(scope, receive, secured)
        finally:
            _tell(scope, status, time.monotonic() - began)

    def _require_ours(self, scope: Scope) -> None:
        """Raises HTTPException."""
        headers = Headers(scope=scope)
        if scope["method"] not in _METHODS:
            raise HTTPException(405, "This address takes no such request.")
        path = scope["path"]
        if len(path) + len(scope["query_string"]) > _LONGEST:
            raise HTTPException(414, "This address is too long.")
        if not path.isprintable():
            raise HTTPException(400, "This address is none of the console's.")
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._is_ours(hosts[0]):
            raise HTTPException(421, "This console does not answer under this name.")
        if scope["method"] == "POST":
            self._require_from_here(headers, hosts[0])
        elif headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not _is_followed(headers):
            raise HTTPException(403, "Pages of another site may link here, and no more.")

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name == self._public.hostname if self._public else loopback(name)

    def _require_from_here(self, headers: Headers, host: str) -> None:
        """Each browser says where a form comes from, by one header or the other. Raises HTTPException."""
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        ours = f"{self._public.scheme}://{self._public.netloc}" if self._public else f"http://{host}"
        if (site, origin) == (None, None) or site not in {None, "same-origin"} or origin not in {None, ours}:
            raise HTTPException(403, "This form did not come from a page of this console.")
        if headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
            raise HTTPException(415, "Only forms are taken here.")


def _is_followed(headers: Headers) -> bool:
    """Whether a link was followed, rather than a page embedded or read by another."""
    return (headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")) == ("navigate", "document")


async def _whole(scope: Scope, receive: Receive) -> bytes:
    """The body of a form, read before anything else happens. Raises HTTPException."""
    if scope["method"] != "POST":
        return b""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise HTTPException(400, "The form broke off.")
        body += message.get("body", b"")
        if len(body) > BODY_BYTES:
            raise HTTPException(413, "This form is too large.")
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """Gives the body once more; then what the connection says."""
    given = False

    async def once() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return once


def _tell(scope: Scope, status: int, seconds: float) -> None:
    """One line a request: which page, for whom, and how it went; no address, no query, no token."""
    state = scope["state"]
    noted = scope["method"] == "POST" or status >= 400 or not status
    (log.info if noted else log.debug)(
        "console.request",
        method=scope["method"] if scope["method"] in _METHODS else "other",
        route=state.get("route", ""),
        status=status,
        ms=round(seconds * 1000),
        actor=masked(state.get("actor", "")),
        **({"reason": state["reason"]} if "reason" in state else {}),
    )
