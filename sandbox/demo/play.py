"""The story, chapter by chapter: publish, wait until the service is done, hold Swoogo against the oracle, count."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from consumer.adapters.redis.client import connect
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import open_stores
from consumer.adapters.sealing import seal
from consumer.domain.push.run import Run
from consumer.domain.surveys.survey import Depth
from sandbox.conference.details import FIELDS, detail_differences
from sandbox.conference.expected import NOTHING, Expected, Resources, fold
from sandbox.conference.model import Conference
from sandbox.conference.publisher import Publisher
from sandbox.conference.records import Writer
from sandbox.conference.sessionboard import Event
from sandbox.demo.gallery import picture_differences, usable_pictures
from sandbox.demo.ideal import Credits, least, spent
from sandbox.demo.verify import differences, duplicates
from sandbox.demo.watch import Watch
from sandbox.demo.world import CONSUMER_KEY, CONSUMER_SECRET, World

ORG_ID: Final = "757e8d5b-ce66-45f5-ab36-273414f8ab2f"
EVENT_ID: Final = 4001
_LONGEST: Final = 1800.0
_LOOK_SECONDS, _CLOCK_SECONDS = 0.05, 0.5
WRITES: Final = ("POST", "PUT", "DELETE")
"""Methods of calls that change something."""


@dataclass(slots=True)
class Chapter:
    """What one step of the story did and cost."""

    title: str
    records: int = 0
    seconds: float = 0.0
    spent: Credits = field(default_factory=Credits)
    least: Credits = field(default_factory=Credits)
    writes: int = 0
    refused_429: int = 0
    duplicates: int = 0
    differences: list[str] = field(default_factory=list)


Announce = Callable[[str], None]
"""Called with the title of a chapter when it begins."""


@dataclass(slots=True)
class Play:
    """One conference, played to one world."""

    world: World
    publisher: Publisher
    watch: Watch
    event: Event
    swoogo_event_id: int
    announce: Announce
    expected: Expected = NOTHING
    chapters: list[Chapter] = field(default_factory=list)
    hand_made: set[int] = field(default_factory=set)
    typed: dict[str, str] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    settings: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    _pictures: set[str] = field(default_factory=set)
    _at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def exact(self) -> bool:
        """Nothing missing, nothing too much, nothing doubled, no call refused."""
        return not any(each.differences or each.duplicates or each.refused_429 for each in self.chapters)

    def now(self) -> datetime:
        """A moment later than every one given before; revisions are stamped with it."""
        self._at = max(datetime.now(UTC), self._at + timedelta(milliseconds=1))
        return self._at

    async def connect(self, *, continuous: bool = True, settings: Mapping[str, Any] | None = None) -> None:
        """Connect the organization and map the event, with these settings of the mapping."""
        self.settings = settings or {}
        sealed = seal(self.world.keys.public, CONSUMER_KEY, CONSUMER_SECRET, org_id=self.event.org_id)
        writer, at = self.publisher.writer, self.now()
        await self.publisher.send(
            [
                writer.integration_connected(sealed=sealed, continuous_sync=continuous, at=at),
                writer.mapping_added(self.swoogo_event_id, settings=settings, at=at),
            ]
        )

    async def chapter(self, title: str, act: Callable[[], Awaitable[int]]) -> Chapter:
        """One step: `act` publishes and returns how many records; then wait, verify and count."""
        self.announce(title)
        before = await self.world.get("stats")
        chapter = Chapter(title)
        chapter.records = await act()
        published = time.time()
        await self.watch.until_idle(_LONGEST, check=self.check)
        calls = await self.journal(before["calls"])
        writes = [call for call in calls if call["method"] in WRITES and "oauth2" not in call["path"]]
        chapter.seconds = max([0.0, *(call["at"] - published for call in writes)])
        chapter.writes = len(writes)
        await self._count(chapter, before)
        self.chapters.append(chapter)
        return chapter

    async def publish(
        self, revisions: Sequence[Conference], title: str, mapped_with: Mapping[str, Any] | None = None
    ) -> Chapter:
        """Publish revisions in a row; then connect, and map the event with these settings if there are any."""

        async def act() -> int:
            records = await self.publisher.publish_all([(each, self.now()) for each in revisions])
            if mapped_with is not None:  # the first push finds all of it, however slow the machine is
                await self.watch.until_idle(_LONGEST, check=self.check)
                await self.connect(settings=mapped_with)
            return records

        expected = self.expected
        self.expected = fold(expected, Resources.of(revisions[-1], self.event, at=self.now()), datetime.now(UTC))
        chapter = await self.chapter(title, act)
        chapter.least = least(self.without_deleted(expected), self.without_deleted(self.expected))
        pictures = usable_pictures(self.expected, revisions[-1])
        chapter.least.images = len(pictures - self._pictures)
        if self.attributes and not expected.sessions:
            # Two fields lack choices: each is looked at and written once more.
            chapter.least.looks += self.definitions_cost + 2
            chapter.least.other += 2
        self._pictures |= pictures
        chapter.differences += picture_differences(await self.state(), self.expected, revisions[-1])
        return chapter

    async def map_again(self, conference: Conference, title: str) -> Chapter:
        """The mapping is removed, a revision is published meanwhile, and the same pair is added again (M3, M4, M5)."""
        writer = self.publisher.writer

        async def act() -> int:
            await self.publisher.send([writer.mapping_removed(at=self.now())])
            await self.watch.until_idle(_LONGEST, check=self.check)
            records = await self.publisher.publish(conference, at=self.now())
            await self.watch.until_idle(_LONGEST, check=self.check)
            again = writer.mapping_added(self.swoogo_event_id, settings=self.settings, at=self.now())
            await self.publisher.send([again])
            return records + 2

        expected = self.expected
        self.expected = fold(expected, Resources.of(conference, self.event, at=self.now()), datetime.now(UTC))
        chapter = await self.chapter(title, act)
        chapter.least = least(self.without_deleted(expected), self.without_deleted(self.expected))
        chapter.least.looks += 1 + self.definitions_cost  # the event is read when it is mapped (M6)
        return chapter

    @property
    def definitions_cost(self) -> int:
        """Credits of reading Swoogo's field definitions when a mapping is published: a list a kind (F6)."""
        return 10 * len(self.settings.get("field_maps", {}))

    async def map_elsewhere(self, title: str) -> Chapter:
        """Another Swoogo event for the same Sessionboard event: refused, and nothing changes (M2)."""
        other = (await self.world.post("seed", {"events": [{"name": "Another", "timezone": "UTC"}]}))["events"][0]

        async def act() -> int:
            await self.publisher.send([self.publisher.writer.mapping_added(other, at=self.now())])
            return 1

        return await self.chapter(title, act)

    async def replay(self) -> Chapter:
        """A new consumer group reads every topic from its beginning; nothing may be written (G3)."""
        group = f"replay-{self.now().timestamp():.3f}"

        async def act() -> int:
            await self.world.stop_services()
            self.world.start_service("replay", KAFKA__GROUP_ID=group)
            await self.watch.until_idle(_LONGEST, group_id=group, check=self.check)
            return 0

        return await self.chapter("Every topic is read again from its start", act)

    async def edit_by_hand(self, conference: Conference, talk_id: str, text: str) -> Conference:
        """Somebody types a description in Swoogo; then the title of that session changes in Sessionboard (R2)."""
        state = await self.state()
        name = self.expected.sessions[talk_id].name
        row = next(each for each in state["sessions"] if each["name"] == name)
        await self.world.post("edit", {"kind": "sessions", "id": row["id"], "values": {"description": text}})
        title = f"{name} (updated)"
        self.typed[title] = text
        talk = replace(conference.talks[talk_id], title=title)
        return replace(conference, talks={**conference.talks, talk_id: talk})

    async def delete_by_hand(self, talk_id: str) -> None:
        """Somebody deletes a session in Swoogo, which is to stay deleted whatever happens to it (D2).

        They do so when our last write shows in every list: before that, a survey concludes nothing.
        """
        written = [call["at"] for call in await self.journal(0) if call["method"] in WRITES]
        shown = max(written, default=0.0) + self.world.settings.push.create_settle_time + _CLOCK_SECONDS
        await asyncio.sleep(max(0.0, shown - time.time()))
        name = self.expected.sessions[talk_id].name
        row = next(each for each in (await self.state())["sessions"] if each["name"] == name)
        await self.world.post("delete", {"kind": "sessions", "id": row["id"]})
        self.deleted.add(talk_id)

    async def reconcile(self, title: str, depth: Depth = Depth.SHALLOW, *, least_credits: int = 1) -> Chapter:
        """Have the event compared with Swoogo now, and wait for it; `least_credits` is what that costs at least."""

        async def act() -> int:
            held, event_id = open_stores(self.world.settings), str(self.event.id)
            try:
                await held.inbox.request_survey(event_id, depth)
                async with asyncio.timeout(_LONGEST):
                    while (waiting := await held.inbox.waiting(event_id)).survey_in == 0 or waiting.held:
                        self.check()
                        await asyncio.sleep(_LOOK_SECONDS)
            finally:
                await held.redis.aclose()
            return 0

        chapter = await self.chapter(title, act)
        chapter.least = Credits(looks=least_credits)
        return chapter

    def without_deleted(self, expected: Expected) -> Expected:
        """What is expected, without sessions that people deleted in Swoogo."""
        sessions = {key: session for key, session in expected.sessions.items() if key not in self.deleted}
        return replace(expected, sessions=sessions)

    async def state(self) -> dict[str, Any]:
        """What the sandbox holds of the event."""
        return cast("dict[str, Any]", await self.world.get(f"state?event_id={self.swoogo_event_id}"))

    async def runs(self) -> list[Run]:
        """The service's own account, newest first."""
        settings = self.world.settings
        redis = connect(settings.redis)
        try:
            return await RedisRuns(redis, Keys(settings.redis.prefix)).runs(str(self.event.id), 100)
        finally:
            await redis.aclose()

    async def journal(self, since: int) -> list[dict[str, Any]]:
        """Calls to the sandbox with a number above `since`, oldest first."""
        return cast("list[dict[str, Any]]", await self.world.get(f"journal?since={since}"))

    async def _count(self, chapter: Chapter, before: dict[str, Any]) -> None:
        after = await self.world.get("stats")
        routes = {
            route: {"credits": numbers["credits"] - before["by_route"].get(route, {"credits": 0})["credits"]}
            for route, numbers in after["by_route"].items()
        }
        chapter.spent = spent(routes)
        chapter.refused_429 = after["refused_429"] - before["refused_429"]
        state = await self.state()
        chapter.duplicates = duplicates(state)
        chapter.differences = differences(
            state, self.without_deleted(self.expected), hand_made=frozenset(self.hand_made), edited=self.typed
        )
        if self.attributes:
            chapter.differences += detail_differences(state, self.attributes, self.expected)

    def check(self) -> None:
        """Raises ServerFailedError when a replica ended by itself."""
        for replica in self.world.replicas:
            replica.check()


@asynccontextmanager
async def play(
    world: World,
    conference: Conference,
    announce: Announce = lambda _: None,
    *,
    event_id: int = EVENT_ID,
    org_id: str = ORG_ID,
    details: bool = False,
) -> AsyncIterator[Play]:
    """Seed the sandbox with an empty event for the conference, and be ready to publish.

    With `details` records carry metadata and custom fields, and the account has fields for these.
    """
    event = Event.of(conference, event_id=event_id, org_id=org_id)
    fields = FIELDS if details else ()
    events = [{"name": conference.name, "timezone": conference.timezone}]
    seeded = await world.post("seed", {"events": events, "fields": fields})
    attributes = {each["name"]: f"c_{number}" for each, number in zip(fields, seeded["fields"], strict=True)}
    async with (
        Watch(world.settings, str(event_id), org_id) as watch,
        Publisher(world.bootstrap, Writer(event=event, topics=world.topics, details=details)) as publisher,
    ):
        yield Play(world, publisher, watch, event, seeded["events"][0], announce, attributes=attributes)
