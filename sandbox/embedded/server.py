"""The life cycle that the embedded servers share: free ports, temporary data, readiness, a sure end.

Guarantees: `start` returns only when the server itself (not another one on the same port) answers;
a failed start leaves no process behind and says what its log said; `stop` signals only the process
group it created; on Linux the kernel kills the server when its parent dies, however it dies.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import ctypes
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

HOST = "127.0.0.1"
_PORT_ATTEMPTS = 5
_POLL_SECONDS = 0.05
_LOG_TAIL_LINES = 30
_PORT_TAKEN = re.compile(r"address (is )?already in use|address in use|AddrInUse|BindException", re.IGNORECASE)
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class ServerUnavailableError(RuntimeError):
    """This machine lacks what the server needs; the message says what to install or run."""


class ServerFailedError(RuntimeError):
    """The server was started and did not become ready; the message carries the tail of its log."""


class _PortTakenError(Exception):
    """Somebody else bound the port between our look and the server's bind."""


def free_ports(count: int) -> list[int]:
    """Loopback TCP ports that are free now. They are not reserved: the caller retries on a clash."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((HOST, 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def die_with_parent() -> Callable[[], None] | None:
    """A `preexec_fn` that ties the child to the calling thread's life; None where the kernel cannot."""
    if _LIBC is None:
        return None
    libc, parent = _LIBC, os.getpid()

    def in_child() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        # The parent may have died before the line above took effect; then no signal will ever come.
        if os.getppid() != parent:
            os._exit(1)

    return in_child


class EmbeddedServer(ABC):
    """One child process serving on loopback.

    `start`/`stop` block and are for synchronous code; `astart`/`astop` are the same for a running
    event loop, and `with` / `async with` call them. The server's life is bound to the *thread* that
    starts it (Linux ties the death signal to the thread): start it from one that outlives it.
    """

    label: ClassVar[str]
    durable: ClassVar[bool] = True
    """Whether `stop(keep=True)` keeps the data; a server in memory keeps only its port."""
    port_count: int = 1

    def __init__(self, *, startup_timeout: float = 60.0) -> None:
        """`startup_timeout`: seconds until a server that does not answer counts as failed."""
        self._startup_timeout = startup_timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._root: Path | None = None
        self._ports: list[int] = []

    @property
    def port(self) -> int:
        """The client port. Stable from the first start until a stop without `keep`."""
        if not self._ports:
            raise RuntimeError(f"{self.label} has not been started.")
        return self._ports[0]

    @property
    def pid(self) -> int | None:
        """Process id while it runs; it is also the id of the server's own process group."""
        return self._process.pid if self.running and self._process else None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def root(self) -> Path:
        """The temporary directory with configuration, log and data."""
        if self._root is None:
            raise RuntimeError(f"{self.label} has not been started.")
        return self._root

    def log_tail(self, lines: int = _LOG_TAIL_LINES) -> str:
        """The last lines the server printed since its latest start."""
        log = self._log_path()
        text = log.read_text(errors="replace") if log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def start(self) -> None:
        """Start and wait until it answers.

        Raises `ServerUnavailableError` or `ServerFailedError`. Needs a thread without a running event loop.
        """
        # A loop of its own, never installed as the thread's: a test framework may own that one.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(self.astart())

    async def astart(self) -> None:
        """Start and wait until it answers. Raises `ServerUnavailableError` or `ServerFailedError`.

        After `stop(keep=True)` it comes back on the same port with the same data.
        """
        if self.running:
            raise RuntimeError(f"{self.label} is running already.")
        deadline = time.monotonic() + self._startup_timeout
        restart = self._root is not None
        attempts_left = _PORT_ATTEMPTS
        try:
            while True:
                if not restart:
                    await self._prepare_afresh()
                self._spawn()
                try:
                    return await self._until_ready(deadline)
                except _PortTakenError:
                    attempts_left -= 1
                    # A restart must have its old port back, so it waits for it; a first start moves on.
                    if (attempts_left == 0 and not restart) or time.monotonic() > deadline:
                        raise ServerFailedError(self._failure("found no free port")) from None
                    await asyncio.sleep(_POLL_SECONDS)
        except BaseException:
            self.stop(keep=restart, hard=True)
            raise

    def stop(self, *, keep: bool = False, hard: bool = False, grace: float = 15.0) -> None:
        """End the process; harmless when it is not running.

        `keep`: leave data and port for the next start. `hard`: SIGKILL at once, as a crash would;
        otherwise SIGTERM first when the data is kept, and SIGKILL after `grace` seconds.
        """
        process, self._process = self._process, None
        if process is not None:
            if process.poll() is None and keep and not hard:
                _signal_group(process, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(grace)
            _signal_group(process, signal.SIGKILL)
            process.wait()
        if not keep:
            atexit.unregister(self.stop)
            if self._root is not None:
                shutil.rmtree(self._root, ignore_errors=True)
            self._root, self._ports = None, []

    async def astop(self, *, keep: bool = False, hard: bool = False, grace: float = 15.0) -> None:
        """`stop` without blocking the event loop."""
        await asyncio.to_thread(self.stop, keep=keep, hard=hard, grace=grace)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await self.astart()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.astop()

    @abstractmethod
    def _command(self) -> list[str]:
        """The command line, for the current `root` and ports."""

    @abstractmethod
    async def _answers(self) -> bool:
        """Whether *this* process serves clients now; its port accepts connections when this is asked."""

    def _prepare(self) -> None:
        """Write what the server needs before its first start with the current root and ports."""
        (self.root / "data").mkdir()

    async def _prepare_afresh(self) -> None:
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)
        self._root = Path(tempfile.mkdtemp(prefix="swoogo-sync-"))
        self._ports = free_ports(self.port_count)
        await asyncio.to_thread(self._prepare)

    def _spawn(self) -> None:
        with self._log_path().open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.root,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # A group of its own: Ctrl-C in the terminal is for us, and we end the server in order.
                start_new_session=True,
                # Safe beside threads: the library is loaded before the fork, so the child takes no lock.
                preexec_fn=die_with_parent(),  # noqa: PLW1509
            )
        # Where the kernel offers no death signal this covers every end but SIGKILL.
        atexit.unregister(self.stop)
        atexit.register(self.stop)

    async def _until_ready(self, deadline: float) -> None:
        while True:
            if not self.running:
                if _PORT_TAKEN.search(self.log_tail(500)):
                    raise _PortTakenError
                raise ServerFailedError(self._failure("ended while starting"))
            with contextlib.suppress(OSError):
                # A bare connection first: clients log every refused one.
                _, writer = await asyncio.open_connection(HOST, self.port)
                writer.close()
                # `running` again: while we asked, ours may have given up on a port that another one serves.
                if await self._answers() and self.running:
                    return
            if time.monotonic() > deadline:
                raise ServerFailedError(self._failure(f"did not answer within {self._startup_timeout:.0f} s"))
            await asyncio.sleep(_POLL_SECONDS)

    def _failure(self, what: str) -> str:
        return (
            f"{self.label} {what}. The end of its log is below; if the machine is short of memory or very "
            "busy, free some or give a longer startup_timeout, and start it again.\n"
            f"{self.log_tail() or '(no output)'}"
        )

    def _log_path(self) -> Path:
        return self.root / "server.log"


def _signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    if process.returncode is not None:
        return
    try:
        os.killpg(process.pid, number)
    except ProcessLookupError:
        return
