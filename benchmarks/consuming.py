"""`python -m benchmarks.consuming service|peer|fast`: one consuming process, held back until it is told to go.

It writes `ready` when everything is imported and connected, and goes on when a line comes in on standard input, so
that who measures sees the consuming and not the start. Settings come from the environment as for the service.
"""

from __future__ import annotations

import asyncio
import sys

from benchmarks.fast_consumer import fast_consumer
from benchmarks.typed_consumer import typed_consumer
from consumer.app import service
from consumer.observability.logs import set_up
from consumer.settings import Settings, load_settings


async def _service(settings: Settings) -> None:
    async with service(settings) as running:
        await _go()
        await running.run(asyncio.Event())


async def _peer(settings: Settings) -> None:
    broker = typed_consumer(settings)
    await _go()
    await broker.start()
    await asyncio.Event().wait()


async def _fast(settings: Settings) -> None:
    await _go()
    await fast_consumer(settings)


async def _go() -> None:
    print("ready", flush=True)
    if not await asyncio.to_thread(sys.stdin.readline):
        raise SystemExit("No consumer is there to measure.")


def main() -> None:
    """Consume until killed."""
    settings = load_settings()
    set_up(settings.log)
    asyncio.run({"service": _service, "peer": _peer, "fast": _fast}[sys.argv[1]](settings))


if __name__ == "__main__":
    main()
