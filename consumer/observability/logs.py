"""Logs: one JSON object a line (or text for people), event names as `area.verb`, fields instead of sentences.

Libraries that would log addresses, payloads or a storm of lines are held back here.
"""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

from consumer.observability.log_throttle import LogThrottle
from consumer.settings import LogSettings

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
