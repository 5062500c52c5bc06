"""`swoogo-sync demo --look`: a conference that goes on changing, and the console to watch it, until Ctrl-C."""

from __future__ import annotations

import asyncio
import itertools
import shlex
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx

from consumer.settings import PREFIX
from sandbox.conference import sample
from sandbox.conference.model import Conference
from sandbox.demo.play import Play
from sandbox.demo.world import ServiceProcess, World
from sandbox.embedded.server import HOST, free_ports

SETTINGS: Final = {"RECONCILE__INTERVAL": "45"}
"""Of the service: what people do in Swoogo is seen soon."""
_TYPED: Final = "<p>Typed in Swoogo by a person. It stays.</p>"
_BY_HAND: Final = 5
"""Every so many changes somebody types in Swoogo."""
_LONGEST: Final = 60.0


async def open_console(world: World, port: int = 0) -> str:
    """Start `swoogo-sync console` beside the service; its address, once it answers.

    Raises ServerFailedError when it ends by itself, TimeoutError.
    """
    port = port or free_ports(1)[0]
    command = (sys.executable, "-m", "consumer.entrypoints.cli", "console", "--port", str(port))
    environment = {**world.environment, f"{PREFIX}CONSOLE__ORDERS": "on", f"{PREFIX}CONSOLE__REFRESH": "3"}
    process = ServiceProcess(environment, world.swoogo.root / "console.log", command)
    process.start()
    world.replicas.append(process)
    address = f"http://{HOST}:{port}/"
    async with asyncio.timeout(_LONGEST), httpx.AsyncClient(trust_env=False) as client:
        while True:
            process.check()
            with suppress(httpx.HTTPError):
                if (await client.get(address)).is_success:
                    return address
            await asyncio.sleep(0.1)


def written(world: World) -> Path:
    """A file for a shell to read, so that `swoogo-sync` leads to this demo; for its owner only, gone with it."""
    file = world.swoogo.root / "settings.sh"
    file.touch(mode=0o600)
    lines = [f"export {name}={shlex.quote(value)}\n" for name, value in world.environment.items()]
    file.write_text("".join([*lines, f"PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n"]))
    return file


async def go_on(playing: Play, revisions: Sequence[Conference], every: float) -> None:
    """Change after change, until cancelled: the revisions in turn, and now and then a description by hand in Swoogo.

    Raises ServerFailedError when a process ends by itself.
    """
    for number, revision in enumerate(_endless(revisions), 1):
        await asyncio.sleep(every)
        playing.check()
        if number % _BY_HAND == 0:
            rows = (await playing.state())["sessions"]
            change = {"kind": "sessions", "id": rows[number % len(rows)]["id"], "values": {"description": _TYPED}}
            await playing.world.post("edit", change)
        await playing.publisher.publish(revision, at=playing.now())


def _endless(revisions: Sequence[Conference]) -> Iterator[Conference]:
    """Those given, over and over; a single one is edited as an afternoon of the sample's people would."""
    return itertools.cycle(revisions if len(revisions) > 1 else [*sample.burst(revisions[0]), revisions[0]])
