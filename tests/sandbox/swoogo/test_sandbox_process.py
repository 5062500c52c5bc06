"""`python -m sandbox.swoogo` as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.swoogo.__main__ import main
from tests.sandbox.swoogo.calls import Caller


async def start(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    """The process and its address, once it has said that it listens."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.swoogo", "--port", "0", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    return process, line.rpartition(" ")[2].strip()


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A running sandbox; it has to end by itself, silently, on SIGTERM."""
    process, address = await start(
        *("--credential", "key:s:t", "--switch", "create_status=200", "--limit", "500", "--latency", "1")
    )
    yield address
    process.send_signal(signal.SIGTERM)
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_it_serves_with_what_the_command_line_says(address: str) -> None:
    assert address.startswith("http://127.0.0.1:")
    async with httpx.AsyncClient(base_url=address) as client:
        await client.post("/_control/seed", json={"events": [{"id": 12, "name": "E"}]})
        answer = await Caller(client, "key", "s:t").create("sessions", event_id=12, name="A")
        assert (answer.status_code, answer.headers["X-Rate-Limit-Limit"]) == (200, "500")
        assert "server" not in answer.headers or answer.headers["server"] == "uvicorn"
        settings = (await client.get("/_control/settings")).json()
        assert settings["latency_ms"] == 1


@pytest.mark.parametrize(("when", "left"), [("before", 0), ("after", 1)])
async def test_a_drop_closes_the_socket_without_an_answer(address: str, when: str, left: int) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        await client.post("/_control/seed", json={"events": [{"id": 12, "name": "E"}]})
        await client.post("/_control/faults", json=[{"match": {"path": "/tracks/create"}, "do": {"drop": when}}])
        caller = Caller(client, "key", "s:t")
        with pytest.raises(httpx.TransportError):
            await caller.create("tracks", event_id=12, name="Data")
        assert len((await client.get("/_control/state")).json()["tracks"]) == left
        assert (await caller.create("tracks", event_id=12, name="Next")).status_code == 200


async def test_a_hang_ends_with_the_client(address: str) -> None:
    async with httpx.AsyncClient(base_url=address) as client:
        await client.post(
            "/_control/faults", json=[{"match": {"path": "/events"}, "do": {"hang": True}, "times": None}]
        )
        caller = Caller(client, "key", "s:t")
        with pytest.raises(httpx.ReadTimeout):
            await caller.call("GET", "/events", timeout=0.1)


async def test_a_hang_does_not_hold_up_the_end() -> None:
    process, address = await start("--credential", "key:s")
    async with httpx.AsyncClient(base_url=address, timeout=30) as client:
        await client.post("/_control/faults", json=[{"match": {"path": "/events"}, "do": {"hang": True}}])
        hanging = asyncio.create_task(Caller(client, "key", "s").get("/events"))
        while not (await client.get("/_control/faults")).json()[0]["hits"]:
            continue
        process.send_signal(signal.SIGTERM)
        with pytest.raises(httpx.TransportError):
            await hanging
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")


async def test_a_port_that_is_taken_is_said(address: str) -> None:
    process, _ = await start("--port", address.rpartition(":")[2])
    _, err = await process.communicate()
    assert (process.returncode, b"cannot listen" in err) == (1, True)


async def test_ctrl_c_is_a_clean_end() -> None:
    process, _ = await start()
    process.send_signal(signal.SIGINT)
    out, err = await process.communicate()
    assert (process.returncode, out, err) == (0, b"", b"")


@pytest.mark.parametrize("arguments", [["--switch", "nonsense=1"], ["--switch", "html"], ["--credential", "key"]])
def test_a_wrong_command_line_is_refused(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--port", "0", *arguments]) == 2
    assert capsys.readouterr().err
