"""`python -m sandbox.demo.servers FILE`: Kafka, Valkey and a sandbox Swoogo for trying the service out by hand.

Writes the settings that lead to them into FILE, for a shell to read, and stays until it is stopped. Everything it
started ends with it, and nothing is kept.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandbox.demo.world import world

_WINDOW_SECONDS = 600.0
_LATENCY_MS = 50.0


async def serve(file: Path, *, http_port: int) -> None:
    """Start the servers, write the file, and wait for SIGINT or SIGTERM.

    Args:
        file: where the settings go; its folder is made, and it is removed at the end.
        http_port: where the service is to answer probes; 0: any free one.
    """
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    # The sandbox's images are on this machine, which the guarded fetcher otherwise refuses.
    settings = {"HTTP__PORT": str(http_port), "LOG__FORMAT": "console", "IMAGES__ALLOW_HOSTS": "127.0.0.1"}
    async with world(window=_WINDOW_SECONDS, latency_ms=_LATENCY_MS, settings=settings) as running:
        with _written(file, {**running.environment, "SANDBOX_SWOOGO": running.swoogo.url}):
            print(f"{running.broker}, Valkey and a sandbox Swoogo are ready; settings are in {file}", flush=True)
            await stop.wait()


@contextmanager
def _written(file: Path, values: Mapping[str, str]) -> Iterator[None]:
    """The file is there as a whole, for its owner only (it holds a private key), until the end."""
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.touch(mode=0o600)
    fresh.write_text("".join(f"{name}={shlex.quote(value)}\n" for name, value in values.items()))
    fresh.rename(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.demo.servers", description="Servers to try things on.")
    parser.add_argument("file", type=Path, help="where the settings go")
    parser.add_argument("--http-port", type=int, default=8080, metavar="PORT", help="for the service's probes")
    options = parser.parse_args(arguments)
    asyncio.run(serve(options.file, http_port=options.http_port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
