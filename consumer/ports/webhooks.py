"""WEBHOOKS: where they are registered, and what is known of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from consumer.domain.connections.webhooks import Registered, Webhook
from consumer.domain.push.claim import Lease
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
