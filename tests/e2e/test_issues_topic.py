"""End to end: what Sessionboard reads beside each record, as it appears, changes and goes."""

from __future__ import annotations

import itertools
import json
import sys
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, Final

import jsonschema
import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.client import read_hash
from consumer.adapters.redis.keys import Keys
from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.world import ServiceProcess, World
from sandbox.embedded import EmbeddedValkey
from schemas.generate import FOLDER
from tests.e2e.conftest import OpenWorld
from tests.e2e.lost_redis import a_world, marker, rebuilt
from tests.support.conferences import edited, identifier, small
from tests.support.followed_topics import IssuesTopic, StatusTopic, following
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("N2")]

_events = itertools.count(40_001)
_CRASHING: Final = (sys.executable, "-m", "tests.support.crashing")
SESSION: Final = f"session/{identifier('talk', 2)}"
SPEAKER: Final = f"speaker/{identifier('person', 1)}"


def faulty(conference: Conference | None = None, *, title: str = "Talk 2") -> Conference:
    """One talk without an end, and one person without an e-mail address."""
    conference = conference or small()
    person = conference.people[identifier("person", 1)]
    without = replace(conference, people={**conference.people, person.id: replace(person, email="")})
    return edited(without, 2, title=title, ends_at=None)


@pytest.fixture
async def issues(shared: World) -> AsyncIterator[IssuesTopic]:
    """What stands for each record."""
    async with following(IssuesTopic, shared.bootstrap, shared.settings.kafka.topics.issues) as topic:
        yield topic


def codes(open_issues: dict[str, list[dict[str, Any]]]) -> dict[str, list[str]]:
    return {key: [each["code"] for each in found] for key, found in open_issues.items()}


async def test_the_issues_of_a_record_appear_change_and_go(playing: Play, issues: IssuesTopic) -> None:
    event = playing.event.id
    await playing.connect()
    await playing.publish([faulty()], "two records are faulty")
    open_issues = await issues.open_issues(event)
    assert codes(open_issues) == {SESSION: ["missing_field"], SPEAKER: ["missing_field"]}
    day = small().talks[identifier("talk", 2)].starts_at
    assert day is not None
    assert open_issues[SESSION][0]["sentence"].startswith('"Talk 2" (Room 1, ')
    assert open_issues[SESSION][0]["sentence"].endswith(
        ") is not in Swoogo: it has no end time. Add one in Sessionboard."
    )
    assert "the person has no e-mail address" in open_issues[SPEAKER][0]["sentence"]
    assert open_issues[SPEAKER][0]["sentence"].startswith('A speaker of "Talk 1" (Room 2, ')
    schema = jsonschema.Draft202012Validator(json.loads((FOLDER / "json" / "issues.schema.json").read_bytes()))
    history = await issues.history(event)
    assert [value for _, value in history if not schema.is_valid(value)] == []
    assert len(history) == 2

    await playing.publish([edited(faulty(), 4, title="Something else")], "another record changes")
    assert len(await issues.history(event)) == 2, "what did not change is not published again"

    await playing.publish([faulty(title="Talk 2, retitled")], "it is retitled")
    open_issues = await issues.open_issues(event)
    assert open_issues[SESSION][0]["sentence"].startswith('"Talk 2, retitled" (')
    assert [key for key, _ in (await issues.history(event))[2:]] == [f"{event}/{SESSION}"]

    await playing.publish([small()], "all is corrected")
    assert await issues.open_issues(event) == {}
    assert sorted(key for key, value in await issues.history(event) if value is None) == sorted(
        f"{event}/{key}" for key in (SESSION, SPEAKER)
    )


@pytest.mark.rule("R6")
async def test_the_answer_to_a_manual_sync_lists_the_issues_of_its_records(
    playing: Play, issues: IssuesTopic, status: StatusTopic
) -> None:
    """Of a selected session that one and its speakers; the issues topic is as new as the answer."""
    await playing.connect(continuous=False)
    writer = playing.publisher.writer
    await playing.publisher.publish(faulty(), at=playing.now())
    chosen = [identifier("talk", 1)]
    for request, selected in (("all-of-it", None), ("one-talk", chosen)):
        ask = writer.sync_requested("agenda", request_id=request, session_ids=selected, at=playing.now())
        await playing.publisher.send([ask])

        async def answered(wanted: str = request) -> list[dict[str, Any]]:
            told = await status.messages("sync.completed", event_id=str(playing.event.id))
            return [each for each in told if wanted in each["data"]["requests"]]

        [answer] = await wait_until(answered, f"{request} is answered", 30)
        listed = {f"{each['kind']}/{each['id']}": each["issues"] for each in answer["data"]["records"]}
        open_issues = await issues.open_issues(playing.event.id)
        assert listed == (open_issues if selected is None else {SPEAKER: open_issues[SPEAKER]})
        assert answer["data"]["more_records"] == 0


