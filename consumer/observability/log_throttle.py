"""Holds back lines that come again and again, and counts them: an outage logs dozens a second otherwise.

A kind of line is its logger and its event (or, of a library, its text before values are put in). Of our own warnings
so many of a kind are written a minute, of a library's lines one a while. The first line that is written again says how
many were held back. Ordinary lines of ours are never held back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

OWN_LINES: Final = 20


OWN_SECONDS: Final = 60.0


LIBRARY_LINES: Final = 1


LIBRARY_SECONDS: Final = 30.0


_KINDS: Final = 1_000


@dataclass(slots=True)
class _Window:
    since: float
    written: int = 0
    held_back: int = 0


class LogThrottle(logging.Filter):
    """Decides for each line of a handler; `held_back` counts over the life of the process."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self.held_back = 0
        self._now = now
        self._windows: dict[tuple[str, str], _Window] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line is written; one that is gets `suppressed`, where others were held back before it."""
        said: Any = record.msg
        ours = isinstance(said, dict)
        if ours and record.levelno < logging.WARNING and not _failed(said):
            return True
        lines, seconds = (OWN_LINES, OWN_SECONDS) if ours else (LIBRARY_LINES, LIBRARY_SECONDS)
        window = self._window((record.name, str(said["event"] if ours else said)), seconds)
        if window.written >= lines:
            window.held_back += 1
            self.held_back += 1
            return False
        window.written += 1
        if window.held_back:
            _note(record, window.held_back)
            window.held_back = 0
        return True

    def _window(self, kind: tuple[str, str], seconds: float) -> _Window:
        now = self._now()
        window = self._windows.get(kind)
        if window is None:
            if len(self._windows) >= _KINDS:
                self._windows.clear()
            window = self._windows[kind] = _Window(now)
        elif now - window.since >= seconds:
            window.since, window.written = now, 0
        return window


def _failed(event: Any) -> bool:
    """A push that failed is an ordinary line, of which there is one for every event when Swoogo is away."""
    return bool(event.get("outcome") == "failed")


def _note(record: logging.LogRecord, count: int) -> None:
    if isinstance(record.msg, dict):
        record.msg = {**record.msg, "suppressed": count}
    else:
        record.msg = f"{record.msg} ({count} more of these were held back)"
