"""One conference's life: a seeded choice of steps, what is published, and what Swoogo must hold after it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from consumer.adapters.sealing import KeyPair, seal
from consumer.domain.surveys.survey import Depth
from sandbox.conference.expected import NOTHING, Expected, Resources, fold
from sandbox.conference.model import Conference
from sandbox.conference.records import Record, Writer
from sandbox.conference.sessionboard import Event
from sandbox.swoogo.server import SandboxSwoogo
from tests.chaos import control, mapped, steps
from tests.chaos.conference import EVENT_ID, KEY, ORG_ID, SECRET, conference, seed
from tests.chaos.control import Controls
from tests.chaos.log import Log
from tests.chaos.machine import EPOCH, seconds
from tests.chaos.mapped import Mapped
from tests.chaos.names import Forms, plain_state

_ORDERED: Final = 0.6
"""Share of the steps of a run with orders that are orders."""


@dataclass(slots=True)
class History:
    """One conference's life in one run.

    Attributes:
        idle: waits until the workers are through with everything.
        first: the number its talks, rooms and people are counted from.
        mapped: whether its pair is meant to be in force; `expected` stands still while it is not.
        sealed: talks synced before a disconnect, which stay as they are (X2).
        typed: talk -> description that somebody typed in Swoogo.
        forms: how names are written in what is published; None: plainly.
        fields: maps of custom fields; None: the mapping has none.
        lose: Redis loses everything.
        forgotten: people deleted in Sessionboard whom a talk goes on to name.
        control: people who freeze and approve; None: no one does.
        undecided: whether records may be absent because a person has to decide which they are (G2).
    """

    chance: Random
    log: Log
    sandbox: SandboxSwoogo
    keys: KeyPair
    idle: Callable[[], Awaitable[None]]
    survey: Callable[[Depth], Awaitable[None]]
    rewind: Callable[[], None]
    lose: Callable[[], None] = lambda: None
    forms: Forms | None = None
    fields: Mapped | None = None
    undecided: bool = False
    control: Controls | None = None
    event: Event = field(default_factory=lambda: Event.of(conference(), event_id=EVENT_ID, org_id=ORG_ID))
    held: Conference = field(default_factory=conference)
    first: int = 0
    key: str = KEY
    mapped: bool = True
    sealed: set[str] = field(default_factory=set)
    expected: Expected = NOTHING
    typed: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    forgotten: set[str] = field(default_factory=set)
    merged: int = 0
    bad: int = 0
    steps: list[str] = field(default_factory=list)
    swoogo_event_id: int = 0
    _published: Conference | None = None
    _written: Conference | None = None
    _moment: datetime = field(default_factory=lambda: datetime.fromtimestamp(EPOCH, UTC))
    edits: int = 0
    _sent: list[Record] = field(default_factory=list)

    @property
    def writer(self) -> Writer:
        """Spells records."""
        return Writer(
            event=self.event, deletion=self.chance.choice(("envelope", "null")), details=self.fields is not None
        )

    def at(self) -> datetime:
        """A moment later than all before."""
        now = datetime.fromtimestamp(seconds(), UTC).replace(microsecond=0)
        self._moment = max(now, self._moment + timedelta(milliseconds=1))
        return self._moment

    async def begin(self) -> None:
        """Connect, map, and publish the whole conference, in any order."""
        self.swoogo_event_id = seed(self.sandbox, [KEY], [self.held.name], mapped.seed_of(self.fields))[0]
        acts = [self.connect, self.publish]
        self.chance.shuffle(acts)
        for act in acts:
            act()
            await asyncio.sleep(self.chance.choice((0.0, 0.0, 5.0)))

    async def go_on(self, most: int) -> None:
        """Some more steps."""
        for _ in range(self.chance.randint(1, most)):
            step = self.chance.choice((*steps.STEPS, *mapped.STEPS * 2) if self.fields else steps.STEPS)
            if self.control and self.control.chance.random() < _ORDERED:
                step = self.control.chance.choice(control.STEPS)
            self.steps.append(f"{asyncio.get_running_loop().time():9.3f} {step.__name__}")
            await step(self)
            await asyncio.sleep(self.chance.choice((0.0, 1.0, 12.0, 40.0)))

    def connect(self) -> None:
        """Its organization's credentials, and its pair."""
        sealed = seal(self.keys.public, self.key, SECRET, org_id=self.event.org_id)
        at = self.at()
        self.send(
            [
                self.writer.integration_connected(sealed=sealed, continuous_sync=True, at=at),
                self.writer.mapping_added(self.swoogo_event_id, settings=self.settings, at=at),
            ]
        )

    @property
    def settings(self) -> dict[str, Any]:
        """Of its mapping."""
        approval = {"approval": "required"} if self.control and self.control.approving else {}
        return {**(self.fields.settings if self.fields else {}), **approval}

    @property
    def written(self) -> Conference:
        """The conference as it is published: names in the forms of this run."""
        return self.forms.written(self.held) if self.forms else self.held

    def publish(self) -> None:
        """What changed since the last time."""
        self._send_since(self._written)
        self._published, self._written = self.held, self.written
        if self.mapped:
            self.pushed()

    def publish_all(self) -> None:
        """Everything once more, as its organization now has it; of people deleted for good there is nothing left."""
        self._send_since(None)

    def _send_since(self, before: Conference | None) -> None:
        silent = {f"{self.event.id}/{each}".encode() for each in self.forgotten}
        records = self.writer.revision(before, self.written, at=self.at())
        self.send(each for each in records if each.key not in silent)

    def pushed(self) -> None:
        """Swoogo gets what was published, but for what is sealed."""
        # What lies in the past for everybody: the talks are weeks ahead.
        at = self.at()
        everything = Resources.of(self._published or self.held, self.event, at=at)
        known = tuple(each for each in everything.contacts if each["id"] not in self.forgotten)
        everything = replace(everything, contacts=known)
        after = fold(self.expected, everything, at)
        if self.sealed:
            open_ones = tuple(each for each in everything.sessions if each["id"] not in self.sealed)
            # A person who speaks in a sealed session is a speaker all the same.
            after = replace(fold(self.expected, replace(everything, sessions=open_ones), at), speakers=after.speakers)
        self.expected = after

    def send(self, records: Iterable[Record]) -> None:
        """Publish records, some of them twice, and some once more when newer ones are out (G3)."""
        for record in records:
            self.log.append(record.topic, record.key, record.value)
            if self.chance.random() < 0.05:  # Sessionboard sends at least once, too
                self.log.append(record.topic, record.key, record.value)
            if record.value is not None and record.topic != self.writer.topics.mappings:
                self._sent.append(record)
            if self._sent and self.chance.random() < 0.05:
                late = self.chance.choice(self._sent)
                self.log.append(late.topic, late.key, late.value)

    def retitle(self) -> None:
        """Change some talks that Swoogo still has."""
        alive = sorted(key for key in self.held.talks if key not in self.deleted)
        for key in self.chance.sample(alive, min(len(alive), self.chance.randint(1, 3))):
            self.edits += 1
            self.change(key, title=f"{self.held.talks[key].title.split(',')[0]}, edited {self.edits}")

    def change(self, key: str, **changes: Any) -> None:
        after = replace(self.held.talks[key], **changes)
        self.held = replace(self.held, talks={**self.held.talks, key: after})

    def found(self, name: str) -> dict[str, Any] | None:
        """The session that somebody looks for in Swoogo; None where it waits for a decision. Raises LookupError."""
        row: dict[str, Any] | None = next((each for each in self.state()["sessions"] if each["name"] == name), None)
        if row is None and not self.undecided:
            raise LookupError(f"session {name} is not in Swoogo")
        return row

    async def read(self, topic: str) -> None:
        """Until the service has read all of a topic: nothing orders what it reads of two."""
        while True:
            await asyncio.sleep(1.0)
            if any(group.topic == topic and not group.lag for group in self.log.groups.values()):
                return

    def state(self) -> dict[str, Any]:
        """What Swoogo holds, by plain names."""
        held = self.sandbox.state(self.swoogo_event_id)
        return plain_state(held) if self.forms else held
