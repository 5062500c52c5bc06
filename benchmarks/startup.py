"""STARTUP: CPU until the service is imported, and of commands that find no Redis. It counts for KEDA and for people."""

from __future__ import annotations

import asyncio
import os
import resource
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from benchmarks.figure import Figure
from benchmarks.servers import Ground

NAME: Final = "startup"
_RUNS: Final = 5
_IMPORT_GOAL: Final = 1.0
_COMMAND_GOAL: Final = 0.6
_COMMANDS: Final[Sequence[Sequence[str]]] = (("status",), ("issues", "1"), ("runs", "1"), ("plan", "1"))
_PEER: Final = "python -c pass"
_LIBRARIES: Final = "import pydantic, httpx, aiokafka, redis.asyncio, faststream"


async def measure(ground: Ground, scale: float) -> list[Figure]:  # noqa: ARG001 - benchmarks have one shape
    """The median of some runs each, one after another; of one command where there is one run of each."""
    runs = max(1, round(_RUNS * scale))
    bare = await _cpu([sys.executable, "-c", "pass"], runs)
    libraries = await _cpu([sys.executable, "-c", _LIBRARIES], runs)
    imported = await _cpu([sys.executable, "-c", "import consumer.app"], runs)
    note = f"Its libraries alone take {libraries:.2f} s: `{_LIBRARIES}`."
    figures = [_figure("import consumer.app", imported, _IMPORT_GOAL, bare, note)]
    swoogo_sync = str(Path(sys.executable).with_name("swoogo-sync"))
    for words in _COMMANDS if runs > 1 else _COMMANDS[:1]:
        seconds = await _cpu([swoogo_sync, *words], runs)
        figures.append(_figure(f"swoogo-sync {words[0]}, Redis unreachable", seconds, _COMMAND_GOAL, bare))
    return figures


def _figure(what: str, seconds: float, goal: float, bare: float, note: str = "") -> Figure:
    return Figure(
        benchmark=NAME,
        what=f"CPU of {what}",
        value=seconds,
        unit="s",
        goal=goal,
        peer=bare,
        peer_name=_PEER,
        note=note,
    )


async def _cpu(command: Sequence[str], runs: int) -> float:
    """Median of user and system time, seconds."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: connections are refused at once
        address = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
        return median([await _once(command, address) for _ in range(runs)])


async def _once(command: Sequence[str], address: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = await asyncio.create_subprocess_exec(
        *command,
        env={**os.environ, "SWOOGO_SYNC_REDIS__URL": address},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    await process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
