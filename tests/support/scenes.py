"""Conferences for the console to show: recorded and pushed by the service's own parts, on Valkey, to a fake Swoogo.

Each has a database of its own, as tests empty the first one. A page is the same as in production but for the moment
and the name of the Swoogo.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from redis.asyncio import Redis

from benchmarks.console import addresses
from benchmarks.programme import programme
from consumer.adapters.http_server import serving
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.kafka.lag import GroupStatus
from consumer.adapters.redis.replicas import Replica
from consumer.adapters.redis.timeline import RedisTimeline
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.errors import RefusedError
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Depth
from consumer.entrypoints.console.app import console_app
from consumer.entrypoints.console.viewer import Viewer
from consumer.ports import RawRecord, Work
from consumer.services.images import ImageQueue
from consumer.services.push import Pusher
from consumer.services.record import NotedBefore, Recorder
from consumer.settings import ConsoleSettings, PushSettings, ReconcileSettings, SwoogoSettings, Topics
from consumer.wiring.services import PushPorts, build_pusher
from sandbox.conference import sample
from sandbox.conference.model import Conference
from sandbox.conference.records import Record, Writer
from sandbox.conference.sessionboard import Event
from tests.support.builders import a_connection, a_mapping
from tests.support.console import KafkaSaid, Visitor, a_letter, a_visitor, hears
from tests.support.desk import Desk
from tests.support.fakes import FakeImages, FakeSwoogo, InMemoryBudget, InMemoryDeadLetters, InMemoryInbox
from tests.support.fakes.pairs import ListedStates
from tests.support.fakes.swoogo_calls import Called

ORG_ID: Final = "tallgrass-foundation"
EVENT_ID: Final = 4001


@dataclass(slots=True)
class Scene:
    """One organization with one event, before the eyes of a visitor."""

    visitor: Visitor
    swoogo: FakeSwoogo
    pusher: Pusher
    recorder: Recorder
    mapping: EventMapping
    writer: Writer
    conference: Conference | None = None

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """The console on a port of this machine; gives its address."""

        async def identify(request: Any) -> Viewer | None:
            return self.visitor.viewer

        app = console_app(self.visitor.stores, self.visitor.settings, identify)
        async with serving(app, "127.0.0.1", 0, "The console", "", connections=200, seconds=60.0) as port:
            yield f"http://127.0.0.1:{port}"

    async def addresses(self) -> dict[str, str]:
        """One path of each page that links lead to from the first one, by the name of its route."""

        async def get(path: str) -> str:
            answer = await self.visitor.get(path)
            assert answer.status_code == 200, (path, answer.status_code)
            return answer.text

        return await addresses(get)

    @property
    def desk(self) -> Desk:
        """The stores behind it."""
        return self.visitor.desk

    async def publish(self, conference: Conference, *, push: bool = True) -> None:
        """Sessionboard's records arrive, and are pushed."""
        await self.record(self.writer.revision(self.conference, conference, at=datetime.now(UTC)))
        self.conference = conference
        if push:
            await self.push()

    async def record(self, records: list[Record]) -> None:
        """As read from Kafka."""
        now = self.visitor.stores.clock.now()
        await self.recorder.record(
            [RawRecord(each.topic, 0, at, now, each.key, each.value) for at, each in enumerate(records)]
        )

    async def push(self) -> None:
        """One push of the event, which is due at once."""
        await self.pusher.push(await self.desk.claim(str(EVENT_ID)), self.mapping, a_connection(ORG_ID))

    def swoogo_id(self, kind: Kind, number: int = 0) -> int:
        """The n-th record that was made in Swoogo."""
        return list(self.swoogo.records[kind])[number]


@asynccontextmanager
async def a_scene(redis_url: str, database: int) -> AsyncIterator[Scene]:
    """A connected organization on an empty database; no event is mapped yet."""
    url = f"{redis_url.rpartition('/')[0]}/{database}"
    async with Redis.from_url(url) as redis:
        await redis.flushdb()
    async with a_visitor(url) as visitor:
        visitor.settings = ConsoleSettings(orders="on", rate=100_000)
        desk, clock = visitor.desk, visitor.stores.clock
        swoogo, states = FakeSwoogo(clock), ListedStates()
        api, push = SwoogoSettings(credit_reserve=0), PushSettings(create_settle_time=0.1)
        budget = InMemoryBudget(clock, InMemoryInbox(clock, quiet=0, max_wait=0, lease=60, survey=0))
        stores, queue = desk.stores, ImageQueue(FakeImages(), patience=0.05)
        timeline = RedisTimeline(stores.redis, stores.keys, stores.scripts)
        ports = PushPorts(
            stores.inbox, desk.ledger, swoogo, budget, queue, desk.board, clock, stores.connections, states, timeline
        )
        pusher = build_pusher(ports, push, ReconcileSettings(), api)
        decoder = KafkaDecoder(Topics(), 4_000_000)
        recorder = Recorder(decoder, stores.inbox, stores.connections, InMemoryDeadLetters(), NotedBefore())
        await stores.connections.put_connection(ORG_ID, a_connection(ORG_ID))
        mapping = replace(a_mapping(event_id=str(EVENT_ID)), org_id=ORG_ID)
        event = Event.of(sample.sample(datetime.now(UTC)), event_id=EVENT_ID, org_id=ORG_ID)
        yield Scene(visitor, swoogo, pusher, recorder, mapping, Writer(event=event))
        await queue.aclose()


