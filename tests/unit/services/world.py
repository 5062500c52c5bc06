"""A service whose every port is a fake: what goes in is recorded, what comes out is read from the fake Swoogo."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from consumer.adapters.redis import codecs
from consumer.domain.digests import Digests
from consumer.domain.identity import Source, key_of
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import Entry
from consumer.domain.mapping import EventMapping
from consumer.domain.run import Run
from consumer.domain.snapshot import Contact, Resource, Session
from consumer.ports import Change, Lease, SyncRequest, event_subject
from consumer.services.circuit_gate import CircuitGate
from consumer.services.connect import Connector
from consumer.services.images import ImageQueue
from consumer.services.planning import rules_of
from consumer.services.push import Pusher
from consumer.services.voids import Voids
from consumer.settings import PushSettings, ReconcileSettings, SwoogoSettings
from consumer.wiring import PushPorts, build_pusher
from tests.support.builders import EVENT, NOW, ORG, a_connection, a_mapping
from tests.support.fakes import (
    FakeClock,
    FakeCredentials,
    FakeImages,
    FakeSwoogo,
    InMemoryBudget,
    InMemoryCircuits,
    InMemoryConnections,
    InMemoryInbox,
    InMemoryLedger,
    InMemoryPairs,
    InMemoryStatusBoard,
)
from tests.support.fakes.hints import InMemoryHints
from tests.support.fakes.pairs import ListedStandings

SETTINGS = PushSettings(
    create_settle_time=120.0, retry_first=5.0, retry_max=600.0, concurrency=4, max_events_per_credential=2, lease=60.0
)
API = SwoogoSettings(credit_reserve=0)
DIGEST_KEY = b"k" * 32
DIGESTS = Digests((DIGEST_KEY,))
RULES = rules_of(SETTINGS, API, DIGESTS)
NO_RECONCILE = ReconcileSettings(interval=0)
SUBJECT = event_subject(EVENT)


@dataclass
class World:
    """One mapped event, and everything the services stand on."""

    clock: FakeClock
    inbox: InMemoryInbox
    ledger: InMemoryLedger
    swoogo: FakeSwoogo
    board: InMemoryStatusBoard
    connections: InMemoryConnections
    credentials: FakeCredentials
    pusher: Pusher
    connector: Connector
    images: FakeImages
    pairs: InMemoryPairs
    circuits: InMemoryCircuits
    gate: CircuitGate
    voids: Voids
    standings: ListedStandings
    hints: InMemoryHints
    mapping: EventMapping = field(default_factory=a_mapping)
    _version: int = 0

    async def given(self, *resources: Resource, event_id: str = EVENT) -> None:
        """Sessionboard says so, now."""
        changes = []
        for resource in resources:
            self._version += 1
            source = (
                Source.SESSION
                if isinstance(resource, Session)
                else Source.CONTACT
                if isinstance(resource, Contact)
                else Source.SPONSOR
            )
            changes.append(Change(key_of(source, resource.id), f"{self._version:015d}", codecs.encode(resource)))
        await self.inbox.record(event_subject(event_id), changes)

    async def claim(self, request: SyncRequest | None = None) -> Lease:
        """A lease on the event, which waits for its moment when it has one and is asked for otherwise."""
        if request or self.inbox.state(SUBJECT).due is None:
            self._version += 1
            asked = request or SyncRequest("asked")
            asked = replace(asked, id=f"{asked.id}-{self._version}")  # each press is another request
            await self.inbox.request_sync(EVENT, asked, f"{self._version:015d}")
        due = await self.inbox.due(1)
        if not due.subjects and due.next_in is not None:
            await self.clock.advance(due.next_in)
        lease = await self.inbox.claim(SUBJECT, self.clock.new_id())
        assert lease is not None
        return lease

    async def push(self, request: SyncRequest | None = None) -> Run:
        """Claim and push the event."""
        return await self.push_claimed(await self.claim(request))

    async def push_claimed(self, lease: Lease) -> Run:
        """Push a claimed event."""
        return (await self.pusher.push(lease, self.mapping, a_connection())).run

    async def sync(self, *resources: Resource) -> Run:
        """Record and push."""
        await self.given(*resources)
        return await self.push()

    def entry(self, key: str) -> Entry:
        """A ledger entry."""
        return self.ledger.entries[EVENT][key]

    async def issues(self) -> list[Issue]:
        """What the admin of the event sees."""
        return sorted((await self.board.issues(EVENT)).values(), key=str)

    async def codes(self) -> list[tuple[str, Code]]:
        """Record and code of each issue."""
        return [(issue.key, issue.code) for issue in await self.issues()]

    @property
    def marks(self) -> dict[str, str]:
        """What is still dirty."""
        return self.inbox.state(SUBJECT).marks


async def a_world(reconcile: ReconcileSettings = NO_RECONCILE, **changed: Any) -> World:
    """One mapped event with continuous sync; `changed` are settings of the push."""
    clock = FakeClock(NOW)
    settings = SETTINGS.model_copy(update=changed)
    inbox = InMemoryInbox(clock, quiet=10.0, max_wait=60.0, lease=settings.lease, survey=reconcile.interval)
    ledger, swoogo, board = InMemoryLedger(inbox), FakeSwoogo(clock, DIGESTS), InMemoryStatusBoard(inbox)
    images = FakeImages()
    connections, credentials = InMemoryConnections(inbox), FakeCredentials()
    queue, standings = ImageQueue(images, patience=0.05), ListedStandings()
    budget = InMemoryBudget(clock, inbox)
    ports = PushPorts(inbox, ledger, swoogo, budget, queue, board, clock, connections, standings)
    pusher = build_pusher(ports, settings, reconcile, API, digests=DIGESTS)
    pairs = InMemoryPairs()
    connector = Connector(inbox, connections, pairs, credentials, swoogo, board, clock, standings)
    circuits = InMemoryCircuits(clock)
    gate = CircuitGate(circuits, swoogo, connections, board, clock)
    world = World(
        clock,
        inbox,
        ledger,
        swoogo,
        board,
        connections,
        credentials,
        pusher,
        connector,
        images,
        pairs,
        circuits,
        gate,
        Voids(inbox, connections, ledger, pairs, clock),
        standings,
        InMemoryHints(inbox, connections),
    )
    await inbox.set_continuous(EVENT, on=True)
    await connections.put_connection(ORG, a_connection())
    await connections.put_mapping(ORG, EVENT, world.mapping)
    swoogo.zones[world.mapping.swoogo_event_id] = world.mapping.timezone
    return world
