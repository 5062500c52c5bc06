"""CONNECT: requested integrations and pairs are checked, and take effect or are refused with a sentence (C, M, X1).

Claimed per organization like an event, so two replicas never verify the same credentials at once. Level-triggered:
what is requested is compared with what is in force.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from consumer.domain.connection import (
    Announcement,
    Connection,
    IntegrationRequest,
    MappingRequest,
    RejectionCode,
    Verdict,
    check_mapping,
)
from consumer.domain.errors import CredentialError, MissingError, RefusedError
from consumer.domain.mapping import EventMapping
from consumer.domain.report import Trigger
from consumer.ports import Connections, CredentialCheck, Inbox, Lease, StatusBoard, Swoogo, Work


@dataclass(frozen=True, slots=True)
class Connector:
    """Brings an organization's connections to what was last published."""

    inbox: Inbox
    connections: Connections
    credentials: CredentialCheck
    swoogo: Swoogo
    board: StatusBoard

    async def settle(self, lease: Lease) -> None:
        """Deal with everything new of an organization.

        Raises:
            RetryableError: Swoogo could not be asked; the organization is to be claimed again later.
            LeaseLostError: another worker has it.
        """
        org_id = lease.subject.id
        requests, marks = await self.inbox.requests(org_id)
        connection = await self.connections.connection(org_id)
        integration = requests.get(f"integration/{org_id}")
        renewed = False
        if isinstance(integration, IntegrationRequest) and f"integration/{org_id}" in marks:
            before = connection
            connection = await self._integrate(integration, connection)
            renewed = before is None and connection is not None
        active = await self.connections.mappings(org_id)
        for key, request in sorted(requests.items()):
            # A pair refused for want of credentials gets its chance when they arrive.
            waiting = renewed and isinstance(request, MappingRequest) and request.event_id not in active
            if isinstance(request, MappingRequest) and (key in marks or waiting):
                await self._map(request, active.get(request.event_id), connection, lease)
        await self.inbox.complete(lease, marks)

    async def _integrate(self, wanted: IntegrationRequest, current: Connection | None) -> Connection | None:
        """C1, C3: verified before it replaces the one in use; a refusal leaves that one in force."""
        if not wanted.connected:
            await self._disconnect(wanted.org_id)
            return None
        if current is None or not current.uses(wanted):
            try:
                credential = self.credentials.credential_of(wanted)
            except CredentialError as error:
                await self._tell_integration(wanted, RejectionCode.CREDENTIALS_UNREADABLE, str(error))
                return current
            try:
                await self.credentials.verify(wanted)
            except CredentialError as error:
                await self._tell_integration(wanted, RejectionCode.CREDENTIALS_REFUSED, str(error))
                return current
            current = Connection(wanted.org_id, credential, wanted.continuous, wanted.sealed, wanted.secret_name)
        else:
            current = replace(current, continuous=wanted.continuous)
        await self.connections.put_connection(wanted.org_id, current)
        for event_id, mapping in (await self.connections.mappings(wanted.org_id)).items():
            await self._activate(
                replace(mapping, continuous=current.continuous, credential=current.credential), event_id
            )
        await self._tell_integration(wanted, None, "Swoogo accepted the credentials.")
        return current

    async def _disconnect(self, org_id: str) -> None:
        """X1: ends every mapping of the organization."""
        for mapping in (await self.connections.mappings(org_id)).values():
            await self._deactivate(mapping, "disconnected", "Swoogo was disconnected; the pair is no longer synced.")
        await self.connections.put_connection(org_id, None)

    async def _map(
        self, wanted: MappingRequest, current: EventMapping | None, connection: Connection | None, lease: Lease
    ) -> None:
        if not wanted.present:
            if current:  # M4: this pair only
                await self._deactivate(current, "", "The pair is no longer synced.")
            return
        verdict = check_mapping(wanted, connection, await self.connections.pairs())
        if verdict.code or connection is None:
            await self._tell_mapping("mapping.rejected", wanted, verdict)
            return
        mapping = EventMapping(
            event_id=wanted.event_id,
            org_id=wanted.org_id,
            swoogo_event_id=wanted.swoogo_event_id,
            timezone=wanted.timezone,
            credential=connection.credential,
            continuous=connection.continuous,
            name=wanted.name,
            settings=wanted.settings,
        )
        if current is None or current.swoogo_event_id != mapping.swoogo_event_id:
            verdict = await self._readable(mapping, connection, lease)
            if not verdict.code and not await self.connections.claim_pair(mapping.event_id, mapping.swoogo_event_id):
                verdict = check_mapping(wanted, connection, await self.connections.pairs())
        if verdict.code:
            await self._tell_mapping("mapping.rejected", wanted, verdict)
            return
        await self._activate(mapping, wanted.event_id)
        sentence = f"Sessionboard event {mapping.event_id} is synced to Swoogo event {mapping.swoogo_event_id}."
        await self._tell_mapping("mapping.accepted", wanted, Verdict(sentence=sentence))

    async def _readable(self, mapping: EventMapping, connection: Connection, lease: Lease) -> Verdict:
        """M6: the credential can read the Swoogo event."""
        try:
            await self.swoogo.event_timezone(Work(mapping, connection, lease, Trigger.MANUAL))
        except (MissingError, RefusedError):
            return Verdict(
                RejectionCode.SWOOGO_EVENT_NOT_FOUND,
                f"Swoogo event {mapping.swoogo_event_id} does not exist or the credentials cannot read it.",
            )
        except CredentialError as error:
            return Verdict(RejectionCode.CREDENTIALS_REFUSED, str(error))
        return Verdict()

    async def _activate(self, mapping: EventMapping, event_id: str) -> None:
        await self.connections.put_mapping(mapping.org_id, event_id, mapping)
        await self.inbox.set_continuous(event_id, on=mapping.continuous)

    async def _deactivate(self, mapping: EventMapping, code: str, sentence: str) -> None:
        await self.inbox.set_continuous(mapping.event_id, on=False)
        await self.connections.put_mapping(mapping.org_id, mapping.event_id, None)
        await self.board.announce(
            Announcement("mapping.removed", mapping.org_id, sentence, code, mapping.event_id, mapping.swoogo_event_id)
        )

    async def _tell_integration(self, wanted: IntegrationRequest, code: RejectionCode | None, sentence: str) -> None:
        action = "integration.rejected" if code else "integration.accepted"
        await self.board.announce(Announcement(action, wanted.org_id, sentence, code.value if code else ""))

    async def _tell_mapping(self, action: str, wanted: MappingRequest, verdict: Verdict) -> None:
        code = verdict.code.value if verdict.code else ""
        await self.board.announce(
            Announcement(action, wanted.org_id, verdict.sentence, code, wanted.event_id, wanted.swoogo_event_id)
        )
