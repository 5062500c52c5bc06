"""WEBHOOKS: where they are registered, what is known of them, and what their deliveries say should be looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from consumer.domain.connections.webhooks import Registered, Webhook
from consumer.domain.push.claim import Lease
from consumer.domain.push.hints import Hint, Hints
from consumer.ports.swoogo import Work


class SwoogoWebhooks(Protocol):
    """Webhooks of an account at Swoogo. All raise what `ports.Swoogo` raises."""

    async def list(self, work: Work) -> Sequence[Webhook]:
        """All of them, ours or not; ten credits a page."""

    async def get(self, work: Work, webhook_id: int) -> Webhook | None:
        """One of them; None when it is not there."""

    async def create(self, work: Work, wanted: Webhook) -> int:
        """Register it. Raises UnansweredError when it may be registered although no usable answer came."""

    async def update(self, work: Work, webhook_id: int, wanted: Webhook) -> None:
        """Make it as wanted."""

    async def delete(self, work: Work, webhook_id: int) -> None:
        """Remove it; fine when it is not there."""


class WebhookStore(Protocol):
    """What is known of the webhooks of an event, by their object."""

    async def load(self, event_id: str) -> Mapping[str, Registered]:
        """All of an event. Raises UnavailableError."""

    async def put(self, lease: Lease, known: Mapping[str, Registered | None]) -> None:
        """Remember them; None forgets one. Raises LeaseLostError, UnavailableError."""


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
