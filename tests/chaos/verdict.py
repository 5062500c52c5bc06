"""What came of a run, and what happened in it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import structlog


@dataclass(slots=True)
class Verdict:
    """What came of a run. `failures`: check -> sentences; empty when all is as it must be."""

    seed: int
    who: str
    failures: dict[str, list[str]] = field(default_factory=dict)
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    seen: Counter[str] = field(default_factory=Counter)
    met: Counter[str] = field(default_factory=Counter)
    """Steps of its history, and forms of names that were published."""
    effects: int = 0
    lost: int = 0
    doubled: int = 0
    story: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Nothing lost, nothing doubled, nothing overspent, nothing left wrong on the changelog or among the issues."""
        return not self.failures


@contextlib.contextmanager
def logging_to(verdict: Verdict) -> Iterator[None]:
    """What the service logs goes to the story of the run."""
    story = verdict.story

    def keep(_: Any, __: str, event: Any) -> Any:
        with contextlib.suppress(RuntimeError):
            words = " ".join(f"{name}={value}" for name, value in event.items() if name != "event")
            story.append(f"{asyncio.get_running_loop().time():9.3f}   {event['event']} {words}")
        raise structlog.DropEvent

    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.format_exc_info, keep], cache_logger_on_first_use=False)
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(level)
        structlog.configure(**before)
