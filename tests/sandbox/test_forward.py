"""The port of the console in containers: what comes from outside arrives from this machine."""

from __future__ import annotations

import asyncio

import httpx

from consumer.adapters.http_server import serving
from consumer.entrypoints.console.security import Secured
from consumer.settings import ConsoleSettings
from sandbox.demo.forward import forward


async def test_a_request_is_passed_on_as_one_from_this_machine() -> None:
    clients = []

    async def app(scope: dict[str, object], receive: object, send: object) -> None:
        clients.append(scope["client"])
        await send({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[operator]
        await send({"type": "http.response.body", "body": b"page"})  # type: ignore[operator]

    async with serving(Secured(app, ConsoleSettings()), "127.0.0.1", 0, "", "") as target:  # type: ignore[arg-type]
        server = await forward(0, target, "127.0.0.1")
        async with server, httpx.AsyncClient() as client:
            port = server.sockets[0].getsockname()[1]
            assert (await client.get(f"http://localhost:{port}/")).text == "page"
    assert [str(client[0]) for client in clients] == ["127.0.0.1"]  # type: ignore[index]


async def test_a_console_that_is_not_there_ends_the_connection() -> None:
    server = await forward(0, 1, "127.0.0.1")
    async with server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        assert await reader.read() == b""
        writer.close()
