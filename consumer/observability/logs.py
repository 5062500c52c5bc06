"""Logs: one JSON object a line (or text for people), event names as `area.verb`, fields instead of sentences.

Libraries that would log addresses or payloads are held back here, and so are lines that come again and again: an outage
logs dozens a second otherwise. A kind of line is its logger and its event (or, of a library, its text before values are
put in). Of our own warnings so many of a kind are written a minute, of a library's lines one a while; the next line
says how many were held back. Ordinary lines of ours are never held back.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog

from consumer.settings import LogSettings

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


_QUIET: Final = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "faststream": logging.WARNING,
    "aiokafka": logging.WARNING,
    "uvicorn": logging.WARNING,
    # What FastStream says of our consumers. Its warnings are about creating topics and about idle members.
    "kafka.consumer": logging.ERROR,
}


def set_up(settings: LogSettings) -> None:
    """Configure structlog and the standard library's logging, to standard error."""
    level = logging.getLevelNamesMapping()[settings.level]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.format == "json":
        final: list[structlog.typing.Processor] = [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    else:
        # The default one prints the local variables of every frame: credentials and people's data among them.
        plain = structlog.dev.plain_traceback
        final = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *final],
        )
    )
    handler.addFilter(LogThrottle())
    # A log that cannot be written (a full disk) would else print a traceback for each line.
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(max(least, level))
