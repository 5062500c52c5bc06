"""A TCP proxy on loopback that breaks connections on request, in Toxiproxy's words.

    async with Proxy(server_port) as proxy:
        client = connect(proxy.port)
        proxy.add(DropReply(match=b"EVALSHA", every=3), DOWNSTREAM)
        with proxy.having(Latency(0.05, jitter=0.02), DOWNSTREAM):
            ...
        await proxy.down()      # connections are refused, those that are open are reset
        await proxy.up()        # on the same port again

Everything can be switched while connections are open. What can be wrong is in `tests.support.toxics`, from where a
direction and the toxics come. A Kafka broker tells clients its own address: start `EmbeddedKafka(advertised=
proxy.port)` and point the proxy at `kafka.behind`, see there.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self, TypeVar

from tests.support.toxics import DOWNSTREAM, UPSTREAM, Connection, Direction, EndedError, Toxic

T = TypeVar("T", bound=Toxic)

HOST: Final = "127.0.0.1"
_CHUNK: Final = 65_536
_RESET: Final = struct.pack("ii", 1, 0)


@dataclass(slots=True, eq=False)
class _Link:
    """One client, its own connection to the server, and the tasks that carry bytes between them."""

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    connection: Connection = field(default_factory=Connection)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def reset(self) -> None:
        """RST to both sides; nothing that is still buffered arrives."""
        for writer in (self.client, self.server):
            raw = writer.get_extra_info("socket")
            if raw is not None and not writer.transport.is_closing():
                with contextlib.suppress(OSError):
                    raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()

    def close(self) -> None:
        """FIN to both sides, after what was written."""
        for writer in (self.client, self.server):
            writer.close()


@dataclass(slots=True, eq=False)
class Proxy:
    """Stands between clients and one server on loopback. `upstream` may be set, or changed, at any time.

    `accepted` counts connections since the start.
    """

    upstream: int = 0
    port: int = 0
    accepted: int = 0
    _toxics: dict[Direction, list[Toxic]] = field(default_factory=lambda: {UPSTREAM: [], DOWNSTREAM: []})
    _links: set[_Link] = field(default_factory=set)
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def up(self) -> None:
        """Accept connections, on the port of the last time."""
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self.port, limit=_CHUNK)
            self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """Refuse new connections and reset those that are open: the server is gone."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self.reset()

    async def reset(self) -> None:
        """Reset every connection that is open now; new ones are welcome."""
        links = list(self._links)
        for link in links:
            link.reset()
        tasks = [task for link in links for task in link.tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def add(self, toxic: T, direction: Direction = DOWNSTREAM) -> T:
        """From the next chunk on; the answer is the toxic, whose `hits` can be looked at."""
        self._toxics[direction].append(toxic)
        return toxic

    def remove(self, toxic: Toxic) -> None:
        """From the next chunk on; what it held goes on its way."""
        for toxics in self._toxics.values():
            if toxic in toxics:
                toxics.remove(toxic)
        toxic.removed.set()

    def clear(self) -> None:
        """Remove every toxic."""
        for toxic in [each for toxics in self._toxics.values() for each in toxics]:
            self.remove(toxic)

    @contextlib.contextmanager
    def having(self, toxic: T, direction: Direction = DOWNSTREAM) -> Iterator[T]:
        """A toxic for a while."""
        self.add(toxic, direction)
        try:
            yield toxic
        finally:
            self.remove(toxic)

    @property
    def open(self) -> int:
        """Connections that are open now."""
        return len(self._links)

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
        await self.down()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        # A plain function, so that the tasks are ours to wait for, not asyncio's to complain about.
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            behind, server = await asyncio.open_connection(HOST, self.upstream, limit=_CHUNK)
        except OSError:
            # A server that is down refuses; a proxy can only accept and reset.
            _Link(writer, writer).reset()
            return
        link = _Link(writer, server)
        if self._server is None:
            link.reset()
            return
        link.tasks = [
            asyncio.create_task(self._pump(reader, server, link, UPSTREAM)),
            asyncio.create_task(self._pump(behind, writer, link, DOWNSTREAM)),
        ]
        self._links.add(link)
        try:
            # One side that ended its stream does not end the other: a half-closed connection is in order.
            await asyncio.gather(*link.tasks, return_exceptions=True)
        finally:
            self._links.discard(link)
            link.close()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, link: _Link, direction: Direction
    ) -> None:
        try:
            while chunk := await reader.read(_CHUNK):
                if direction is UPSTREAM:
                    link.connection.sent(chunk)
                else:
                    link.connection.received()
                try:
                    await self._carry(chunk, writer, link.connection, self._toxics[direction][:])
                except EndedError as ended:
                    if ended.end == "hang":
                        continue
                    link.reset() if ended.end == "reset" else link.close()
                    self._cancel_others(link)
                    return
            writer.write_eof()
        except (OSError, RuntimeError):
            # One side is gone in the middle of something: so is the other.
            link.reset()
            self._cancel_others(link)

    async def _carry(
        self, chunk: bytes, writer: asyncio.StreamWriter, connection: Connection, toxics: Sequence[Toxic]
    ) -> None:
        """Through the toxics one after the other, then to the other side."""
        if not toxics:
            writer.write(chunk)
            await writer.drain()
            return

        async def send(piece: bytes) -> None:
            await self._carry(piece, writer, connection, toxics[1:])

        await toxics[0].through(chunk, connection, send)

    @staticmethod
    def _cancel_others(link: _Link) -> None:
        for task in link.tasks:
            if task is not asyncio.current_task():
                task.cancel()
