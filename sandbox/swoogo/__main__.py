"""`python -m sandbox.swoogo`: the sandbox as a process of its own, on the loopback address by default."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import Coroutine, Iterable, Iterator, Sequence

import uvicorn

from sandbox.swoogo.accounts import Credential
from sandbox.swoogo.app import create_app
from sandbox.swoogo.server import SandboxSwoogo
from sandbox.swoogo.switches import Switches

LOOPBACK = "127.0.0.1"


async def serve(
    host: str = LOOPBACK,
    port: int = 0,
    switches: Switches | None = None,
    *,
    limit: int = 2_000,
    window: float = 600.0,
    latency_ms: float = 0.0,
    token_lifetime: float = 1_800.0,
    credentials: Iterable[Credential] = (),
) -> None:
    """Serve a sandbox until cancelled; prints one line once it listens. Port 0 is any free one."""
    sandbox = SandboxSwoogo(
        switches=switches,
        limit=limit,
        window=window,
        latency_ms=latency_ms,
        token_lifetime=token_lifetime,
        credentials=credentials,
    )
    config = uvicorn.Config(
        create_app(sandbox),
        access_log=False,
        log_level="critical",
        lifespan="off",
        # Calls that hang on purpose must not hold up the end.
        timeout_graceful_shutdown=1,
    )
    # With its protocol named: asyncio sets TCP_NODELAY on such sockets only, and answers would stall 40 ms without.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(512)
        print(f"sandbox Swoogo listens on http://{host}:{listener.getsockname()[1]}", flush=True)
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise


class _Server(uvicorn.Server):
    """Without uvicorn's signal handling, which ends the process by the signal again after a clean end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the command line and serve; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        switches = Switches().with_values(dict(_pair(text, "=") for text in options.switch))
        credentials = [Credential(*_pair(text, ":")) for text in options.credential]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    serving = serve(
        options.host,
        options.port,
        switches,
        limit=options.limit,
        window=options.window,
        latency_ms=options.latency,
        token_lifetime=options.token_lifetime,
        credentials=credentials,
    )
    try:
        asyncio.run(_until_signal(serving))
    except OSError as error:
        print(f"cannot listen on {options.host}:{options.port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


async def _until_signal(serving: Coroutine[None, None, None]) -> None:
    task = asyncio.create_task(serving)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.swoogo", description="A Swoogo to try things on.")
    parser.add_argument("--host", default=LOOPBACK)
    parser.add_argument("--port", type=int, required=True, help="0 is any free one")
    parser.add_argument("--switch", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--window", type=float, default=600.0, metavar="SECONDS")
    parser.add_argument("--limit", type=int, default=2_000, metavar="N", help="credits per window")
    parser.add_argument("--latency", type=float, default=0.0, metavar="MS")
    parser.add_argument("--token-lifetime", type=float, default=1_800.0, metavar="SECONDS")
    parser.add_argument("--credential", action="append", default=[], metavar="KEY:SECRET")
    return parser


def _pair(text: str, separator: str) -> tuple[str, str]:
    first, found, second = text.partition(separator)
    if not found or not first:
        raise ValueError(f"{text!r} is not of the form name{separator}value")
    return first, second


if __name__ == "__main__":
    sys.exit(main())
