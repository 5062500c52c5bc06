"""`swoogo-sync demo`, as a person runs it."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

_COMMAND = (sys.executable, "-m", "consumer.entrypoints.cli", "demo", "--json")


async def start(*options: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *_COMMAND, *options, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )


async def test_the_demo_ends_exactly_right() -> None:
    """The whole story: exit code 0, nothing doubled or refused, credits within 1.05 of the least possible."""
    process = await start()
    out, _ = await process.communicate()
    outcome = json.loads(out)
    assert [each["differences"] for each in outcome["chapters"] if each["differences"]] == []
    assert (process.returncode, outcome["exact"]) == (0, True)
    assert (outcome["duplicates"], outcome["refused_429"]) == (0, 0)
    assert outcome["credits"]["ratio"] <= 1.05
    assert outcome["chapters"][-1]["writes"] == 0


@pytest.mark.parametrize(
    ("options", "processes", "code"), [((), 4, 130), (("--look",), 5, 0)], ids=["the story", "--look"]
)
async def test_an_interrupted_demo_leaves_nothing_running(options: tuple[str, ...], processes: int, code: int) -> None:
    """Kafka, Valkey, the sandbox and the service; with `--look` the console and the commands answer as printed."""
    process = await start(*options)
    children: list[int] = []

    def started() -> bool:
        children[:] = children_of(process.pid)
        return len(children) == processes

    if options:
        assert process.stderr is not None
        said = await asyncio.wait_for(process.stderr.readuntil(b"The console: "), 60)
        assert b"run on loopback" in said
        address = (await process.stderr.readline()).decode().strip()
        async with httpx.AsyncClient(trust_env=False) as client:
            assert "<h1>Events</h1>" in (await client.get(address)).text
        line = (await process.stderr.readline()).decode().partition("another shell: ")[2].strip()
        shell = await asyncio.create_subprocess_shell(line, stdout=asyncio.subprocess.PIPE)
        assert b"replica" in (await shell.communicate())[0]
    await wait_until(started, "all of them run", timeout=60)
    process.send_signal(signal.SIGINT)
    await process.communicate()
    assert process.returncode == code
    await wait_until(lambda: not any(map(alive, children)), "none of them runs any more")


def children_of(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            found.append(int(stat.parent.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
