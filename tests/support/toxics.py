"""What can be wrong with a connection, in Toxiproxy's words; `tests.support.proxy` applies it.

A toxic sees the chunks of one direction of every connection, in order: `UPSTREAM` is from the client to the server,
`DOWNSTREAM` back. It passes a chunk on (changed, late, or in pieces), or ends the connection. `hits` counts how often
it really did something, so that a test can show that its fault took place.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal

Match = Callable[[bytes], bool]
"""Whether a request (what a client sent since the last answer, in one or more chunks) is meant."""
Send = Callable[[bytes], Awaitable[None]]
"""Passes bytes on to the next toxic, or to the other side."""
End = Literal["reset", "close", "hang"]
"""RST; FIN after what was sent; or nothing at all: a caller waits until its own timeout."""


class Direction(Enum):
    """Of a byte stream, seen from the client."""

    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


UPSTREAM: Final = Direction.UPSTREAM
DOWNSTREAM: Final = Direction.DOWNSTREAM


class EndedError(Exception):
    """The connection is to end now, in this way."""

    def __init__(self, end: End) -> None:
        super().__init__(end)
        self.end = end


@dataclass(slots=True, eq=False)
class Connection:
    """What toxics know about one connection: the request that is open, and what they keep about it themselves."""

    request: bytes = b""
    answered: bool = True
    exchange: int = 0
    kept: dict[object, tuple[int, int]] = field(default_factory=dict)

    def sent(self, chunk: bytes) -> None:
        """The client sent something: a new request when the one before was answered, else more of the same."""
        if self.answered:
            self.request, self.answered, self.exchange = b"", False, self.exchange + 1
        self.request += chunk[: max(0, _REQUEST_KEPT - len(self.request))]

    def received(self) -> None:
        """The server answered; whatever the client sends next is another request."""
        self.answered = True


_REQUEST_KEPT: Final = 65_536


@dataclass(slots=True, eq=False, kw_only=True)
class Toxic:
    """Base of all. `match`: only for exchanges whose request fits; `times`: only so often, then it does nothing."""

    match: Match | bytes | None = None
    times: int | None = None
    hits: int = 0
    removed: asyncio.Event = field(default_factory=asyncio.Event)

    def wants(self, connection: Connection) -> bool:
        """Whether this exchange is meant, and it has not been enough yet."""
        if self.times is not None and self.hits >= self.times:
            return False
        if isinstance(self.match, bytes):
            return self.match in connection.request
        return self.match is None or self.match(connection.request)

    async def through(self, chunk: bytes, connection: Connection, send: Send) -> None:
        """What becomes of a chunk. Raises EndedError when the connection ends here."""
        await send(chunk)


@dataclass(slots=True, eq=False)
class Latency(Toxic):
    """Each chunk comes so many seconds later, give or take `jitter`. Chunks keep their order."""

    seconds: float
    jitter: float = 0.0
    seed: random.Random = field(default_factory=lambda: random.Random(0))

    async def through(self, chunk: bytes, connection: Connection, send: Send) -> None:
        """See `Toxic`."""
        if self.wants(connection):
            self.hits += 1
            await asyncio.sleep(max(0.0, self.seconds + self.seed.uniform(-self.jitter, self.jitter)))
        await send(chunk)


@dataclass(slots=True, eq=False)
class Slicer(Toxic):
    """Chunks come in pieces of `size` bytes, with `delay` seconds after each: a slow drip."""

    size: int
    delay: float = 0.0

    async def through(self, chunk: bytes, connection: Connection, send: Send) -> None:
        """See `Toxic`."""
        if not self.wants(connection):
            await send(chunk)
            return
        self.hits += 1
        for start in range(0, len(chunk), self.size):
            await send(chunk[start : start + self.size])
            await asyncio.sleep(self.delay)


@dataclass(slots=True, eq=False)
class Timeout(Toxic):
    """A black hole: nothing passes while it is there; held data goes on when it is removed, as TCP repeats it.

    `seconds` above 0: the connection is closed after that time.
    """

    seconds: float = 0.0

    async def through(self, chunk: bytes, connection: Connection, send: Send) -> None:
        """See `Toxic`."""
        if self.wants(connection):
            self.hits += 1
            try:
                async with asyncio.timeout(self.seconds or None):
                    await self.removed.wait()
            except TimeoutError:
                raise EndedError("close") from None
        await send(chunk)


@dataclass(slots=True, eq=False)
class ResetPeer(Toxic):
    """The connection is reset instead of passing a chunk. On `UPSTREAM` the server never sees the request."""

    end: End = "reset"

    async def through(self, chunk: bytes, connection: Connection, send: Send) -> None:
        """See `Toxic`."""
        if self.wants(connection):
            self.hits += 1
            raise EndedError(self.end)
        await send(chunk)


@dataclass(slots=True, eq=False)
class LimitData(Toxic):
    """Half an answer: of an exchange `size` bytes pass, then the connection ends."""

    size: int
    end: End = "close"

    async def through(self, chunk: bytes, connection: Connection, send: Send) -> None:
        """See `Toxic`."""
        exchange, passed = connection.kept.get(self, (0, 0))
        if exchange != connection.exchange:
            passed = 0
        if passed <= self.size and not self.wants(connection):
            await send(chunk)
            return
        connection.kept[self] = (connection.exchange, passed + len(chunk))
        if passed < self.size:
            await send(chunk[: self.size - passed])
        if passed + len(chunk) > self.size:
            self.hits += passed <= self.size
            raise EndedError(self.end)


@dataclass(slots=True, eq=False)
class DropReply(Toxic):
    """The request reaches the server and takes effect; its answer is swallowed, then the connection ends.

    `every`: of the exchanges that match, the n-th is hit (1: each). Counted over all connections.
    """

    every: int = 1
    end: End = "reset"
    _matched: int = 0

    async def through(self, chunk: bytes, connection: Connection, send: Send) -> None:
        """See `Toxic`."""
        exchange, dropped = connection.kept.get(self, (0, 0))
        if exchange != connection.exchange:
            dropped = 0
            if self.wants(connection):
                self._matched += 1
                dropped = int(self._matched % self.every == 0)
                self.hits += dropped
            connection.kept[self] = (connection.exchange, dropped)
        if dropped:
            raise EndedError(self.end)
        await send(chunk)
