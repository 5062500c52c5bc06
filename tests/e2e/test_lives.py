"""End to end: a sample of the lives of `tests/unit/matrix`, on real Kafka and Valkey, against the same oracle."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import pytest

from consumer.adapters.sealing import seal
from consumer.domain.surveys.survey import Depth
from consumer.entrypoints.documents.session import StoreSession, open_session
from sandbox.conference.model import Conference, Talk
from sandbox.conference.records import Record
from sandbox.demo.play import Play, play
from sandbox.demo.world import CONSUMER_KEY, CONSUMER_SECRET, World
from tests.support.conferences import TIMEZONE, identifier, small
from tests.unit.matrix.oracle import BY_HAND, ELSEWHERE, HERE, Oracle

pytestmark = pytest.mark.e2e

LIVES: Final = (
    ("map", "change", "disconnect", "reconnect", "map", "change", "reconcile"),
    ("map", "disconnect", "map", "reconnect", "change"),
    ("map", "map_elsewhere", "remove", "map_elsewhere", "map", "change"),
    ("map_elsewhere", "map", "change", "remove", "change", "map_elsewhere"),
    ("map", "edit_in_swoogo", "change", "edit_in_swoogo", "reconcile"),
    ("map", "delete_in_swoogo", "reconcile", "change", "disconnect", "reconnect", "map"),
    ("unaccept", "map", "accept", "unaccept", "change", "accept"),
    ("disconnect", "change", "map", "reconnect", "remove", "change", "map"),
)
_events = itertools.count(7001)


@dataclass(slots=True)
class Life:
    """One event, from a connected organization without a mapping on; see `tests.unit.matrix.service.Life`."""

    playing: Play
    stores: StoreSession
    elsewhere: int
    first: Talk
    changes: int = 0

    async def map(self) -> None:
        await self._send(self._writer.mapping_added(self.playing.swoogo_event_id, at=self.playing.now()))

    async def map_elsewhere(self) -> None:
        await self._send(self._writer.mapping_added(self.elsewhere, at=self.playing.now()))

    async def remove(self) -> None:
        await self._send(self._writer.mapping_removed(at=self.playing.now()))

    async def disconnect(self) -> None:
        await self._send(self._writer.integration_disconnected(at=self.playing.now()))

    async def reconnect(self) -> None:
        org_id, public = self.playing.event.org_id, self.playing.world.keys.public
        sealed = seal(public, CONSUMER_KEY, CONSUMER_SECRET, org_id=org_id)
        await self._send(self._writer.integration_connected(sealed=sealed, continuous_sync=True, at=self.playing.now()))

    async def change(self) -> None:
        self.changes += 1
        self.first = replace(self.first, title=f"Title {self.changes}")
        await self.publish()

    async def delete_in_swoogo(self) -> None:
        row = await self._first_record()
        if row:
            await self.playing.world.post("delete", {"kind": "sessions", "id": row["id"]})

    async def edit_in_swoogo(self) -> None:
        row = await self._first_record()
        if row:
            values = {"name": BY_HAND, "description": BY_HAND}
            await self.playing.world.post("edit", {"kind": "sessions", "id": row["id"], "values": values})

    async def unaccept(self) -> None:
        self.first = replace(self.first, status="pending")
        await self.publish()

    async def accept(self) -> None:
        self.first = replace(self.first, status="accepted")
        await self.publish()

    async def reconcile(self) -> None:
        if await self.stores.connections.mapping(self._event_id):
            await self.stores.inbox.request_survey(self._event_id, Depth.SHALLOW)
            await self._idle()

    async def publish(self) -> None:
        """The conference as it is now."""
        talks = [self.first]
        for number in range(1, self.changes + 1):
            key = identifier("talk", number)
            talks.append(replace(self.first, id=key, title=f"New {number}", description=f"About new{number}"))
        conference = Conference(
            name="A life",
            timezone=TIMEZONE,
            people=small(talks=1, people=1).people,
            talks={each.id: each if each is self.first else replace(each, status="accepted") for each in talks},
        )
        await self.playing.publisher.publish(conference, at=self.playing.now())
        await self._idle()

    async def differences(self, oracle: Oracle) -> list[str]:
        """What is not as the oracle says."""
        found: list[str] = []
        events = {HERE: self.playing.swoogo_event_id, ELSEWHERE: self.elsewhere}
        mapping = await self.stores.connections.mapping(self._event_id)
        mapped = mapping.swoogo_event_id if mapping else None
        if mapped != (events[oracle.mapped] if oracle.mapped else None):
            found.append(f"mapped to {mapped}, not {oracle.mapped} of {events}")
        for name, event in events.items():
            state = await self._state(event)
            spoken = {link["session_id"] for link in state["links"]}
            shown = sorted((row["name"], row["description"], row["id"] in spoken) for row in state["sessions"])
            wanted = sorted((each.name, each.description, each.spoken) for each in oracle.swoogo.values())
            if shown != (wanted if name == oracle.partner else []):
                found.append(f"Swoogo event {name} shows {shown}, not {wanted}")
            if len(state["speakers"]) != (oracle.speaker if name == oracle.partner else 0):
                found.append(f"Swoogo event {name} has {len(state['speakers'])} speakers")
        return found

    @property
    def _writer(self) -> Any:
        return self.playing.publisher.writer

    @property
    def _event_id(self) -> str:
        return str(self.playing.event.id)

    async def _send(self, record: Record) -> None:
        await self.playing.publisher.send([record])
        await self._idle()

    async def _idle(self) -> None:
        await self.playing.watch.until_idle(60)

    async def _state(self, event: int) -> dict[str, Any]:
        state: dict[str, Any] = await self.playing.world.get(f"state?event_id={event}")
        return state

    async def _first_record(self) -> dict[str, Any] | None:
        entry = (await self.stores.ledger.load(self._event_id)).get(f"session/{self.first.id}")
        rows = [
            row
            for event in (self.playing.swoogo_event_id, self.elsewhere)
            for row in (await self._state(event))["sessions"]
        ]
        return next((row for row in rows if entry and row["id"] == entry.swoogo_id), None)


@asynccontextmanager
async def a_life(world: World) -> AsyncIterator[Life]:
    """A connected organization, an event of which everything is recorded and nothing is mapped."""
    start = small(talks=1, people=1)
    first = replace(
        next(iter(start.talks.values())), title="First title", description="About s1", room_id=None, track_id=None
    )
    async with (
        open_session(world.settings) as stores,
        play(world, start, event_id=next(_events), org_id=str(uuid.uuid4())) as playing,
    ):
        seeded = await world.post("seed", {"events": [{"name": "Elsewhere", "timezone": TIMEZONE}]})
        life = Life(playing, stores, seeded["events"][0], first)
        await life.reconnect()
        await life.publish()
        yield life


@pytest.mark.rule("M1", "M2", "M3", "M4", "M5", "E3", "S7", "R1", "R2", "R3", "D2", "X1", "X2")
@pytest.mark.parametrize("steps", LIVES, ids=[", ".join(life) for life in LIVES])
async def test_a_life_comes_to_what_the_specification_says(shared: World, steps: tuple[str, ...]) -> None:
    """Every step as the oracle says, from the topics to Swoogo."""
    oracle = Oracle()
    async with a_life(shared) as life:
        for number, step in enumerate(steps, start=1):
            getattr(oracle, step)()
            await getattr(life, step)()
            assert await life.differences(oracle) == [], " -> ".join(steps[:number])
