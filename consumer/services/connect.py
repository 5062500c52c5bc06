"""CONNECT: requested integrations and pairs are checked, and take effect or are refused with a sentence (C, M, X).

Claimed per organization like an event, so two replicas never verify the same credentials at once. Level-triggered:
what is requested is compared with what is in force. A disconnect is a request of its own, so that credentials published
after it never hide it, and a pair counts only when it was published after the last disconnect (X1).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from consumer.domain.connection_state import ConnectionState, connection_states
from consumer.domain.connections.connection import (
    Announcement,
    Connection,
    IntegrationRequest,
    MappingRequest,
    RejectionCode,
    Verdict,
    check_mapping,
    disconnect_key,
    held_back,
    integration_key,
)
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.pair import Pair, PairEnd, Partners
from consumer.domain.errors import CredentialError, MissingError, RefusedError
from consumer.domain.issues.issue import Code
from consumer.domain.planning.timezones import compare_zones, described, timezone_seen, writable
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import moments_of
from consumer.domain.records.snapshot import Snapshot
from consumer.domain.surveys.survey import Depth
from consumer.ports import (
    Change,
    Clock,
    Connections,
    CredentialCheck,
    Inbox,
    Lease,
    PairRegister,
    Requested,
    StateLog,
    StatusBoard,
    Swoogo,
    Work,
    event_subject,
)


@dataclass(frozen=True, slots=True)
class Connector:
    """Brings an organization's connections to what was last published. `webhooks`: some may be registered."""

    inbox: Inbox
    connections: Connections
    pairs: PairRegister
    credentials: CredentialCheck
    swoogo: Swoogo
    board: StatusBoard
    clock: Clock
    state_log: StateLog
    webhooks: bool = False

    async def serve(self, lease: Lease) -> None:
        """Deal with everything new of an organization.

        Raises:
            RetryableError: Swoogo could not be asked; the organization is to be claimed again later.
            LeaseLostError: another worker has it.
        """
        org_id = lease.subject.id
        asked = await self.inbox.news(org_id)
        # News of its credentials concern all its pairs; else only those are touched that are news. A former lease that
        # did not get to its end left its marks, so what it may still write is among them.
        key = integration_key(org_id)
        everything = bool({key, disconnect_key(org_id)} & asked.marks.keys())
        events = {
            request.event_id
            for name, request in asked.rows.items()
            if isinstance(request, MappingRequest) and (everything or name in asked.marks)
        }
        await self.connections.fence(org_id, events, by=lease, others=everything)
        await self.pairs.fence(lease)
        connection = await self.connections.connection(org_id)
        # The stamp of the newest disconnect; "" when there was none.
        disconnected, now = asked.stamps.get(disconnect_key(org_id), ""), self.clock.now()
        asks_disconnect = disconnect_key(org_id) in asked.marks
        disconnecting = asks_disconnect and (connection is None or disconnected > connection.connected_by)
        if disconnecting:
            await self._disconnect(lease, max(moments_of(disconnected)))
            connection = None
        elif asks_disconnect and connection and (why := held_back("credentials", connection.connected_by, now)):
            await self._tell_integration(org_id, RejectionCode.DATED_TOO_EARLY, f"Swoogo is not disconnected. {why}")
        integration, stamp = asked.rows.get(key), asked.stamps.get(key, "")
        too_early = held_back("a disconnect", disconnected, self.clock.now())
        if too_early and key in asked.marks and stamp <= disconnected:
            await self._tell_integration(org_id, RejectionCode.DATED_TOO_EARLY, too_early)
        if (
            isinstance(integration, IntegrationRequest)
            and stamp > disconnected
            and (disconnecting or key in asked.marks)
        ):
            connection = await self._integrate(lease, asked, integration, connection)
        # A pair refused for want of credentials is tried when some arrive; by the mark, so that a call of this that was
        # broken off tries it too.
        retries_refused = connection is not None and everything
        touched = None if everything else events
        active: dict[str, EventMapping | None] = {**await self.connections.mappings(org_id, touched)}
        logged = False
        for name, request in sorted(asked.rows.items()):
            if not isinstance(request, MappingRequest):
                continue
            if request.present and moments_of(asked.stamps.get(name, "")) < moments_of(disconnected):
                if too_early and name in asked.marks:
                    verdict = Verdict(RejectionCode.DATED_TOO_EARLY, too_early)
                    await self._tell_mapping("mapping.rejected", request, verdict)
                continue  # X1: asked for before the disconnect
            if name in asked.marks or (retries_refused and request.present and not active.get(request.event_id)):
                stamp, news, before = asked.stamps.get(name, ""), name in asked.marks, active.get(request.event_id)
                after = await self._map(request, before, connection, lease, stamp=stamp, news=news)
                active[request.event_id], logged = after, before is None and after is not None
        if not logged:  # a pair that began was logged with all before it
            await self.pairs.flush(lease)
        held = {event_id: mapping for event_id, mapping in active.items() if mapping}
        await self.state_log.write_states(
            connection_states(org_id, connection, held, asked.stamps, lease.epoch, touched)
        )
        await self.inbox.complete(lease, asked.marks)

    async def _integrate(
        self, lease: Lease, asked: Requested, wanted: IntegrationRequest, current: Connection | None
    ) -> Connection | None:
        """C1, C3: verified before it replaces the one in use; a refusal leaves that one in force."""
        stamp = asked.stamps[integration_key(wanted.org_id)]
        since = current.connected_by if current else stamp
        if current is None or not current.uses(wanted):
            try:
                credential = self.credentials.credential_of(wanted)
            except CredentialError as error:
                await self._tell_integration(wanted.org_id, RejectionCode.CREDENTIALS_UNREADABLE, str(error))
                return current
            try:
                await self.credentials.verify(wanted)
            except CredentialError as error:
                await self._tell_integration(wanted.org_id, RejectionCode.CREDENTIALS_REFUSED, str(error))
                return current
            current = Connection(wanted.org_id, credential, wanted.continuous, wanted.sealed, wanted.secret_name)
            await self.connections.forget_refusal(wanted.org_id)
        current = replace(current, continuous=wanted.continuous, stamp=stamp, since=since)
        # Logged before it is in force: after a loss of Redis it is known whose credits may have been spent (G5).
        await self.state_log.write_states([ConnectionState(wanted.org_id, current, asked.served, lease.epoch)])
        await self.connections.put_connection(wanted.org_id, current, by=lease)
        for mapping in (await self.connections.mappings(wanted.org_id)).values():
            await self._activate(lease, replace(mapping, continuous=current.continuous, credential=current.credential))
        await self._tell_integration(wanted.org_id, None, "Swoogo accepted the credentials.")
        return current

    async def _disconnect(self, lease: Lease, era: int) -> None:
        """X1, X2: ends every mapping of the organization, and seals what any pair of it has ever synced."""
        org_id = lease.subject.id
        pairs = [pair for pair in (await self.pairs.all()).values() if pair.org_id == org_id]
        held: dict[str, EventMapping | Pair] = {pair.event_id: pair for pair in pairs if pair.ended_at is None}
        for each in (held | {**await self.connections.mappings(org_id)}).values():
            sentence = "Swoogo was disconnected; the pair is no longer synced."
            await self._deactivate(each, lease, PairEnd.DISCONNECTED, sentence, era=era)
        for pair in pairs:
            if pair.event_id not in held and pair.era < era:
                await self.pairs.end(lease, pair.event_id, PairEnd.DISCONNECTED, self.clock.now(), era=era)
        await self.pairs.flush(lease)
        await self.connections.forget_refusal(org_id)
        await self.connections.put_connection(org_id, None, by=lease)

    async def _map(
        self,
        wanted: MappingRequest,
        current: EventMapping | None,
        connection: Connection | None,
        lease: Lease,
        *,
        stamp: str,
        news: bool,
    ) -> EventMapping | None:
        if not wanted.present:
            # M4: this pair only; also one whose end or beginning was broken off, which is not in force.
            pair = await self.pairs.pair(wanted.event_id)
            held = pair if pair and pair.org_id == wanted.org_id and pair.ended_at is None else current
            if held:
                await self._deactivate(held, lease, PairEnd.REMOVED, "The pair is no longer synced.")
            return None if held else current
        snapshot = await self.inbox.snapshot(wanted.event_id)
        verdict = check_mapping(wanted, connection, await self._partners(wanted), snapshot.organizations)
        if verdict.partner and not news:
            return current  # was refused for that before, and people know
        if verdict.code is RejectionCode.EVENT_OF_OTHER_ORGANIZATION and current:
            await self._deactivate(current, lease, PairEnd.REMOVED, verdict.sentence)  # M8, whichever came first
            current = None
        if verdict.code or connection is None:
            await self._tell_mapping("mapping.rejected", wanted, verdict)
            return current
        mapping = EventMapping(
            event_id=wanted.event_id,
            org_id=wanted.org_id,
            swoogo_event_id=wanted.swoogo_event_id,
            timezone=wanted.timezone,
            credential=connection.credential,
            continuous=connection.continuous,
            name=wanted.name,
            settings=wanted.settings,
            swoogo_timezone=current.swoogo_timezone if current else None,
            era=current.era if current else 0,
        )
        if current is None:
            mapping, verdict = await self._readable(mapping, connection, lease)
            pair = None
            if not verdict.code:
                pair = await self.pairs.claim(lease, mapping.event_id, mapping.swoogo_event_id, self.clock.now())
                if pair is None:
                    verdict = check_mapping(wanted, connection, await self._partners(wanted))
            if verdict.code or pair is None:
                await self._tell_mapping("mapping.rejected", wanted, verdict)
                return None
            # M2: before the pair counts, so that no loss of Redis can give either partner to another.
            await self.pairs.flush(lease)
            mapping = replace(mapping, era=pair.era)
        await self._activate(lease, mapping, stamp)
        await self._accepted(mapping, wanted, snapshot)
        return mapping

    async def _accepted(self, mapping: EventMapping, wanted: MappingRequest, snapshot: Snapshot) -> None:
        """M7: accepted all the same when the zones differ; every session is then written with its own."""
        sentence = f"Sessionboard event {mapping.event_id} is synced to Swoogo event {mapping.swoogo_event_id}."
        issues: tuple[str, ...] = ()
        now = self.clock.now()
        if compare_zones(mapping, writable(snapshot, now), now).differ:
            issues = (Code.TIMEZONE_MISMATCH.value,)
            sentence += (
                f" Their time zones differ ({described(mapping)}); each session is written with its own time zone."
            )
        await self._tell_mapping("mapping.accepted", wanted, Verdict(sentence=sentence), issues)

    async def _partners(self, wanted: MappingRequest) -> Partners:
        return await self.pairs.partners(wanted.event_id, wanted.swoogo_event_id)

    async def _readable(
        self, mapping: EventMapping, connection: Connection, lease: Lease
    ) -> tuple[EventMapping, Verdict]:
        """M6, M7: the credential can read the Swoogo event; the mapping with its zone."""
        try:
            zone = await self.swoogo.event_timezone(Work(mapping, connection, lease, Trigger.MANUAL))
        except (MissingError, RefusedError):
            return mapping, Verdict(
                RejectionCode.SWOOGO_EVENT_NOT_FOUND,
                f"Swoogo event {mapping.swoogo_event_id} does not exist or the credentials cannot read it.",
            )
        except CredentialError as error:
            return mapping, Verdict(RejectionCode.CREDENTIALS_REFUSED, str(error))
        return timezone_seen(mapping, zone), Verdict()

    async def _activate(self, lease: Lease, mapping: EventMapping, stamp: str = "") -> None:
        """Put a pair in force; with the `stamp` of its request, its event has a change to push."""
        await self.connections.put_mapping(mapping.org_id, mapping.event_id, mapping, by=lease)
        if stamp:
            # What a setting asks for now takes no other change; after the mapping, so that no push with the former
            # one decides it.
            change = Change(f"mapping/{mapping.event_id}", stamp, b"null")
            await self.inbox.record(event_subject(mapping.event_id), [change])
        await self.inbox.set_continuous(mapping.event_id, on=mapping.continuous, by=lease)

    async def _deactivate(
        self, held: EventMapping | Pair, lease: Lease, by: PairEnd, sentence: str, *, era: int = 0
    ) -> None:
        """The pair ends last: from then on another organization may have the event, and nothing of this one's may be in
        force any more (M1). Where this is broken off, the next one finds the pair not ended yet.
        """
        await self.inbox.set_continuous(held.event_id, on=False, by=lease, ended=True)
        await self.connections.put_mapping(held.org_id, held.event_id, None, by=lease)
        # After the mapping: a push that goes on looks at that once it has published, and withdraws for itself.
        await self.board.withdraw(held.event_id)
        code = by.value if by is PairEnd.DISCONNECTED else ""
        await self.board.announce(
            Announcement("mapping.removed", held.org_id, sentence, code, held.event_id, held.swoogo_event_id)
        )
        await self.pairs.end(lease, held.event_id, by, self.clock.now(), era=era)
        if self.webhooks:
            # The next claim of the event finds it unmapped, and removes its webhooks (W1).
            await self.inbox.request_survey(held.event_id, Depth.SHALLOW)

    async def _tell_integration(self, org_id: str, code: RejectionCode | None, sentence: str) -> None:
        action = "integration.rejected" if code else "integration.accepted"
        await self.board.announce(Announcement(action, org_id, sentence, code.value if code else ""))

    async def _tell_mapping(
        self, action: str, wanted: MappingRequest, verdict: Verdict, issues: tuple[str, ...] = ()
    ) -> None:
        code, pair = verdict.code.value if verdict.code else "", (wanted.event_id, wanted.swoogo_event_id)
        await self.board.announce(
            Announcement(action, wanted.org_id, verdict.sentence, code, *pair, verdict.partner, issues)
        )
