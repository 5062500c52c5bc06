"""The small HTTP server of a process: `/livez`, `/readyz`, `/startupz`, `/metrics`, and nothing else.

It only reads, and no bodies. Heads and connections are bounded by `adapters.http_server`, what is asked of Redis and
Kafka by `sources`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog

from consumer.adapters.http_server import serving
from consumer.observability.health import Health, Probe
from consumer.observability.registry import CONTENT_TYPE
from consumer.settings import PREFIX, HttpSettings

ROUTES: Final[dict[str, Probe]] = {"/livez": "live", "/readyz": "ready", "/startupz": "startup"}
METRICS: Final = "/metrics"
_TEXT: Final = "text/plain; charset=utf-8"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger("probes")


class Probes:
    def __init__(self, health: Health, scrape: Callable[[], Awaitable[bytes]]) -> None:
        """Answer from `health`; `scrape` gives what Prometheus reads."""
        self._health = health
        self._scrape = scrape

    async def __call__(self, scope: Scope, _: Receive, send: Send) -> None:
        status, kind, body = await self._answer(scope["method"], scope["path"])
        headers = [
            (b"content-type", kind.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
        ]
        if status == 405:
            headers.append((b"allow", b"GET, HEAD"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    async def _answer(self, method: str, path: str) -> tuple[int, str, bytes]:
        probe = ROUTES.get(path)
        if probe is None and path != METRICS:
            return 404, _TEXT, f"There is {', '.join(ROUTES)} and {METRICS}.\n".encode()
        if method not in {"GET", "HEAD"}:
            return 405, _TEXT, b"Only GET and HEAD.\n"
        if probe is None:
            return 200, CONTENT_TYPE, await self._scrape()
        report = await self._health.ask(probe)
        return 200 if report.fine else 503, _TEXT, report.text.encode()


@asynccontextmanager
async def probes(
    settings: HttpSettings, health: Health, scrape: Callable[[], Awaitable[bytes]]
) -> AsyncIterator[int | None]:
    """Serve while the block runs; gives the port, or None when they are switched off.

    Raises ConfigurationError when the address cannot be had.
    """
    if not settings.enabled:
        yield None
        return
    advice = (
        f"set {PREFIX}HTTP__HOST and {PREFIX}HTTP__PORT to an address that is free, or {PREFIX}HTTP__ENABLED=false."
    )
    app = Probes(health, scrape)
    async with serving(app, settings.host, settings.port, "Probes and metrics", advice) as port:
        log.info("probes.listening", host=settings.host, port=port)
        yield port
