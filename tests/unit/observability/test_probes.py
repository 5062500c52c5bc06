"""A small HTTP server of its own for probes and metrics, which no one can hold up or change."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from consumer.adapters import http_server
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints import health as command
from consumer.observability import probes as module
from consumer.observability.health import Health
from consumer.observability.probes import probes
from consumer.observability.registry import MetricRegistry
from consumer.settings import PREFIX, VARIABLES, HttpSettings


@dataclass
class Place:
    """A running server, and what it answers from."""

    health: Health
    http: httpx.AsyncClient
    port: int


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    meters = MetricRegistry()
    health = Health(meters)

    async def scrape() -> bytes:
        return meters.exposition()

    async with probes(HttpSettings(port=0), health, scrape) as port:
        assert port
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            yield Place(health, http, port)


async def test_each_probe_says_what_is_wrong(place: Place) -> None:
    answer = await place.http.get("/startupz")
    assert (answer.status_code, answer.text) == (503, "not fine\nstart: The service is still starting.\n")
    place.health.starting = False
    for path in ("/livez", "/readyz", "/startupz"):
        assert (await place.http.get(path)).status_code == 200
    place.health.add("live", "consumers", lambda: "The consumer of sessions is dead.")
    answer = await place.http.get("/livez")
    assert answer.status_code == 503
    assert "consumers: The consumer of sessions is dead." in answer.text
    assert (await place.http.get("/readyz")).status_code == 200


async def test_metrics_are_in_the_text_format(place: Place) -> None:
    answer = await place.http.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE swoogo_sync_changes_total counter" in answer.text
    head = await place.http.head("/metrics")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/livez/", 404),
        ("GET", "/docs", 404),
        ("POST", "/docs/try", 404),
        ("POST", "/livez", 405),
        ("DELETE", "/metrics", 405),
        ("OPTIONS", "/readyz", 405),
    ],
)
async def test_there_is_nothing_else(place: Place, method: str, path: str, status: int) -> None:
    answer = await place.http.request(method, path)
    assert answer.status_code == status
    assert "server" not in answer.headers
    if status == 405:
        assert answer.headers["allow"] == "GET, HEAD"


async def sent(port: int, request: bytes) -> bytes:
    """What comes back until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_head_without_an_end_is_refused(place: Place) -> None:
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000
    assert (await sent(place.port, head)).startswith(b"HTTP/1.1 4")


async def test_a_body_is_not_waited_for(place: Place) -> None:
    head = b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nabc"
    assert (await sent(place.port, head)).startswith(b"HTTP/1.1 200")


async def test_a_connection_that_says_nothing_ends(monkeypatch: pytest.MonkeyPatch, place: Place) -> None:
    monkeypatch.setattr(http_server, "CONNECTION_SECONDS", 0.1)
    assert await sent(place.port, b"GET /livez HTTP/1.1\r\n") == b""


def connected(port: int, count: int) -> list[socket.socket]:
    """Connections that say nothing."""
    return [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]


@pytest.mark.parametrize("first_bytes", [b"", b"GET /livez HTTP/1.1\r\n"])
async def test_probes_answer_beside_hundreds_of_silent_connections(place: Place, first_bytes: bytes) -> None:
    """Kubernetes restarts a pod whose /livez is refused."""
    place.health.starting = False
    with contextlib.ExitStack() as stack:
        for _ in range(5):
            for each in connected(place.port, 60):
                stack.enter_context(each).sendall(first_bytes)
            for path in ("/livez", "/readyz", "/metrics"):
                assert (await place.http.get(path)).status_code == 200


async def test_the_oldest_silent_connections_make_room(place: Place) -> None:
    """So that their number is bounded."""
    place.health.starting = False
    with contextlib.ExitStack() as stack:
        first = [stack.enter_context(each) for each in connected(place.port, 20)]
        assert (await place.http.get("/livez")).status_code == 200
        others = [stack.enter_context(each) for each in connected(place.port, http_server.CONNECTIONS)]
        assert (await place.http.get("/livez")).status_code == 200
        assert [ended(each) for each in first] == [True] * 20
        assert not any(ended(each) for each in others[20:])


def ended(each: socket.socket) -> bool:
    """Whether the server closed it."""
    each.setblocking(False)
    try:
        return each.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


async def test_switched_off_nothing_listens() -> None:
    async def scrape() -> bytes:
        return b""

    async with probes(HttpSettings(enabled=False), Health(MetricRegistry()), scrape) as port:
        assert port is None


async def test_an_address_that_is_taken_is_one_sentence() -> None:
    async def scrape() -> bytes:
        return b""

    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = taken.getsockname()[1]
        with pytest.raises(ConfigurationError, match=rf"127\.0\.0\.1:{number} \(Address already in use\); set SWOOGO_"):
            async with probes(HttpSettings(port=number), Health(MetricRegistry()), scrape):
                pass


async def test_the_health_command_asks_it_and_its_exit_code_tells(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """A container's health check needs no curl."""
    environment = {command.PORT: str(place.port), command.HOST: "0.0.0.0"}
    place.health.starting = False
    assert await asyncio.to_thread(command.ask, "ready", environment) == 0
    assert capsys.readouterr().out.startswith("fine\n")
    place.health.stopping = True
    assert await asyncio.to_thread(command.ask, "ready", environment) == 1
    assert "The service is being stopped." in capsys.readouterr().out


def test_the_health_command_says_when_nothing_answers(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        number = bound.getsockname()[1]
        assert command.ask("live", {command.PORT: str(number)}) == 1
    assert f"Nothing answers at http://127.0.0.1:{number}/livez" in capsys.readouterr().err
    assert command.ask("live", {command.ENABLED: "FALSE"}) == 1
    assert "switched off" in capsys.readouterr().err


def test_the_health_command_knows_the_settings_as_they_are() -> None:
    """It reads three variables without the settings, to start fast; they must not drift apart."""
    for name, default in command.DEFAULTS.items():
        assert str(VARIABLES[name].default).lower() == default
    assert {name.removeprefix(f"{PREFIX}HTTP__") for name in command.DEFAULTS} == {"ENABLED", "HOST", "PORT"}
    assert set(command.PATHS.values()) == set(module.ROUTES)
    assert command.address({command.HOST: "::"}) == "http://[::1]:8080"
