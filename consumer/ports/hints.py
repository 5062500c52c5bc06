"""HINTS: what deliveries of Swoogo's webhooks say should be looked at."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from consumer.domain.push.claim import Lease
from consumer.domain.push.hints import Hint, Hints


class Kept(StrEnum):
    """What became of a hint."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    UNMAPPED = "unmapped"


class HintStore(Protocol):
    """Hints between the process that receives deliveries and the workers."""

    async def put(self, event_id: str, hint: Hint | None) -> Kept:
        """Keep a hint, one a record, and have the event looked at soon; None: all of it is to be looked at.

        Beyond so many the event is to be looked at as a whole. Nothing is kept of an event that is not mapped.
        Raises UnavailableError.
        """

    async def load(self, event_id: str) -> Hints:
        """The hints of an event. Raises UnavailableError."""

    async def drop(self, lease: Lease, hints: Hints) -> None:
        """These were dealt with; what came since stays. Raises UnavailableError."""
