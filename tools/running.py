"""What the targets that need an engine or a cluster share: commands with an end, waits with a limit."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NoReturn

ROOT: Final = Path(__file__).parents[1]
CACHE: Final = ROOT / ".cache"
_TAIL_LINES: Final = 25


class FailedError(Exception):
    """Something did not go as it should. The text is for a person, and says what to do where that is known."""


def say(text: str) -> None:
    """A line of progress, with the time."""
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def run(
    command: Sequence[str],
    *,
    seconds: float = 600,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    text: str | None = None,
) -> str:
    """Standard output of a command; `env` is added to ours, `text` is its input. Raises FailedError."""
    shown = " ".join(command[:6])
    try:
        done = subprocess.run(
            list(command),
            cwd=cwd,
            env={**os.environ, **(env or {})},
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise FailedError(f"There is no `{command[0]}` here: install it.") from None
    except subprocess.TimeoutExpired:
        raise FailedError(f"`{shown}` did not end within {seconds:.0f} s.") from None
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-_TAIL_LINES:])
        raise FailedError(f"`{shown}` ended with {done.returncode}:\n{tail}")
    return done.stdout


def until(condition: Callable[[], bool], what: str, seconds: float, *, pause: float = 0.5) -> float:
    """Ask until it holds; the seconds that took. Raises FailedError after `seconds`."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise FailedError(f"Not within {seconds:.0f} s: {what}.")
        time.sleep(pause)
    return time.monotonic() - began


def end_on_signals() -> None:
    """A SIGTERM ends us as Ctrl-C does, so that everything we started is ended on the way out."""

    def _leave(number: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt(f"signal {number}")

    signal.signal(signal.SIGTERM, _leave)
