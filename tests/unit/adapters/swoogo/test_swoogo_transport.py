"""One exchange over real sockets: what counts as sent, and what ends it (swoogo-api.md 11.2)."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpx
import pytest

from consumer.adapters.swoogo.transport import FORM, Answer, NoAnswerError, Transport
from consumer.settings import SwoogoSettings

pytestmark = pytest.mark.rule("G2")

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@asynccontextmanager
async def a_server(serve: Serve) -> AsyncIterator[int]:
    """A server on loopback that treats each connection so; gives its port."""
    writers: list[asyncio.StreamWriter] = []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await serve(reader, writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


@asynccontextmanager
async def a_channel(port: int, **settings: Any) -> AsyncIterator[Transport]:
    channel = Transport(SwoogoSettings(base_url=f"http://127.0.0.1:{port}/api/v1", **settings))
    try:
        yield channel
    finally:
        await channel.aclose()


async def post(channel: Transport) -> Answer:
    return await channel.exchange("POST", "/x", b"Bearer t", b"a=1", FORM)


async def request(reader: asyncio.StreamReader) -> bytes:
    """The head of a request with the body of `post`."""
    head = await reader.readuntil(b"\r\n\r\n")
    if b"content-length: 3" in head:
        assert await reader.readexactly(3) == b"a=1"
    return head


async def test_a_request_is_whole_and_says_what_it_accepts() -> None:
    heads: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            heads.append(await request(reader))
            writer.write(OK + b"content-length: 2\r\n\r\n{}")

    async with a_server(serve) as port, a_channel(port) as channel:
        assert (await post(channel)).json() == {}
        await channel.exchange("GET", "/y?fields=id,name", b"Bearer t")
        await channel.exchange("DELETE", "/z", b"Bearer t")
    assert heads[0].startswith(b"POST /api/v1/x HTTP/1.1\r\n")
    assert f"host: 127.0.0.1:{port}\r\n".encode() in heads[0].lower()
    assert b"accept-encoding: identity\r\n" in heads[0].lower()
    assert heads[1].startswith(b"GET /api/v1/y?fields=id,name HTTP/1.1\r\n")
    assert heads[2].startswith(b"DELETE /api/v1/z HTTP/1.1\r\n")


async def test_a_refused_connection_was_never_sent() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    async with a_channel(port) as channel:
        with pytest.raises(NoAnswerError, match="could not be reached") as caught:
            await post(channel)
    assert not caught.value.sent
    assert caught.value.blip


async def closes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.close()


async def answers_half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(OK + b"content-length: 100\r\n\r\n{")
    writer.close()


async def talks_nonsense(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"SSH-2.0-x\r\n\r\n")
    await reader.read()


@pytest.mark.parametrize("serve", [closes, answers_half, talks_nonsense])
async def test_a_connection_that_breaks_after_the_call_may_have_brought_it(serve: Serve) -> None:
    async with a_server(serve) as port, a_channel(port) as channel:
        with pytest.raises(NoAnswerError) as caught:
            await post(channel)
    assert caught.value.sent
    assert caught.value.blip


async def hangs(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read()


async def drips(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(OK + b"content-length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("serve", [hangs, drips])
@pytest.mark.parametrize(("read", "deadline"), [(20.0, 0.5), (0.3, 0.6)])
async def test_the_deadline_holds_although_bytes_keep_coming(
    serve: Serve, read: float, deadline: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time between two bytes is bounded by the read timeout, the whole by the deadline."""
    monkeypatch.setattr("consumer.adapters.swoogo.transport.READ_SECONDS", read)
    async with a_server(serve) as port, a_channel(port, deadline=deadline) as channel:
        with pytest.raises(NoAnswerError, match="did not answer") as caught:
            await post(channel)
    assert caught.value.sent
    assert not caught.value.blip


class Queue(httpx.AsyncBaseTransport):
    """Where no connection ever comes free."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError


async def test_what_waits_for_a_connection_was_never_sent() -> None:
    """A create that ran out of time before its turn has not happened."""
    channel = Transport(SwoogoSettings(deadline=0.5), Queue())
    with pytest.raises(NoAnswerError, match="did not answer") as caught:
        await post(channel)
    assert not caught.value.sent
    await channel.aclose()


async def test_a_compressed_answer_is_bounded_by_what_it_unpacks_to() -> None:
    packed = gzip.compress(b"0" * 5_000_000)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed)
        await reader.read()

    async with a_server(serve) as port, a_channel(port, max_answer_bytes=100_000) as channel:
        with pytest.raises(NoAnswerError, match="larger than 100000 bytes") as caught:
            await post(channel)
    assert caught.value.sent


async def test_a_connection_is_used_again() -> None:
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        while True:
            await request(reader)
            writer.write(OK + b"content-length: 2\r\n\r\n{}")

    async with a_server(serve) as port, a_channel(port) as channel:
        for _ in range(5):
            await post(channel)
    assert connections == 1


async def test_an_environment_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """The credential goes to the configured address and nowhere else."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(OK + b"content-length: 2\r\n\r\n{}")

    async with a_server(serve) as port, a_channel(port) as channel:
        assert (await post(channel)).status == 200
