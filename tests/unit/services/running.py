"""A dispatcher at work, and a gate that calls wait at."""

from __future__ import annotations

import asyncio

from consumer.domain.records.identity import Kind
from consumer.ports import Work, event_subject
from tests.support.builders import ORG, a_mapping, a_session
from tests.support.fakes.swoogo_calls import Called
from tests.support.service_world import World


class Running:
    """A dispatcher at work, and a gate that Swoogo calls of chosen events wait at."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.stop = asyncio.Event()
        self.gate = asyncio.Event()
        self.held: set[str] = set()
        self.waiting: list[str] = []
        self.broken_off: list[str] = []
        world.swoogo.before_call = self._hold
        self.dispatcher = world.dispatcher(poll_interval=0.02)
        self.task = asyncio.create_task(self.dispatcher.run(self.stop))

    async def _hold(self, work: Work, call: Called) -> None:
        event = work.mapping.event_id
        if event in self.held:
            self.waiting.append(event)
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.broken_off.append(event)
                raise

    async def map(self, *events: str) -> None:
        """Further pairs of the organization."""
        for event in events:
            await self.world.connections.put_mapping(ORG, event, a_mapping(event_id=event))

    async def change(self, *events: str) -> None:
        """Each event has a change, which is due now."""
        for event in events:
            await self.world.inbox.set_continuous(event, on=False)
            await self.world.given(a_session(f"of {event}"), event_id=event)
            await self.world.inbox.set_continuous(event, on=True)

    def synced(self, event: str) -> bool:
        """Whether the change of `change` is in Swoogo and dealt with."""
        there = any(row["name"] == f"Title of of {event}" for row in self.world.swoogo.records[Kind.SESSION].values())
        return there and not self.world.inbox.state(event_subject(event)).marks
