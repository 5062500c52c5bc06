"""A command at a terminal: what it shows is read, what is typed reaches it, and Ctrl-C is the terminal's own."""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from tests.support.waiting import wait_until

CTRL_C = "\x03"
_STEERING = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
_PATIENCE = 60.0


class Terminal:
    """One process and the master's side of its terminal."""

    def __init__(self, process: subprocess.Popen[bytes], master: int) -> None:
        self.process = process
        self._master = master
        self._seen = b""

    @property
    def text(self) -> str:
        """All it showed, without colours and movements."""
        return _STEERING.sub("", self._seen.decode(errors="replace"))

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    async def shows(self, wanted: str) -> str:
        """Wait until the text matches; the match."""

        def found() -> str | None:
            match = re.search(wanted, self.text)
            return match and match[0]

        return str(await wait_until(found, f"the terminal shows {wanted}", _PATIENCE))

    async def asks(self) -> None:
        """Wait until it waits for an answer: Python loses a Ctrl-C between showing a question and reading."""
        await self.shows(r"\[y/N\]: $")
        state = Path(f"/proc/{self.process.pid}/stat")
        await wait_until(lambda: state.read_text().rpartition(")")[2].split()[0] == "S", "the command waits", _PATIENCE)

    async def ended(self) -> int:
        """Wait for the exit code."""
        await wait_until(lambda: self.process.poll() is not None, "the command ends", _PATIENCE)
        self._read()
        return int(self.process.wait())

    def _read(self) -> None:
        try:
            while more := os.read(self._master, 65_536):
                self._seen += more
        except OSError:  # nothing there just now, or no one at the other end any more
            return


def _take_the_terminal() -> None:
    """In the new process: Ctrl-C of the terminal is meant for it, also where the caller of the tests ignores it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@asynccontextmanager
async def terminal(*arguments: str, environment: Mapping[str, str], columns: int = 80) -> AsyncIterator[Terminal]:
    """`swoogo-sync` with these arguments at a terminal so wide."""
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        [sys.executable, "-m", "consumer.entrypoints.cli", *arguments],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
        preexec_fn=_take_the_terminal,
        # COLUMNS, as the processes of pytest-xdist have it, would win over the terminal's own width.
        env={**os.environ, **environment, "TERM": "xterm", "COLUMNS": str(columns)},
    )
    os.close(slave)
    shown = Terminal(process, master)
    loop = asyncio.get_running_loop()
    loop.add_reader(master, shown._read)
    try:
        yield shown
    finally:
        loop.remove_reader(master)
        if process.poll() is None:
            process.kill()
        process.wait()
        os.close(master)
