"""The service from the dispatcher to the wire: the real Swoogo client against the sandbox, everything else in memory.

Time moves only when something waits for it, so an hour of outage takes a moment. Leases are an hour long, because
no one renews them here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from consumer.adapters.redis import codecs
from consumer.adapters.redis.circuits import rule_of
from consumer.adapters.sealing import credential_id
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Source, key_of, stamp
from consumer.domain.records.snapshot import Session
from consumer.domain.surveys.survey import Depth
from consumer.ports import Change, SyncRequest, event_subject
from consumer.services.dispatch import Dispatcher
from consumer.services.images import ImageQueue
from consumer.settings import PushSettings, ReconcileSettings, SwoogoSettings
from consumer.wiring.services import build_pusher
from sandbox.swoogo import Credential, SandboxSwoogo, create_app
from tests.support.builders import NOW, ZONE, a_room, a_session
from tests.support.fakes import (
    FakeClock,
    FakeImages,
    InMemoryBudget,
    InMemoryCircuits,
    InMemoryConnections,
    InMemoryInbox,
    InMemoryLedger,
    InMemoryStatusBoard,
    InMemoryTokens,
)
from tests.support.service_world import Memory

SECRET: Final = "secret"
LEASE: Final = 3_600.0
PUSH: Final = PushSettings(create_settle_time=120.0, retry_first=5.0, retry_max=600.0, concurrency=4, lease=LEASE)
Hook = Callable[[httpx.Request], None]


class Wire(httpx.AsyncBaseTransport):
    """The sandbox without a socket. `before` and `after` are called around the effect and may raise."""

    def __init__(self, sandbox: SandboxSwoogo) -> None:
        self._app = httpx.ASGITransport(app=create_app(sandbox))
        self.before: Hook = lambda request: None
        self.after: Hook = lambda request: None
        self.attempts: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """One exchange."""
        await request.aread()
        self.attempts.append(request)
        self.before(request)
        response = await self._app.handle_async_request(request)
        await response.aread()
        self.after(request)
        return response


@dataclass(slots=True)
class Site:
    """Mapped events of some credentials; `rows` is what Sessionboard says of each."""

    clock: FakeClock
    sandbox: SandboxSwoogo
    wire: Wire
    inbox: InMemoryInbox
    ledger: InMemoryLedger
    board: InMemoryStatusBoard
    circuits: InMemoryCircuits
    connections: InMemoryConnections
    client: SwoogoClient
    dispatcher: Dispatcher
    said: dict[str, dict[str, Session]] = field(default_factory=dict)
    swoogo_ids: dict[str, int] = field(default_factory=dict)
    _stamp: int = 0

    async def map(self, event_id: str, swoogo_event_id: int, key: str) -> None:
        """A pair of an organization of its own for each credential."""
        credential, org_id = credential_id(key), f"org-{key}"
        await self.connections.put_connection(org_id, Connection(org_id, credential, continuous=True, secret_name=key))
        mapping = EventMapping(event_id, org_id, swoogo_event_id, ZONE, credential)
        await self.connections.put_mapping(org_id, event_id, mapping)
        await self.inbox.set_continuous(event_id, on=True)
        self.said[event_id], self.swoogo_ids[event_id] = {}, swoogo_event_id

    async def say(self, event_id: str, *sessions: Session) -> None:
        """Sessionboard says so."""
        for session in sessions:
            self._stamp += 1
            self.said[event_id][session.id] = session
            change = Change(key_of(Source.SESSION, session.id), stamp(self._stamp, 1, 0), codecs.encode(session))
            await self.inbox.record(event_subject(event_id), [change])

    async def ask(self, event_id: str) -> None:
        """A manual sync is asked for."""
        self._stamp += 1
        await self.inbox.request_sync(event_id, SyncRequest(f"asked-{self._stamp}"), stamp(self._stamp, 1, 0))

    async def reconcile(self, *, deep: bool = True) -> None:
        """Every event is compared with Swoogo."""
        for event_id in self.said:
            await self.inbox.request_survey(event_id, Depth.DEEP if deep else Depth.SHALLOW)
        await self.settle()

    async def settle(self, within: float = 7_200.0) -> None:
        """Everything that is due, or will be within so many seconds, is worked on; then the time is up."""
        end = self.clock.now() + round(within * 1000)
        while True:
            due = await self.inbox.due(10)
            for subject in due.subjects:
                lease = await self.inbox.claim(subject, self.clock.new_id())
                assert lease is not None
                await self.dispatcher._handle(lease)
            if due.subjects:
                continue
            if due.next_in is None or self.clock.now() + due.next_in * 1000 > end:
                self.clock.ms = max(self.clock.ms, end)
                return
            self.clock.ms += max(round(due.next_in * 1000), 1)

    async def codes(self, event_id: str = "ev") -> set[Code]:
        """What is told about the event now."""
        return {issue.code for issue in (await self.board.issues(event_id)).values()}

    def differences(self, event_id: str = "ev") -> list[str]:
        """Where the sandbox is not as Sessionboard says: lacking, too much, doubled, old."""
        state, said = self.sandbox.state(self.swoogo_ids[event_id]), self.said[event_id].values()
        people = {attendance.contact_id for session in said for attendance in session.people}
        linked = {(link["speaker_id"], link["session_id"]) for link in state["links"]}
        wanted = {
            "sessions": sorted((each.title or "", each.description or "") for each in said),
            "speakers": sorted(f"{each}@example.org" for each in people),
            "locations": sorted({each.room.name for each in said if each.room}),
            "links": sum(len(each.people) for each in said),
        }
        shown: dict[str, Any] = {
            "sessions": sorted((row["name"], row["description"] or "") for row in state["sessions"]),
            "speakers": sorted(row["email"] for row in state["speakers"]),
            "locations": sorted(row["name"] for row in state["locations"]),
            "links": len(linked),
        }
        return [f"{kind}: {shown[kind]}, not {each}" for kind, each in wanted.items() if shown[kind] != each]

    def calls(self, key: str = "key") -> list[dict[str, Any]]:
        """Calls that reached the sandbox with this credential."""
        return [call for call in self.sandbox.journal() if call["credential"] == key]

    def credits(self, key: str = "key") -> dict[str, Any]:
        """What the sandbox counted."""
        counted: dict[str, Any] = self.sandbox.stats()["credentials"][key]
        return counted


def a_site(*keys: str, limit: int = 2_000, **settings: Any) -> Site:
    """No event yet; `keys` are credentials, `limit` what the sandbox allows each, whatever the client thinks."""
    clock = FakeClock(NOW, auto=True)
    api = SwoogoSettings(**{"deadline": 0.5, **settings})
    sandbox = SandboxSwoogo(
        limit=limit,
        credentials=[Credential(key, SECRET) for key in keys or ("key",)],
        clock=lambda: clock.now() / 1000,
    )
    wire = Wire(sandbox)
    reconcile = ReconcileSettings(interval=0)
    kept = Memory(clock, quiet=1.0, max_wait=5.0, lease=LEASE, survey=0, rule=rule_of(api))
    budget = InMemoryBudget(
        clock,
        kept.inbox,
        limit=api.credit_limit,
        window=api.credit_window,
        reserve=api.credit_reserve,
        ask_again=1.0,
    )
    client = SwoogoClient(
        api, budget, InMemoryTokens(clock), clock, lambda source: (source.secret_name, SECRET), kept.circuits, wire
    )
    ports = kept.ports(client, budget, ImageQueue(FakeImages()))
    dispatcher = kept.serve(ports, client.credentials, build_pusher(ports, PUSH, reconcile, api), PUSH)
    return Site(
        clock,
        sandbox,
        wire,
        kept.inbox,
        kept.ledger,
        kept.board,
        kept.circuits,
        kept.connections,
        client,
        dispatcher,
    )


async def one_event(**settings: Any) -> Site:
    """One event with three sessions, a speaker on two of them, and a room, none of it in Swoogo yet."""
    site = a_site(**settings)
    [swoogo_id] = site.sandbox.seed({"events": [{"name": "Conference", "timezone": ZONE}]})["events"]
    await site.map("ev", swoogo_id, "key")
    await site.say("ev", *sessions())
    return site


def sessions(word: str = "Title") -> list[Session]:
    """Three sessions."""
    return [
        a_session("s1", title=f"{word} 1", people=["c1"], room=a_room()),
        a_session("s2", title=f"{word} 2", people=["c1"]),
        a_session("s3", title=f"{word} 3"),
    ]
