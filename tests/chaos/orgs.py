"""Two organizations with an event each, and what happens between them (M2-M4, X1, X2).

What one of them does to its own pair waits until that event is through, where the order decides what Swoogo holds; the
other one goes on meanwhile. `History.expected` stands still while no pair of its event is in force.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from random import Random
from typing import Any, Final

from consumer.adapters.sealing import seal
from consumer.domain.connections.mapping import EventMapping
from consumer.ports import Connections
from sandbox.conference.records import Writer
from tests.chaos.conference import KEY, ORG_ID, SECRET, seed
from tests.chaos.history import STEPS, History
from tests.chaos.machine import seconds
from tests.chaos.second import OTHER_KEY, OTHER_ORG, RIVALS, STRANGER, Span, empty

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
    _free: tuple[int, ...] = ()
    _contested: bool = False

    async def begin(self) -> None:
        """Connect, map and publish both, in any order."""
        names = [OTHER_KEY] if self.two_keys else []
        events = seed(self.histories[0].sandbox, [KEY, *names], ["One", "Two", "Three", "Four"])
        self._free = tuple(events[2:])
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
                step = self.chance.choice(BETWEEN)
                self._tell(step.__name__)
                await step(self)
            else:
                history, own = self.chance.choice(self.histories), self.chance.choice(STEPS)
                if own is History.map_again and not history.mapped:
                    continue
                if own is History.map_again:
                    self._unsettled(history)
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

    async def disconnect(self) -> None:
        """X1, X2: one organization is disconnected; the other goes on."""
        org_id = self._org(connected=True)
        if org_id:
            await self._disconnect(org_id)
            await self.idle()

    async def reconnect(self) -> None:
        """X1: with the same or the other credentials; what is connected gets others while it works (C1)."""
        org_id = self._org(connected=False) or self._org(connected=True)
        if self.connected[org_id]:
            self._rotate(org_id)
            self._busy_elsewhere(org_id)
        else:
            await self._reconnect(org_id)

    async def on_and_off(self) -> None:
        """X1, X2: disconnected and connected again before anybody may have noticed."""
        org_id = self._org(connected=True)
        if org_id:
            await self._disconnect(org_id)
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 3.0, 30.0)))
            await self._reconnect(org_id)

    async def hand_over(self) -> None:
        """M2, M3: one organization removes its pair, the other maps the same two events."""
        history = self.chance.choice(self.histories)
        new = self._org(connected=True, but=history.event.org_id)
        if not new:
            return
        if self.chance.random() < 0.3:
            await self.idle()
        self._unsettled(history)
        if history.mapped:
            history.send([history.writer.mapping_removed(at=history.at())])
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 3.0, 30.0)))
            self._perhaps_edit(history)
        history.event, history.key = replace(history.event, org_id=new), self.keys[new]
        was, history.mapped = history.mapped, True
        # M8: its records name the organization it is now of, before that one maps it.
        history.publish_all()
        await self.through()
        self._map(history)
        if not was:
            history.pushed()
        self._perhaps_edit(history)
        await self.through()
        if await self._holder(history.event.id) is None:
            # It was asked for while the other one still had it.
            self._expect(history.event.id, new, "event_already_mapped")
            self._map(history)
        await self.idle()
        self._see(history.event.id, await self._holder(history.event.id), (new, history.swoogo_event_id))

    async def ask_in_vain(self) -> None:
        """M2: partners are partners for life; M8: and an event is its own organization's alone."""
        history = self.chance.choice(self.histories)
        other = self.histories[1 - self.histories.index(history)]
        org_id = self._org(connected=True)
        if not org_id:
            return
        own = history.event.org_id == org_id
        theirs = "event_already_mapped" if own else "event_of_other_organization"
        event, swoogo_event_id, code = self.chance.choice(
            (
                (history.event, other.swoogo_event_id, theirs),
                (history.event, self._free[1], theirs),
                (history.event, history.swoogo_event_id, "" if own else theirs),
                (empty(STRANGER), history.swoogo_event_id, "swoogo_event_already_mapped"),
            )
        )
        if not code:
            return
        await self.idle()
        self._perhaps_edit(history)
        writer = Writer(event=replace(event, org_id=org_id))
        history.send([writer.mapping_added(swoogo_event_id, at=history.at())])
        self._perhaps_edit(history)
        self._perhaps_edit(other)
        await self.idle()
        self._expect(event.id, org_id, code)
        if not (own and event is history.event):
            # Else it would be tried again with the next credentials, and might be right by then.
            history.send([writer.mapping_removed(at=history.at())])

    async def contest(self) -> None:
        """M2: both ask for the same Swoogo event, or for the same event, at once; one of them gets it."""
        if self._contested or not all(self.connected.values()):
            return
        self._contested = True
        asked = self.chance.choice(((0, 0, 0, 0), (0, 1, 0, 0), (0, 0, 0, 1), (0, 1, 0, 0)))
        wanted = list(zip((ORG_ID, OTHER_ORG), asked[:2], asked[2:], strict=True))
        self.chance.shuffle(wanted)
        asker = self.histories[0]
        for org_id, event, swoogo_event in wanted:
            writer = Writer(event=empty(RIVALS[event], org_id))
            asker.send([writer.mapping_added(self._free[swoogo_event], at=asker.at())])
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 0.0, 0.3)))
        await self.idle()
        held = {event: await self._holder(event) for event in RIVALS}
        winners = {event: each for event, each in held.items() if each}
        possible = {(RIVALS[event], org_id, self._free[swoogo_event]) for org_id, event, swoogo_event in wanted}
        if len(winners) != 1 or not {(event, *each) for event, each in winners.items()} <= possible:
            self.wrong.append(f"both asked for one partner, and in force are {winners}")
        self.others |= winners
        for org_id, event, _ in wanted:
            if (RIVALS[event], org_id) not in {(won, each[0]) for won, each in winners.items()}:
                asker.send([Writer(event=empty(RIVALS[event], org_id)).mapping_removed(at=asker.at())])

    async def _disconnect(self, org_id: str) -> None:
        await self.idle()
        self._busy_elsewhere(org_id)
        mine = [history for history in self.histories if history.event.org_id == org_id]
        for history in mine:
            self._unsettled(history)
        writer = self._writer(org_id)
        self.histories[0].send([writer.integration_disconnected(at=self.histories[0].at())])
        for history in mine:
            history.sealed |= history.expected.sessions.keys()
            history.mapped = False
        self.others = {event: pair for event, pair in self.others.items() if pair[0] != org_id}
        self.connected[org_id] = False
        self._busy_elsewhere(org_id)

    async def _reconnect(self, org_id: str) -> None:
        """Waits until it is through: what is published before would be sealed, or not."""
        mine = [history for history in self.histories if history.event.org_id == org_id]
        acts: list[Callable[[], None]] = [lambda: self._rotate(org_id)]
        for history in mine:
            self._unsettled(history)
            acts.append(partial(self._map, history))
        self.chance.shuffle(acts)
        for act in acts:
            act()
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 3.0)))
        self.connected[org_id] = True
        self._busy_elsewhere(org_id)
        for history in mine:
            history.mapped = True
            history.pushed()
        await self.idle()

    def _map(self, history: History) -> None:
        history.send([history.writer.mapping_added(history.swoogo_event_id, at=history.at())])

    def _rotate(self, org_id: str) -> None:
        """Publish credentials of an organization, the same or others."""
        key = self.chance.choice((KEY, OTHER_KEY)) if self.two_keys else KEY
        self.keys[org_id] = key
        for history in self.histories:
            if history.event.org_id == org_id:
                self._unsettled(history)
                history.key = key
        asker = self.histories[0]
        sealed = seal(asker.keys.public, key, SECRET, org_id=org_id)
        asker.send([self._writer(org_id).integration_connected(sealed=sealed, continuous_sync=True, at=asker.at())])

    def _busy_elsewhere(self, org_id: str) -> None:
        """Events of the other organization change."""
        for history in self.histories:
            if history.event.org_id != org_id:
                self._perhaps_edit(history)

    def _perhaps_edit(self, history: History) -> None:
        if self.chance.random() < 0.6:
            history.retitle()
            history.publish()

    def _org(self, *, connected: bool, but: str = "") -> str:
        """One that is connected or not; "" when there is none."""
        found = [each for each, state in self.connected.items() if state is connected and each != but]
        return self.chance.choice(found) if found else ""

    def _writer(self, org_id: str) -> Writer:
        return Writer(event=replace(self.histories[0].event, org_id=org_id))

    def _unsettled(self, history: History) -> None:
        for span in self.spans:
            if span.swoogo_event_id == history.swoogo_event_id:
                span.until = min(span.until, seconds())

    def _tell(self, step: str) -> None:
        self.steps.append(f"{asyncio.get_running_loop().time():9.3f} {step}")

    async def _holder(self, event_id: int) -> tuple[str, int] | None:
        mapping: EventMapping | None = await self.connections.mapping(str(event_id))
        return (mapping.org_id, mapping.swoogo_event_id) if mapping else None

    def _see(self, event_id: int, found: object, wanted: object) -> None:
        if found != wanted:
            self.wrong.append(f"the pair of {event_id} in force is {found}, not {wanted}")

    def _expect(self, event_id: int, org_id: str, code: str) -> None:
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


BETWEEN: Final[tuple[Callable[[Orgs], Awaitable[None]], ...]] = (
    Orgs.disconnect,
    Orgs.reconnect,
    Orgs.reconnect,
    Orgs.on_and_off,
    Orgs.hand_over,
    Orgs.hand_over,
    Orgs.ask_in_vain,
    Orgs.contest,
)
