"""Which processes of this service run, as they say themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ALIVE_MS: Final = 35_000
"""A replica that was silent for longer is taken for dead: three heartbeats and some."""


@dataclass(frozen=True, slots=True)
class Replica:
    """One process. `started` and `seen` (its newest heartbeat) in ms, on the clock of Redis."""

    id: str
    version: str
    role: str
    started: int
    seen: int

    def alive(self, now: int) -> bool:
        """Whether it was heard lately. `now`: ms."""
        return now - self.seen <= ALIVE_MS
