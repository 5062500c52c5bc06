"""The fault proxy does what its words say; a fault that does not take place would prove nothing (G1-G6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import pytest

from tests.support.proxy import HOST, Proxy
from tests.support.toxics import (
    DOWNSTREAM,
    UPSTREAM,
    Connection,
    DropReply,
    Latency,
    LimitData,
    ResetPeer,
    Send,
    Slicer,
    Timeout,
    Toxic,
)
from tests.support.waiting import wait_until

SOON: Final = 20.0


@dataclass
class Echo:
    """A server that answers each line with the same line, and remembers what it was asked."""

    port: int = 0
    asked: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(ConnectionError):
            while line := await reader.readline():
                self.asked.append(line.strip())
                writer.write(line)
        writer.close()


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    served = Echo()
    server = await asyncio.start_server(served.serve, HOST, 0)
    served.port = server.sockets[0].getsockname()[1]
    yield served
    server.close()
    for writer in served.writers:
        writer.close()


@pytest.fixture
async def proxy(echo: Echo) -> AsyncIterator[Proxy]:
    async with Proxy(echo.port) as standing:
        yield standing


@dataclass
class Client:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, text: bytes) -> bytes:
        """The answer; b"" when the connection was closed."""
        self.writer.write(text + b"\n")
        return (await asyncio.wait_for(self.reader.readline(), SOON)).strip()


@dataclass(slots=True, eq=False)
class Recorder(Toxic):
    """Changes nothing; keeps what passes."""

    chunks: list[bytes] = field(default_factory=list)

    async def through(self, chunk: bytes, connection: Connection, send: Send) -> None:
        self.chunks.append(chunk)
        await send(chunk)


@asynccontextmanager
async def a_client(proxy: Proxy) -> AsyncIterator[Client]:
    client = Client(*await asyncio.open_connection(HOST, proxy.port))
    try:
        yield client
    finally:
        client.writer.close()


async def test_without_a_toxic_bytes_pass_both_ways_and_a_close_reaches_the_server(proxy: Proxy, echo: Echo) -> None:
    async with a_client(proxy) as client:
        assert await client.ask(b"hello") == b"hello"
        large = b"x" * 60_000
        assert await client.ask(large) == large
        client.writer.write_eof()
        assert await asyncio.wait_for(client.reader.read(), SOON) == b""
    await wait_until(lambda: proxy.open == 0, "the connection is gone", SOON)
    assert proxy.accepted == 1
    assert echo.asked == [b"hello", large]


async def test_latency_delays_each_direction_by_itself(proxy: Proxy) -> None:
    clock = asyncio.get_running_loop().time
    async with a_client(proxy) as client:
        for direction in (UPSTREAM, DOWNSTREAM):
            with proxy.having(Latency(0.15, jitter=0.05), direction) as toxic:
                started = clock()
                assert await client.ask(b"slow") == b"slow"
                assert clock() - started >= 0.09
                assert toxic.hits == 1


async def test_down_refuses_and_resets_and_up_is_on_the_same_port(proxy: Proxy) -> None:
    async with a_client(proxy) as client:
        await client.ask(b"hello")
        port = proxy.port
        await proxy.down()
        with pytest.raises(ConnectionResetError):
            await client.ask(b"gone")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)
    await proxy.up()
    assert proxy.port == port
    async with a_client(proxy) as client:
        assert await client.ask(b"back") == b"back"


async def test_reset_ends_what_is_open_and_welcomes_the_next(proxy: Proxy) -> None:
    async with a_client(proxy) as client, a_client(proxy) as other:
        await client.ask(b"hello")
        await other.ask(b"hello")
        await proxy.reset()
        for each in (client, other):
            with pytest.raises(ConnectionResetError):
                await each.ask(b"gone")
        async with a_client(proxy) as another:
            assert await another.ask(b"back") == b"back"


async def test_a_server_that_is_away_resets_who_comes(proxy: Proxy, echo: Echo) -> None:
    proxy.upstream = 1
    async with a_client(proxy) as client:
        with pytest.raises(ConnectionResetError):
            await client.ask(b"nobody")
    proxy.upstream = echo.port
    async with a_client(proxy) as client:
        assert await client.ask(b"back") == b"back"


async def test_a_black_hole_holds_everything_until_it_is_removed(proxy: Proxy, echo: Echo) -> None:
    async with a_client(proxy) as client:
        hole = proxy.add(Timeout(), UPSTREAM)
        asking = asyncio.create_task(client.ask(b"lost?"))
        await wait_until(lambda: hole.hits, "it is held", SOON)
        assert echo.asked == []
        assert not asking.done()
        proxy.clear()
        assert await asking == b"lost?"


async def test_a_timeout_closes_after_its_time(proxy: Proxy, echo: Echo) -> None:
    async with a_client(proxy) as client:
        proxy.add(Timeout(0.05))
        assert await client.ask(b"asked") == b""
        assert echo.asked == [b"asked"]


async def test_a_reset_before_the_request_hides_it_from_the_server(proxy: Proxy, echo: Echo) -> None:
    toxic = proxy.add(ResetPeer(match=b"secret", times=1), UPSTREAM)
    async with a_client(proxy) as client:
        assert await client.ask(b"hello") == b"hello"
        with pytest.raises(ConnectionResetError):
            await client.ask(b"secret")
    async with a_client(proxy) as client:
        assert await client.ask(b"secret again") == b"secret again"
    assert echo.asked == [b"hello", b"secret again"]
    assert toxic.hits == 1


@pytest.mark.rule("C1")
async def test_every_nth_answer_is_swallowed_though_the_server_did_its_work(proxy: Proxy, echo: Echo) -> None:
    """The trap of a client that repeats a command whose answer was lost."""
    toxic = proxy.add(DropReply(match=b"INCR", every=3))
    answers = []
    for number in range(9):
        async with a_client(proxy) as client:
            assert await client.ask(b"PING") == b"PING"
            try:
                answers.append(await client.ask(b"INCR %d" % number))
            except ConnectionResetError:
                answers.append(b"reset")
    assert [index for index, answer in enumerate(answers) if answer == b"reset"] == [2, 5, 8]
    assert [each for each in echo.asked if each != b"PING"] == [b"INCR %d" % number for number in range(9)]
    assert toxic.hits == 3


async def test_a_swallowed_answer_may_leave_the_connection_open(proxy: Proxy) -> None:
    proxy.add(DropReply(match=b"first", times=1, end="hang"))
    async with a_client(proxy) as client:
        client.writer.write(b"first\n")
        await wait_until(lambda: proxy.accepted, "connected", SOON)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(client.reader.readline(), 0.2)
        assert await client.ask(b"second") == b"second"


@pytest.mark.parametrize("end", ["close", "reset"])
async def test_half_an_answer_comes_and_then_the_connection_ends(proxy: Proxy, end: str) -> None:
    toxic = proxy.add(LimitData(4, end=end, times=1))  # type: ignore[arg-type]
    async with a_client(proxy) as client:
        client.writer.write(b"abcdefgh\n")
        if end == "close":
            assert await asyncio.wait_for(client.reader.read(), SOON) == b"abcd"
        else:
            with pytest.raises(ConnectionResetError):
                await asyncio.wait_for(client.reader.read(), SOON)
    async with a_client(proxy) as client:
        assert await client.ask(b"abcdefgh") == b"abcdefgh"
    assert toxic.hits == 1


async def test_a_limit_counts_each_answer_by_itself(proxy: Proxy) -> None:
    proxy.add(LimitData(6))
    async with a_client(proxy) as client:
        for _ in range(5):
            assert await client.ask(b"abcde") == b"abcde"
        assert await client.ask(b"abcdefgh") == b"abcdef"


async def test_a_slow_drip_comes_in_small_pieces(proxy: Proxy) -> None:
    proxy.add(Slicer(2, delay=0.01))
    passed = proxy.add(Recorder())
    async with a_client(proxy) as client:
        assert await client.ask(b"abcdefg") == b"abcdefg"
    assert passed.chunks == [b"ab", b"cd", b"ef", b"g\n"]


async def test_toxics_work_one_after_the_other(proxy: Proxy) -> None:
    proxy.add(Latency(0.02))
    proxy.add(LimitData(3))
    async with a_client(proxy) as client:
        assert await client.ask(b"abcdef") == b"abc"


async def test_a_proxy_that_ends_leaves_nothing_open(echo: Echo) -> None:
    async with Proxy(echo.port) as proxy:
        proxy.add(Timeout())
        async with a_client(proxy) as client:
            client.writer.write(b"held\n")
            await wait_until(lambda: echo.asked, "the server was asked", SOON)
            port = proxy.port
            await proxy.down()
            assert proxy.open == 0
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)
