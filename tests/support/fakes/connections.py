"""Accepted credentials and active pairs in memory, and credentials that are good unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from consumer.domain.connections.connection import Connection, IntegrationRequest
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import CredentialError, UnavailableError
from consumer.ports import Lease
from tests.support.fakes.inbox import InMemoryInbox


class InMemoryConnections:
    """See `ports.Connections`."""

    def __init__(self, inbox: InMemoryInbox | None = None) -> None:
        """`inbox`: who has the leases; without it none is older than another."""
        self._inbox = inbox
        self.accepted: dict[str, Connection] = {}
        self.in_force: dict[str, EventMapping] = {}
        self.events_of: dict[str, set[str]] = {}
        self._asked: dict[str, set[str]] = {}
        self._refused: dict[str, tuple[str, str | None]] = {}

    async def connection(self, org_id: str) -> Connection | None:
        """See `ports.Connections`."""
        return self.accepted.get(org_id)

    async def put_connection(self, org_id: str, connection: Connection | None, *, by: Lease | None = None) -> None:
        """See `ports.Connections`."""
        if self._inbox and by:
            self._inbox.fence(by)
        if connection is None:
            self.accepted.pop(org_id, None)
        else:
            self.accepted[org_id] = connection

    async def mapping(self, event_id: str) -> EventMapping | None:
        """See `ports.Connections`."""
        return self.in_force.get(event_id)

    async def credentials_of(self, events: Sequence[str]) -> Mapping[str, str]:
        """See `ports.Connections`."""
        return {event: self.in_force[event].credential for event in events if event in self.in_force}

    async def mappings(self, org_id: str, events: Collection[str] | None = None) -> Mapping[str, EventMapping]:
        """See `ports.Connections`."""
        events = self.events_of.get(org_id, set()) if events is None else events
        found = {event: self.in_force[event] for event in sorted(events) if event in self.in_force}
        return {event: mapping for event, mapping in found.items() if mapping.org_id == org_id}

    async def fence(
        self, org_id: str, events: Collection[str], *, by: Lease | None = None, others: bool = True
    ) -> None:
        """See `ports.Connections`."""
        if self._inbox:
            for event_id in sorted({*events, *(self.events_of.get(org_id, ()) if others else ())}):
                self._inbox.hold(event_id, org_id, by)

    async def put_mapping(
        self, org_id: str, event_id: str, mapping: EventMapping | None, *, by: Lease | None = None
    ) -> None:
        """See `ports.Connections`."""
        if mapping:
            self.events_of.setdefault(org_id, set()).add(event_id)
        if self._inbox and by:
            self._inbox.fence_holder(event_id, by)
        if mapping is None:
            held = self.in_force.get(event_id)
            if by is None or (held and held.org_id == org_id):
                self.in_force.pop(event_id, None)
        else:
            self.in_force[event_id] = mapping

    async def replace_mapping(self, before: EventMapping, after: EventMapping) -> bool:
        """See `ports.Connections`."""
        if self.in_force.get(before.event_id) not in {before, after}:
            return False
        self.in_force[before.event_id] = after
        return True

    async def add_requester(self, event_id: str, org_id: str) -> None:
        """See `ports.Connections`."""
        self._asked.setdefault(event_id, set()).add(org_id)

    async def requesters_of(self, event_id: str) -> frozenset[str]:
        """See `ports.Connections`."""
        return frozenset(self._asked.get(event_id, ()))

    async def claim_refusal_report(self, org_id: str, credential: str, op_id: str) -> bool:
        """See `ports.Connections`. Claims do not end here: no fake dies between the two."""
        held = self._refused.get(org_id)
        if held is not None and held[0] == credential and held[1] != op_id:
            return False
        self._refused[org_id] = (credential, op_id)
        return True

    async def confirm_refusal_report(self, org_id: str, credential: str, op_id: str) -> None:
        """See `ports.Connections`."""
        if self._refused.get(org_id) == (credential, op_id):
            self._refused[org_id] = (credential, None)

    async def forget_refusal(self, org_id: str) -> None:
        """See `ports.Connections`."""
        self._refused.pop(org_id, None)


class FakeCredentials:
    """See `ports.CredentialCheck`. Credentials are told apart by their sealed text or secret name.

    Attributes:
        unreadable: those sealed to another key.
        refused: those Swoogo does not take.
        unavailable: how many more checks find Swoogo silent.
        verified: what was tried, oldest first.
    """

    def __init__(self) -> None:
        self.unreadable: set[str] = set()
        self.refused: set[str] = set()
        self.unavailable = 0
        self.verified: list[str] = []

    def credential_of(self, request: IntegrationRequest) -> str:
        """See `ports.CredentialCheck`."""
        name = request.sealed or request.secret_name
        if name in self.unreadable:
            raise CredentialError("The credentials are sealed to another key.")
        return f"hash-of-{name}"

    async def verify(self, request: IntegrationRequest) -> None:
        """See `ports.CredentialCheck`."""
        name = request.sealed or request.secret_name
        self.verified.append(name)
        if self.unavailable:
            self.unavailable -= 1
            raise UnavailableError("Swoogo did not answer.")
        if name in self.refused:
            raise CredentialError("Swoogo refused the credentials.")
