"""The service on in-memory ports, living the life of one event; how what it did compares to the oracle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from consumer.adapters.redis import codecs
from consumer.domain.connections.connection import IntegrationRequest, MappingRequest, disconnect_key, integration_key
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Session
from consumer.domain.surveys.survey import Depth
from consumer.ports import Change, Subject, Work, event_subject, org_subject
from consumer.services.dispatch import Dispatcher
from consumer.settings import ReconcileSettings
from tests.support.builders import ORG, ZONE, a_session
from tests.support.fakes.swoogo_calls import Called
from tests.support.service_world import World, a_world
from tests.unit.matrix.oracle import BY_HAND, ELSEWHERE, HERE, Oracle

EVENT: Final = "e1"
_SOON: Final = 100.0
"""Seconds within which whatever waits is waited for: quiet periods, not the next reconcile."""


@dataclass(slots=True)
class Life:
    """One event, from a connected organization without a mapping on."""

    world: World
    dispatcher: Dispatcher
    accepted: bool = True
    changes: int = 0
    written_to: set[int] = field(default_factory=set)
    _stamp: int = 0

    async def map(self) -> None:
        """`mapping.added`."""
        await self._ask(HERE)

    async def map_elsewhere(self) -> None:
        """`mapping.added` with another Swoogo event."""
        await self._ask(ELSEWHERE)

    async def remove(self) -> None:
        """`mapping.removed`."""
        await self._published(f"mapping/{EVENT}", MappingRequest(ORG, EVENT, present=False))

    async def disconnect(self) -> None:
        """`integration.disconnected`."""
        await self._published(disconnect_key(ORG), IntegrationRequest(ORG, connected=False))

    async def reconnect(self) -> None:
        """`integration.connected`."""
        await self._published(integration_key(ORG), IntegrationRequest(ORG, connected=True, secret_name="mounted"))

    async def change(self) -> None:
        """A new title for `s1`, and a new session."""
        self.changes += 1
        await self._recorded(self._first(), a_session(f"new{self.changes}", **self._like("New", self.changes)))

    async def delete_in_swoogo(self) -> None:
        """The record of `s1` goes, and its associations with it."""
        swoogo, found = self.world.swoogo, self._record_of_first()
        if found in swoogo.records[Kind.SESSION]:
            del swoogo.records[Kind.SESSION][found]
            for sessions in swoogo.links.values():
                sessions.discard(found)

    async def edit_in_swoogo(self) -> None:
        """Somebody types another name and description."""
        found = self._record_of_first()
        if found in self.world.swoogo.records[Kind.SESSION]:
            self.world.swoogo.records[Kind.SESSION][found] |= {"name": BY_HAND, "description": BY_HAND}

    async def unaccept(self) -> None:
        """`s1` is pending again."""
        self.accepted = False
        await self._recorded(self._first())

    async def accept(self) -> None:
        """`s1` is accepted."""
        self.accepted = True
        await self._recorded(self._first())

    async def reconcile(self) -> None:
        """A reconcile is due; without a mapping no one plans one."""
        if await self.world.connections.mapping(EVENT):
            await self.world.inbox.request_survey(EVENT, Depth.SHALLOW)
            await self._settle()

    async def watch(self, work: Work, call: Called) -> None:
        """Notes which Swoogo event is written to."""
        if call.what in {"create", "update", "link", "unlink", "delete"}:
            self.written_to.add(work.mapping.swoogo_event_id)

    async def differences(self, oracle: Oracle) -> list[str]:
        """What is not as the oracle says."""
        found: list[str] = []
        swoogo = self.world.swoogo
        mapping = await self.world.connections.mapping(EVENT)
        mapped = mapping.swoogo_event_id if mapping else None
        if mapped != oracle.mapped:
            found.append(f"mapped to {mapped}, not {oracle.mapped}")
        if not self.written_to <= {oracle.partner}:
            found.append(f"wrote to {sorted(self.written_to)}, not only to {oracle.partner}")
        links = set().union(*swoogo.links.values())
        shown = sorted(
            (row["name"], row["description"], identifier in links)
            for identifier, row in swoogo.records[Kind.SESSION].items()
        )
        wanted = sorted((each.name, each.description, each.spoken) for each in oracle.swoogo.values())
        if shown != wanted:
            found.append(f"Swoogo shows {shown}, not {wanted}")
        if len(swoogo.records[Kind.SPEAKER]) != oracle.speaker:
            found.append(f"{len(swoogo.records[Kind.SPEAKER])} speakers, not {int(oracle.speaker)}")
        return found

    async def _ask(self, swoogo_event: int) -> None:
        wanted = MappingRequest(ORG, EVENT, present=True, swoogo_event_id=swoogo_event, timezone=ZONE)
        await self._published(f"mapping/{EVENT}", wanted)

    async def _published(self, key: str, request: IntegrationRequest | MappingRequest) -> None:
        await self._record(org_subject(ORG), Change(key, self._next(), codecs.encode(request)))

    async def _recorded(self, *sessions: Session) -> None:
        changes = [Change(f"session/{each.id}", self._next(), codecs.encode(each)) for each in sessions]
        await self._record(event_subject(EVENT), *changes)

    async def _record(self, subject: Subject, *changes: Change) -> None:
        await self.world.inbox.record(subject, changes)
        await self._settle()

    async def _settle(self) -> None:
        """Everything that is due, or will be soon, is worked on."""
        inbox, clock = self.world.inbox, self.world.clock
        while True:
            due = await inbox.due(10)
            for subject in due.subjects:
                lease = await inbox.claim(subject, clock.new_id())
                assert lease is not None
                await self.dispatcher._handle(lease)
            if not due.subjects:
                if due.next_in is None or due.next_in > _SOON:
                    return
                clock.ms += round(due.next_in * 1000)

    def _first(self) -> Session:
        title = f"Title {self.changes}" if self.changes else "First title"
        fields = {**self._like("Title", self.changes), "title": title, "description": "About s1"}
        return a_session("s1", status="accepted" if self.accepted else "pending", **fields)

    def _like(self, word: str, number: int) -> dict[str, Any]:
        return {"title": f"{word} {number}", "description": f"About new{number}", "people": ["c1"]}

    def _record_of_first(self) -> int | None:
        entry = self.world.ledger.entries.get(EVENT, {}).get("session/s1")
        return entry.swoogo_id if entry else None

    def _next(self) -> str:
        self._stamp += 1
        return f"{self._stamp:015d}"


async def a_life() -> Life:
    """A connected organization, an event of which everything is recorded and nothing is mapped."""
    world = await a_world(ReconcileSettings())
    await world.connections.put_mapping(ORG, "ev", None)
    await world.connections.put_connection(ORG, None)
    world.swoogo.zones = {HERE: ZONE, ELSEWHERE: ZONE}
    life = Life(world, world.dispatcher())
    world.swoogo.before_call = life.watch
    await life.reconnect()
    await life.accept()
    return life
