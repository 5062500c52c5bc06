"""A service whose every port is a fake: what goes in is recorded, what comes out is read from the fake Swoogo."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from consumer.adapters.redis import codecs
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.pacing.circuit import CircuitRule
from consumer.domain.push.run import Run
from consumer.domain.records.digests import Digests
from consumer.domain.records.identity import Source, key_of
from consumer.domain.records.ledger import Entry
from consumer.domain.records.snapshot import Contact, Resource, Session
from consumer.ports import Budget, Change, CredentialCheck, Lease, Swoogo, SyncRequest, event_subject
from consumer.services.circuit_gate import CircuitGate
from consumer.services.connect import Connector
from consumer.services.dispatch import Dispatcher, Pushes
from consumer.services.images import ImageQueue
from consumer.services.plan_input import rules_of
from consumer.services.push import Pusher
from consumer.services.voids import Voids
from consumer.settings import PushSettings, ReconcileSettings, SwoogoSettings
from consumer.wiring.services import PushPorts, build_pusher, dispatcher_on
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
from tests.support.fakes.pairs import ListedStates
from tests.support.fakes.timeline import InMemoryTimeline

SETTINGS = PushSettings(
    create_settle_time=120.0, retry_first=5.0, retry_max=600.0, concurrency=4, max_events_per_credential=2, lease=60.0
)
API = SwoogoSettings(credit_reserve=0)
DIGEST_KEY = b"k" * 32
DIGESTS = Digests((DIGEST_KEY,))
RULES = rules_of(SETTINGS, API, DIGESTS)
NO_RECONCILE = ReconcileSettings(interval=0)
SUBJECT = event_subject(EVENT)


def push_settings(**changed: Any) -> PushSettings:
    """Those of a test; a name that is no setting is an error, which `model_copy` would not notice."""
    return PushSettings(**{**SETTINGS.model_dump(), **changed})


class Memory:
    """What a service keeps, in memory, on one clock; `pusher` and `dispatcher` are built on it as the service's own."""

    def __init__(
        self,
        clock: FakeClock,
        *,
        quiet: float,
        max_wait: float,
        lease: float,
        survey: float,
        rule: CircuitRule | None = None,
    ) -> None:
        """Seconds; `rule`: of the circuits."""
        self.clock = clock
        self.inbox = InMemoryInbox(clock, quiet=quiet, max_wait=max_wait, lease=lease, survey=survey)
        self.ledger = InMemoryLedger(self.inbox)
        self.board = InMemoryStatusBoard(self.inbox)
        self.connections = InMemoryConnections(self.inbox)
        self.pairs = InMemoryPairs()
        self.circuits = InMemoryCircuits(clock, rule)
        self.state_log = ListedStates()
        self.timeline = InMemoryTimeline(self.inbox)

    def ports(self, swoogo: Swoogo, budget: Budget, images: ImageQueue) -> PushPorts:
        """Those of a push."""
        kept = (self.board, self.clock, self.connections, self.state_log, self.timeline)
        return PushPorts(self.inbox, self.ledger, swoogo, budget, images, *kept)

    def serve(self, ports: PushPorts, credentials: CredentialCheck, pusher: Pushes, push: PushSettings) -> Dispatcher:
        """The dispatcher on these ports. It stops when the pusher does."""
        return dispatcher_on(
            ports,
            self.pairs,
            credentials,
            self.circuits,
            pusher,
            push,
            stopping=pusher.stopping if isinstance(pusher, Pusher) else None,
        )


class World(Memory):
    """One mapped event, and everything the services stand on."""

    def __init__(self, clock: FakeClock, reconcile: ReconcileSettings, settings: PushSettings) -> None:
        super().__init__(clock, quiet=10.0, max_wait=60.0, lease=settings.lease, survey=reconcile.interval)
        self.settings = settings
        self.swoogo, self.credentials, self.images = FakeSwoogo(clock, DIGESTS), FakeCredentials(), FakeImages()
        queue = ImageQueue(self.images, patience=0.05)
        self._ports = self.ports(self.swoogo, InMemoryBudget(clock, self.inbox), queue)
        self.pusher = build_pusher(self._ports, settings, reconcile, API, digests=DIGESTS)
        worker = self.dispatcher()
        self.connector: Connector = worker.connector
        self.gate: CircuitGate = worker.gate
        self.voids: Voids = worker.unmapped.voids
        self.mapping = a_mapping()
        self.hints = InMemoryHints(self.inbox, self.connections)
        self._version = 0

    def dispatcher(self, pusher: Pushes | None = None, **changed: Any) -> Dispatcher:
        """One at work on this; `changed` are settings of the push."""
        settings = PushSettings(**{**self.settings.model_dump(), **changed})
        return self.serve(self._ports, self.credentials, pusher or self.pusher, settings)

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
    world = World(FakeClock(NOW), reconcile, push_settings(**changed))
    await world.inbox.set_continuous(EVENT, on=True)
    await world.connections.put_connection(ORG, a_connection())
    await world.connections.put_mapping(ORG, EVENT, world.mapping)
    world.swoogo.zones[world.mapping.swoogo_event_id] = world.mapping.timezone
    return world
