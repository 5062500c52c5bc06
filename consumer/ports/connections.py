"""CONNECT: accepted credentials and active pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from consumer.domain.connection import Connection, IntegrationRequest
from consumer.domain.mapping import EventMapping


class Connections(Protocol):
    """Accepted credentials, active pairs, and who asked for what."""

    async def connection(self, org_id: str) -> Connection | None:
        """The credential in use."""
        ...

    async def put_connection(self, org_id: str, connection: Connection | None) -> None:
        """Replace or end it."""
        ...

    async def mapping(self, event_id: str) -> EventMapping | None:
        """The active pair of an event."""
        ...

    async def mappings(self, org_id: str) -> Mapping[str, EventMapping]:
        """The active pairs of an organization by event id."""
        ...

    async def put_mapping(self, org_id: str, event_id: str, mapping: EventMapping | None) -> None:
        """Activate or end a pair."""
        ...

    async def replace_mapping(self, before: EventMapping, after: EventMapping) -> bool:
        """Change an active pair from outside of connecting; False when it is another one by now, or none."""
        ...

    async def note_asked(self, event_id: str, org_id: str) -> None:
        """Remember that the organization asked to map the event."""
        ...

    async def asked_by(self, event_id: str) -> frozenset[str]:
        """Organizations that ever asked to map the event."""
        ...

    async def note_refusal(self, org_id: str, credential: str) -> bool:
        """Remember that Swoogo refuses a credential in use; False when that was known."""
        ...

    async def forget_refusal(self, org_id: str) -> None:
        """The credential in use works again, or is another."""
        ...


class CredentialCheck(Protocol):
    """Credentials as published, made usable and tried."""

    def credential_of(self, request: IntegrationRequest) -> str:
        """The hash of the consumer key. Raises CredentialError when the seal or the secret cannot be opened."""
        ...

    async def verify(self, request: IntegrationRequest) -> None:
        """One token request (C3). Raises CredentialError, UnavailableError."""
        ...
