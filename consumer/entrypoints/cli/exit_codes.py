"""What a command says besides its answer: exit codes, sentences and questions on standard error."""

from __future__ import annotations

import shutil
import signal
import sys
import textwrap
import threading
from enum import IntEnum
from typing import Final

import typer

from consumer.domain.errors import ConfigurationError, CredentialError, RetryableError, SwoogoSyncError


class Exit(IntEnum):
    """What a command answers with."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNAVAILABLE = 3
    UNWRITTEN = 4


EXIT_CODES: Final = (
    "Exit codes: 0 fine; 1 the answer is no (not mapped, not found, a sync with failures); 2 wrong usage or "
    "configuration; 3 a server did not answer, or not in time; 4 the output could not be written."
)


def exit_of(error: SwoogoSyncError) -> Exit:
    if isinstance(error, ConfigurationError | CredentialError):
        return Exit.USAGE
    if isinstance(error, RetryableError):
        return Exit.UNAVAILABLE
    return Exit.FAILED


def say(sentence: str) -> None:
    """One sentence to standard error."""
    sys.stderr.write(f"{for_stderr(sentence)}\n")


def for_stderr(text: str) -> str:
    """Lines broken at words where standard error is a terminal, below their own indentation; else as they are."""
    if not sys.stderr.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, 20)
    return "\n".join(
        part
        for line in text.splitlines()
        for part in textwrap.wrap(
            line,
            width,
            subsequent_indent=" " * (len(line) - len(line.lstrip())),
            break_long_words=False,
            break_on_hyphens=False,
        )
        or [""]
    )


def confirmed(question: str) -> bool:
    """The answer, no by default. Ctrl-C ends the command, also where a coroutine asks.

    There asyncio has taken the signal over: it would cancel the task, which waits for an answer that never comes.
    """
    if threading.current_thread() is not threading.main_thread():
        return typer.confirm(for_stderr(question), err=True)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.confirm(for_stderr(question), err=True)
    finally:
        signal.signal(signal.SIGINT, before)