async def mapped(scene: Scene, conference: Conference) -> None:
    """The event of this conference."""
    scene.mapping = replace(scene.mapping, name=conference.name, timezone=conference.timezone)
    scene.writer = Writer(event=Event.of(conference, event_id=EVENT_ID, org_id=ORG_ID))
    scene.swoogo.zones[scene.mapping.swoogo_event_id] = conference.timezone
    await scene.desk.map(scene.mapping)


async def good(scene: Scene) -> None:
    """Forty sessions in four rooms, all in Swoogo."""
    conference = programme(sessions=40, speakers=30, rooms=4, tracks=3, name="Good Morning Conference")
    await mapped(scene, conference)
    await scene.publish(conference)


async def in_trouble(scene: Scene) -> None:
    """The sample conference: all that is wrong in it, a refusal, an edit and a deletion in Swoogo, and what waits."""
    conference = sample.sample(datetime.now(UTC))
    await mapped(scene, conference)
    refused = list(conference.talks.values())[20].title

    async def refuse(work: Work, call: Called) -> None:
        if call.fields.get("name") == refused:
            raise RefusedError("Name is not allowed.", field="name")

    await operated(scene)
    scene.swoogo.before_call = refuse
    await scene.publish(conference)
    gone = scene.swoogo_id(Kind.SESSION, 7)
    del scene.swoogo.records[Kind.SESSION][gone]
    scene.swoogo.records[Kind.SESSION][scene.swoogo_id(Kind.SESSION, 8)]["name"] = "Typed in Swoogo"
    await scene.desk.stores.inbox.request_survey(str(EVENT_ID), Depth.DEEP)
    await scene.push()
    for revision in sample.burst(conference):
        await scene.publish(revision, push=False)
    await scene.push()
    await scene.publish(sample.renames(sample.deletions(scene.conference or conference)), push=False)


async def operated(scene: Scene) -> None:
    """Three replicas, one of an older version; credits spent, changes that arrived, and dead letters."""
    stores, now = scene.visitor.stores, scene.visitor.stores.clock.now()
    redis, keys = scene.desk.stores.redis, scene.desk.stores.keys
    await redis.sadd(keys.orgs(), ORG_ID)
    spent: dict[Any, Any] = {f"b{now // 10_000 - ago}": str(ago * 7 % 40) for ago in range(0, 50, 2)}
    await redis.hset(keys.credential(a_connection(ORG_ID).credential, "credits"), mapping=spent)
    await stores.arrivals.note([9.0, 11.0, 11.5, 19.0])
    await stores.trouble.fill()
    for number, version in enumerate(("1.8.0", "1.8.0", "1.7.4")):
        await stores.replicas.beat(Replica(f"swoogo-sync-{number}", version, "all", now - 3_600_000, now + 3_600_000))
    letters = [*map(a_letter, range(3)), a_letter(4, "missing_event_id"), a_letter(9, "unknown_version", 2)]
    inputs = ("sessions", "speakers", "sponsors", "mappings")
    topics = [GroupStatus(f"sessionboard.{name}", 3, 0) for name in inputs]
    hears(scene.visitor, KafkaSaid(*letters, topics=topics))


async def thousand(scene: Scene) -> None:
    """A thousand sessions of four days in twenty rooms."""
    conference = programme(sessions=1_000, speakers=600, rooms=20, tracks=8, name="A Thousand Sessions")
    rooms, first = list(conference.rooms), datetime.now(UTC).replace(hour=8, minute=0, second=0) + timedelta(days=60)
    talks = {}
    for number, talk in enumerate(conference.talks.values()):
        starts = first + timedelta(days=number % 4, minutes=45 * (number // 80))
        ends = starts + timedelta(minutes=40)
        talks[talk.id] = replace(talk, starts_at=starts, ends_at=ends, room_id=rooms[number // 4 % 20])
    conference = replace(conference, talks=talks)
    await mapped(scene, conference)
    await scene.publish(conference)


async def empty(scene: Scene) -> None:
    """No event is mapped yet."""


SCENES: Final = {"empty": empty, "good": good, "in trouble": in_trouble, "a thousand sessions": thousand}