@pytest.mark.rule("M4", "X1")
@pytest.mark.parametrize("disconnected", [False, True], ids=["removed", "disconnected"])
async def test_of_a_pair_that_ends_nothing_stays(playing: Play, issues: IssuesTopic, *, disconnected: bool) -> None:
    """And what stands is published again when the pair is mapped again."""
    event, writer = playing.event.id, playing.publisher.writer
    await playing.connect()
    await playing.publish([faulty()], "two records are faulty")
    assert set(await issues.open_issues(event)) == {SESSION, SPEAKER}
    ending = writer.integration_disconnected if disconnected else writer.mapping_removed
    await playing.publisher.send([ending(at=playing.now())])

    async def withdrawn() -> bool:
        return await issues.open_issues(event) == {}

    await wait_until(withdrawn, "nothing stands any more", 30)
    if not disconnected:
        await playing.publisher.send([writer.mapping_added(playing.swoogo_event_id, at=playing.now())])

        async def again() -> bool:
            return set(await issues.open_issues(event)) == {SESSION, SPEAKER}

        await wait_until(again, "what stands is published again", 30)


@pytest.mark.rule("G1")
@pytest.mark.parametrize(
    "moment",
    [
        "kafka send issues 1 before",
        "kafka send issues 2 after",
        "redis note_sent 1 after",
    ],
)
async def test_crash_between_storing_and_publishing_leaves_nothing_out(open_world: OpenWorld, moment: str) -> None:
    """SIGKILL there; the next process publishes what is missing, and nothing for ever."""
    async with open_world(
        settings={"PUSH__LEASE": "3", "SWOOGO__DEADLINE": "2", "KAFKA__SESSION_TIMEOUT": "6"}
    ) as world:
        first = ServiceProcess({**world.environment, "CRASH_AT": moment}, world.swoogo.root / "dies.log", _CRASHING)
        first.start()
        event = next(_events)
        async with (
            play(world, small(), event_id=event, org_id=str(uuid.uuid4())) as playing,
            following(IssuesTopic, world.bootstrap, world.settings.kafka.topics.issues) as topic,
        ):
            await playing.connect()
            await playing.publisher.publish(faulty(), at=playing.now())
            await wait_until(lambda: first.pid is None, "the first process has died", 40)
            world.start_service("second")

            async def complete() -> bool:
                return set(await topic.open_issues(event)) == {SESSION, SPEAKER}

            await wait_until(complete, "both records are on the topic", 40)
            await playing.watch.until_idle(60)
            before = len(await topic.history(event))
            assert before <= 4, "each is sent twice at most"
            await playing.publisher.publish(edited(faulty(), 4, title="Another"), at=playing.now())
            await playing.watch.until_idle(60)
            assert len(await topic.history(event)) == before


@pytest.mark.rule("G6")
async def test_a_loss_of_redis_publishes_nothing_twice_and_forgets_nothing(
    kafka_bootstrap: str, valkey: EmbeddedValkey
) -> None:
    """FLUSHALL: what stands as before is not published again; what is corrected after that goes."""
    event = next(_events)
    async with (
        a_world(kafka_bootstrap, valkey) as world,
        play(world, small(), event_id=event, org_id=str(uuid.uuid4())) as playing,
        following(IssuesTopic, world.bootstrap, world.settings.kafka.topics.issues) as topic,
        Redis.from_url(valkey.url) as redis,
    ):
        await playing.connect()
        await playing.publish([faulty()], "two records are faulty")
        published = Keys(world.settings.redis.prefix).event(str(event), "published")
        known = await read_hash(redis, published)
        assert len(known) == 2
        before = (await marker(redis, world))[b"id"]
        await redis.flushall()
        await rebuilt(playing, redis, before)
        assert await read_hash(redis, published) == known
        await playing.watch.until_idle(60)
        assert len(await topic.history(event)) == 2
        await playing.publish([small()], "all is corrected")
        assert await topic.open_issues(event) == {}
        assert await read_hash(redis, published) == {}
