"""Asking a person before something is done."""

from __future__ import annotations

import signal
import threading

import typer

from consumer.entrypoints.cli.exit_codes import for_stderr


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
