"""Two organizations with an event each: who is connected, whose pair is in force, and what they are told (M2-M4)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Final

from consumer.adapters.sealing import seal
from consumer.domain.connections.mapping import EventMapping
from consumer.ports import Connections
from sandbox.conference.records import Writer
from tests.chaos import between, steps
from tests.chaos.conference import KEY, ORG_ID, SECRET, seed
from tests.chaos.history import History
from tests.chaos.machine import seconds
from tests.chaos.second import OTHER_KEY, OTHER_ORG, Span

_LATE: Final = 130.0
"""Seconds after which nothing comes that was sent before (`wire`)."""


@dataclass(slots=True)
class Orgs:
    """Both of them. `wrong`: what a step saw that must not be."""

    chance: Random
    histories: tuple[History, History]
    connections: Connections
    through: Callable[[], Awaitable[None]]
    status_topic: str
    two_keys: bool
    keys: dict[str, str] = field(default_factory=dict)
    connected: dict[str, bool] = field(default_factory=lambda: {ORG_ID: True, OTHER_ORG: True})
    others: dict[int, tuple[str, int]] = field(default_factory=dict)
    """Rival -> organization and Swoogo event of its pair in force."""
    spans: list[Span] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)
    free: tuple[int, ...] = ()
    contested: bool = False

    async def begin(self) -> None:
        """Connect, map and publish both, in any order."""
        names = [OTHER_KEY] if self.two_keys else []
        events = seed(self.histories[0].sandbox, [KEY, *names], ["One", "Two", "Three", "Four"])
        self.free = tuple(events[2:])
        acts: list[Callable[[], None]] = []
        for history, swoogo_event_id in zip(self.histories, events, strict=False):
            history.swoogo_event_id, history.idle = swoogo_event_id, self.idle
            self.keys[history.event.org_id] = history.key
            acts += [history.connect, history.publish]
        self.chance.shuffle(acts)
        for act in acts:
            act()
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 5.0)))

    async def go_on(self) -> None:
        """Some more steps, of which about half concern both."""
        for _ in range(self.chance.randint(2, 6)):
            if self.chance.random() < 0.55:
                step = self.chance.choice(between.STEPS)
                self._tell(step.__name__)
                await step(self)
            else:
                history, own = self.chance.choice(self.histories), self.chance.choice(steps.STEPS)
                if own is steps.map_again and not history.mapped:
                    continue
                if own is steps.map_again:
                    self.unsettled(history)
                self._tell(f"{own.__name__} of {history.event.id}")
                await own(history)
            await asyncio.sleep(self.chance.choice((0.0, 1.0, 12.0, 40.0)))

    def last_word(self) -> None:
        """Both events change once more, whether their pair is in force or not."""
        for history in self.histories:
            history.retitle()
            history.publish()

    async def idle(self) -> None:
        """Until everybody is through; from then on, a pair's writes are those of its organization."""
        await self.through()
        open_ones = {span.swoogo_event_id for span in self.spans if span.until == float("inf")}
        for history in self.histories:
            if history.swoogo_event_id not in open_ones:
                key = self.keys[history.event.org_id] if history.mapped else ""
                self.spans.append(Span(history.swoogo_event_id, key, seconds() + _LATE))

    def map(self, history: History) -> None:
        """Ask for its pair."""
        history.send([history.writer.mapping_added(history.swoogo_event_id, at=history.at())])

    def rotate(self, org_id: str) -> None:
        """Publish credentials of an organization, the same or others."""
        key = self.chance.choice((KEY, OTHER_KEY)) if self.two_keys else KEY
        self.keys[org_id] = key
        for history in self.histories:
            if history.event.org_id == org_id:
                self.unsettled(history)
                history.key = key
        asker = self.histories[0]
        sealed = seal(asker.keys.public, key, SECRET, org_id=org_id)
        asker.send([self.writer(org_id).integration_connected(sealed=sealed, continuous_sync=True, at=asker.at())])

    def busy_elsewhere(self, org_id: str) -> None:
        """Events of the other organization change."""
        for history in self.histories:
            if history.event.org_id != org_id:
                self.perhaps_edit(history)

    def perhaps_edit(self, history: History) -> None:
        """Change some of its talks."""
        if self.chance.random() < 0.6:
            history.retitle()
            history.publish()

    def org(self, *, connected: bool, but: str = "") -> str:
        """One that is connected or not; "" when there is none."""
        found = [each for each, state in self.connected.items() if state is connected and each != but]
        return self.chance.choice(found) if found else ""

    def writer(self, org_id: str) -> Writer:
        return Writer(event=replace(self.histories[0].event, org_id=org_id))

    def unsettled(self, history: History) -> None:
        """From now on, its organization's writes and others may be under way."""
        for span in self.spans:
            if span.swoogo_event_id == history.swoogo_event_id:
                span.until = min(span.until, seconds())

    def _tell(self, step: str) -> None:
        self.steps.append(f"{asyncio.get_running_loop().time():9.3f} {step}")

    async def holder(self, event_id: int) -> tuple[str, int] | None:
        """Organization and Swoogo event of its pair in force."""
        mapping: EventMapping | None = await self.connections.mapping(str(event_id))
        return (mapping.org_id, mapping.swoogo_event_id) if mapping else None

    def see(self, event_id: int, found: object, wanted: object) -> None:
        """Note what is in force and should not be."""
        if found != wanted:
            self.wrong.append(f"the pair of {event_id} in force is {found}, not {wanted}")

    def expect(self, event_id: int, org_id: str, code: str) -> None:
        """The organization was told so of its request for this event."""
        last = ""
        for partition in self.histories[0].log.topics[self.status_topic]:
            for record in partition:
                said: dict[str, Any] = json.loads(record.value or b"{}")
                about = said.get("metadata", {})
                asked = (about.get("org_id"), str(about.get("event_id"))) == (org_id, str(event_id))
                if asked and about["action"] == "mapping.rejected":
                    last = said["data"]["code"]
        if last != code:
            self.wrong.append(f"{org_id[:4]} was told {last!r} of {event_id}, not {code!r}")
