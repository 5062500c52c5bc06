"""CONNECT: accepted credentials and active pairs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from consumer.domain.connections.connection import Connection, IntegrationRequest
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.push.claim import Lease


class Connections(Protocol):
    """Accepted credentials, active pairs, and who asked for what."""

    async def connection(self, org_id: str) -> Connection | None:
        """The credential in use."""

    async def put_connection(self, org_id: str, connection: Connection | None, *, by: Lease | None = None) -> None:
        """Replace or end it. `by`: the organization's lease; None where no other writer can be (a rebuild).

        Raises LeaseLostError.
        """

    async def mapping(self, event_id: str) -> EventMapping | None:
        """The active pair of an event."""

    async def credentials_of(self, events: Sequence[str]) -> Mapping[str, str]:
        """Event -> the credential of its active pair; without those that have none, or one that cannot be read."""

    async def mappings(self, org_id: str, events: Collection[str] | None = None) -> Mapping[str, EventMapping]:
        """The active pairs of an organization by event id; None: of all its `events`."""

    async def fence(
        self, org_id: str, events: Collection[str], *, by: Lease | None = None, others: bool = True
    ) -> None:
        """From now on no older lease of the organization changes the pair of these events (G4).

        To be called before they are read. `others`: nor that of any other event it has. `by`: the organization's
        lease; None for one newer than all there are. Raises LeaseLostError.
        """

    async def put_mapping(
        self, org_id: str, event_id: str, mapping: EventMapping | None, *, by: Lease | None = None
    ) -> None:
        """Activate or end a pair. `by`: the lease that holds it, or None as for `put_connection`.

        Raises LeaseLostError.
        """

    async def replace_mapping(self, before: EventMapping, after: EventMapping) -> bool:
        """Change an active pair from outside of connecting; False when it is another one by now, or none."""

    async def add_requester(self, event_id: str, org_id: str) -> None:
        """Remember that the organization asked to map the event."""

    async def requesters_of(self, event_id: str) -> frozenset[str]:
        """Organizations that ever asked to map the event."""

    async def claim_refusal_report(self, org_id: str, credential: str, op_id: str) -> bool:
        """Whether the caller is to report that Swoogo refuses this credential; again True for the same `op_id`.

        False once it is reported, and while another caller reports it. A claim that is not confirmed ends by itself.
        """

    async def confirm_refusal_report(self, org_id: str, credential: str, op_id: str) -> None:
        """The refusal is reported; no effect once the claim is over."""

    async def forget_refusal(self, org_id: str) -> None:
        """The credential in use works again, or is another."""


class CredentialCheck(Protocol):
    """Credentials as published, made usable and tried."""

    def credential_of(self, request: IntegrationRequest) -> str:
        """The hash of the consumer key. Raises CredentialError when the seal or the secret cannot be opened."""

    async def verify(self, request: IntegrationRequest) -> None:
        """One token request (C3). Raises CredentialError, UnavailableError."""
