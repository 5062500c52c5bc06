"""The small HTTP server of a process: `/livez`, `/readyz`, `/startupz`, `/metrics`, and nothing else.

It only reads. Each connection serves one request and lives a few seconds at most, heads are bounded and bodies are not
read. Connections are bounded by closing the oldest one, never by refusing the newest: a probe is answered however many
others are open and silent. What is asked of Redis and Kafka is bounded by `sources`.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, MutableMapping
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from consumer.domain.errors import ConfigurationError
from consumer.observability.health import Health, Probe
from consumer.observability.registry import CONTENT_TYPE
from consumer.settings import PREFIX, HttpSettings

ROUTES: Final[dict[str, Probe]] = {"/livez": "live", "/readyz": "ready", "/startupz": "startup"}
METRICS: Final = "/metrics"
_TEXT: Final = "text/plain; charset=utf-8"
_HEAD_BYTES: Final = 8_192
_CONNECTIONS: Final = 100
_CONNECTION_SECONDS: Final = 15.0

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

log = structlog.get_logger("probes")


class Probes:
    """The ASGI application."""

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


class _Connection(H11Protocol):
    """One that ends by itself: uvicorn waits for the head of a request for ever.

    Past the bound, the oldest makes room. A probe takes milliseconds, so the oldest is one that says nothing; uvicorn's
    own bound would answer the newest with 503, and Kubernetes would restart a healthy pod.
    """

    def connection_made(self, transport: Any) -> None:
        """Begin the time it has."""
        super().connection_made(transport)
        self._began = time.monotonic()
        self._end = asyncio.get_running_loop().call_later(_CONNECTION_SECONDS, transport.abort)
        if len(self.connections) > _CONNECTIONS:
            oldest = min((each for each in self.connections if isinstance(each, _Connection)), key=_Connection.began)
            # uvicorn forgets it only once the loop comes round; several may be accepted before that.
            self.connections.discard(oldest)
            oldest.transport.abort()

    def began(self) -> float:
        """When it was accepted, seconds."""
        return self._began

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """Without uvicorn's signal handling: signals are the service's own business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


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
    config = uvicorn.Config(
        Probes(health, scrape),
        http=_Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=_HEAD_BYTES,
        timeout_graceful_shutdown=1,
    )
    with _listener(settings) as listener:
        port = int(listener.getsockname()[1])
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="probes")
        log.info("probes.listening", host=settings.host, port=port)
        try:
            yield port
        finally:
            server.should_exit = True
            await asyncio.gather(serving, return_exceptions=True)


def _listener(settings: HttpSettings) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With its protocol named: asyncio sets TCP_NODELAY on such sockets only.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_CONNECTIONS)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"Probes and metrics cannot be served on {settings.host}:{settings.port} ({error.strerror or error}); set "
            f"{PREFIX}HTTP__HOST and {PREFIX}HTTP__PORT to an address that is free, or {PREFIX}HTTP__ENABLED=false."
        ) from None
    return listener
