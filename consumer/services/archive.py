"""ARCHIVE: events that ended longer ago than the retention are put away, a few at each look (Y4)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from consumer.ports import Clock

log = structlog.get_logger("archive")


class Archive(Protocol):
    async def over(self, cursor: int, before: int, now: int) -> tuple[int, Sequence[str]]:
        """The next position, and some events that ended before that (ms) and for which nothing waits."""

    async def put_away(self, event_id: str, op_id: str, now: int, withdraw: Callable[[str], Awaitable[None]]) -> bool:
        """Archive an event; False when something waits by now. Raises UnavailableError.

        `withdraw`: called while nothing else has the event.
        """


class Issues(Protocol):
    """The topic of issues."""

    async def withdraw(self, event_id: str) -> None:
        """Nothing of the event stands any more. Raises UnavailableError."""


@dataclass(slots=True)
class Archiver:
    """For the elected replica. `after`: seconds from the end of an event."""

    archive: Archive
    issues: Issues
    clock: Clock
    after: float
    _cursor: int = 0

    async def look(self) -> None:
        """Look at some events. Raises UnavailableError."""
        now = self.clock.now()
        self._cursor, over = await self.archive.over(self._cursor, now - round(self.after * 1000), now)
        for event_id in over:
            if await self.archive.put_away(event_id, self.clock.new_id(), now, self.issues.withdraw):
                log.info("event.archived", event_id=event_id)
