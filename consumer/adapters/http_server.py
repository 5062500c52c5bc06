"""A small HTTP server on uvicorn for an ASGI application: a connection serves one request and lives some seconds.

Connections are bounded by closing the oldest one, never by refusing the newest: a request that takes milliseconds is
answered however many others are open and silent.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from consumer.domain.errors import ConfigurationError

HEAD_BYTES: Final = 8_192
HEAD_SECONDS: Final = 10.0
CONNECTIONS: Final = 100
CONNECTION_SECONDS: Final = 15.0


class _Connection(H11Protocol):
    """One that ends by itself: uvicorn waits for the head of a request for ever.

    Past the bound, the oldest makes room: it is one that says nothing. uvicorn's own bound would answer the newest with
    503, and Kubernetes would restart a healthy pod.
    """

    most, lifetime = CONNECTIONS, CONNECTION_SECONDS
    _head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._began = time.monotonic()
        self._end = asyncio.get_running_loop().call_later(self.lifetime, transport.abort)
        if len(self.connections) > self.most:
            oldest = min((each for each in self.connections if isinstance(each, _Connection)), key=_Connection.began)
            # uvicorn forgets it only once the loop comes round; several may be accepted before that.
            self.connections.discard(oldest)
            oldest.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take it; a head that has begun has its own time, so that a connection that is kept cannot sit on one."""
        super().data_received(data)
        busy = bool(self.cycle) and not self.cycle.response_complete
        if busy and self._head:
            self._head.cancel()
            self._head = None
        elif not busy and not self._head:
            self._head = asyncio.get_running_loop().call_later(HEAD_SECONDS, self.transport.abort)

    def began(self) -> float:
        """When it was accepted, seconds."""
        return self._began

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        if self._head:
            self._head.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """Without uvicorn's signal handling: signals are the service's own business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave them alone."""
        yield


@asynccontextmanager
async def serving(
    app: Any,
    host: str,
    port: int,
    what: str,
    advice: str,
    *,
    connections: int = CONNECTIONS,
    seconds: float = CONNECTION_SECONDS,
    head_bytes: int = HEAD_BYTES,
) -> AsyncIterator[int]:
    """Serve while the block runs; gives the port.

    Args:
        app: the ASGI application.
        host: address to listen on.
        port: 0 for any free one.
        what: is served, for sentences: `Probes and metrics`.
        advice: what to set when the address cannot be had.
        connections: how many may be open; the oldest makes room.
        seconds: how long one lives.
        head_bytes: the longest head of a request.

    Raises ConfigurationError when it cannot.
    """
    config = uvicorn.Config(
        app,
        http=type("Connection", (_Connection,), {"most": connections, "lifetime": seconds}),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=head_bytes,
        timeout_graceful_shutdown=1,
    )
    with _listener(host, port, what, advice) as listener:
        server = _Server(config)
        running = asyncio.create_task(server.serve(sockets=[listener]), name=what)
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            await asyncio.gather(running, return_exceptions=True)


def _listener(host: str, port: int, what: str, advice: str) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        # With its protocol named: asyncio sets TCP_NODELAY on such sockets only.
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(CONNECTIONS)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise ConfigurationError(
            f"{what} cannot be served on {host}:{port} ({error.strerror or error}); {advice}"
        ) from None
    return listener
