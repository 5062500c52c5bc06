"""End to end: changes on Kafka are right in Swoogo, with the fewest calls."""

from __future__ import annotations

import asyncio
import json
import time
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from typer.testing import CliRunner

from consumer.entrypoints.cli.app import app
from sandbox.conference.expected import Resources, fold
from sandbox.demo.play import Play, play
from sandbox.demo.world import World
from tests.e2e.conftest import OpenWorld
from tests.e2e.looks import half_way
from tests.support.conferences import edited, identifier, small
from tests.support.followed_topics import StatusTopic
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e


async def calls(world: World, since: int, method: str, part: str) -> list[dict[str, Any]]:
    journal = await world.get(f"journal?since={since}")
    return [call for call in journal if call["method"] == method and part in call["path"]]


async def journal_length(world: World) -> int:
    journal = await world.get("journal")
    return int(journal[-1]["n"]) if journal else 0


async def shown(world: World, *arguments: str) -> Any:
    """The JSON of a command."""
    result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"], env=world.environment)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.rule("C2", "M1", "S1", "S2", "S3", "S4", "S5", "S7", "P1", "N1")
async def test_a_conference_arrives_exactly(playing: Play, status: StatusTopic) -> None:
    """Connect with sealed credentials, map, publish; Swoogo holds what the rules say."""
    await playing.connect()
    chapter = await playing.publish([small()], "small")
    assert chapter.differences == []
    assert chapter.spent.total == chapter.least.total
    event_id = str(playing.event.id)

    async def told() -> list[dict[str, Any]]:
        return await status.messages("sync.completed", event_id=event_id)

    messages = await wait_until(told, "the end of the sync is announced")
    report = messages[0]["data"]
    assert (report["sessions"]["attempted"], report["sessions"]["synced"]) == (6, 6)
    assert (report["speakers"]["attempted"], report["speakers"]["synced"]) == (4, 4)
    [started] = await status.messages("sync.started", event_id=event_id)
    assert started["data"]["planned_calls"] > 0
    assert started["data"]["eta"] >= started["data"]["started_at"]


@pytest.mark.rule("N2", "U4")
async def test_a_run_has_its_calls_and_a_record_its_story(playing: Play, shared: World) -> None:
    """What a command and a page show of a real sync: each request once, its credits, and what became of the record."""
    await playing.connect()
    before = await journal_length(shared)
    await playing.publish([small()], "small")
    event_id = str(playing.event.id)
    story = await shown(shared, "explain", event_id, identifier("talk", 1))
    assert [each["what"] for each in story["timeline"]][-1] == "changed"
    assert {"created", "linked"} <= {each["what"] for each in story["timeline"]}
    assert {each["agreement"] for each in story["fields"]} == {"same"}
    created = next(each["run"] for each in story["timeline"] if each["what"] == "created")
    run = await shown(shared, "runs", "show", event_id, created)
    made = [(call["method"], call["record"]) for call in run["calls"]]
    assert ("POST", f"session/{identifier('talk', 1)}") in made
    assert sum(call["credits"] for call in run["calls"]) == run["run"]["credits"]
    assert len([each for each in made if each[0] == "POST"]) == len(await calls(shared, before, "POST", "s/"))


@pytest.mark.rule("R3")
async def test_a_burst_of_500_edits_is_one_call(playing: Play, shared: World) -> None:
    """Edits of one session within the quiet period become one update with the newest state.

    On a busy machine it may be quiet between two of them for so long (0.4 s here): then each such pause may end in one.
    """
    await playing.connect()
    conference = small()
    await playing.publish([conference], "small")
    before = await journal_length(shared)
    revisions = []
    for turn in range(500):
        conference = edited(conference, 1, title=f"Talk 1, edit {turn}")
        revisions.append(conference)
    started = time.monotonic()
    chapter = await playing.publish(revisions, "500 edits")
    pauses = (time.monotonic() - started) / 0.4
    assert chapter.differences == []
    *earlier, last = [call["body"]["name"] for call in await calls(shared, before, "PUT", "/sessions/")]
    assert last == "Talk 1, edit 499"
    assert len(earlier) < pauses


@pytest.mark.rule("R1")
async def test_edits_that_never_pause_are_pushed_once_per_max_wait(open_world: OpenWorld) -> None:
    """A session edited every 100 ms is updated about once every max wait (3 s here), not after the last edit."""
    settings = {"DEBOUNCE__QUIET_PERIOD": "2", "DEBOUNCE__MAX_WAIT": "3"}
    async with open_world(settings=settings) as world:
        world.start_service()
        async with play(world, small(), event_id=6301, org_id="org-restless") as begun:
            await begun.connect()
            conference = small()
            await begun.publish([conference], "small")
            before = await journal_length(world)
            started, turn = time.monotonic(), 0
            while time.monotonic() - started < 8:
                conference = edited(conference, 2, title=f"Talk 2, edit {turn}")
                await begun.publisher.publish(conference, at=begun.now())
                turn += 1
                await asyncio.sleep(0.1)  # the pace of the traffic under test
            during = await calls(world, before, "PUT", "/sessions/")
            assert 2 <= len(during) <= 3
            await begun.watch.until_idle(30)
            assert len(await calls(world, before, "PUT", "/sessions/")) <= 4
            names = {row["name"] for row in (await begun.state())["sessions"]}
            assert f"Talk 2, edit {turn - 1}" in names


@pytest.mark.rule("M5")
async def test_changes_of_an_unmapped_event_wait_for_the_mapping(playing: Play) -> None:
    """Nothing is pushed without a mapping; mapped later, the event starts from the full picture."""
    await playing.publisher.publish(small(), at=playing.now())
    await playing.watch.until_idle(30)
    assert (await playing.state())["sessions"] == []
    playing.expected = fold(playing.expected, Resources.of(small(), playing.event, at=playing.now()), playing.now())

    async def act() -> int:
        await playing.connect()
        return 2

    chapter = await playing.chapter("mapped later", act)
    assert chapter.differences == []


@pytest.mark.rule("C4", "C5")
async def test_without_continuous_sync_nothing_moves_until_asked(playing: Play) -> None:
    """Changes are recorded; a manual sync pushes them."""
    await playing.connect(continuous=False)
    await playing.publisher.publish(small(), at=playing.now())
    await playing.watch.until_idle(30)
    assert (await playing.state())["sessions"] == []
    playing.expected = fold(playing.expected, Resources.of(small(), playing.event, at=playing.now()), playing.now())

    async def act() -> int:
        await playing.publisher.send([playing.publisher.writer.sync_requested("all", at=playing.now())])
        return 1

    chapter = await playing.chapter("asked", act)
    assert chapter.differences == []


@pytest.mark.rule("S1")
async def test_scripts_in_descriptions_do_not_reach_swoogo(playing: Play) -> None:
    """HTML is kept, scripts, event handlers and javascript: links are not."""
    await playing.connect()
    html = '<p onclick="x()">Hello <b>you</b></p><script>alert(1)</script><a href="javascript:alert(2)">here</a>'
    await playing.publish([edited(small(), 0, description=html)], "unsafe")
    state = await playing.state()
    description = next(row["description"] for row in state["sessions"] if row["name"] == "Talk 0")
    assert "<b>you</b>" in description
    assert not any(bad in description for bad in ("script", "onclick", "javascript"))


@pytest.mark.rule("P2")
async def test_an_existing_speaker_is_adopted(playing: Play, shared: World) -> None:
    """A speaker made by hand in Swoogo is recognised by e-mail, filled in, and not doubled."""
    event_id = playing.swoogo_event_id
    made = {"event_id": event_id, "first_name": "Fi", "last_name": "La", "email": " PERSON1@Example.org ", "bio": "Old"}
    row = await shared.post("create", {"kind": "speakers", "values": made})
    await playing.connect()
    await playing.publish([small()], "small")
    speakers = [each for each in (await playing.state())["speakers"] if "erson1@" in each["email"].casefold()]
    assert [each["id"] for each in speakers] == [row["id"]]
    assert speakers[0]["first_name"] == "First1"
    assert speakers[0]["bio"] == "Old"


@pytest.mark.rule("G4", "G5")
async def test_two_replicas_share_work_and_credits(open_world: OpenWorld) -> None:
    """Two processes on the same groups and Redis: same result, no event pushed by both, credits shared."""
    async with open_world(window=4.0, limit=120, latency_ms=10.0, settings={"SWOOGO__CREDIT_RESERVE": "0"}) as world:
        for name in ("one", "two"):
            world.start_service(name)
        events = [(6001, "a"), (6002, "b"), (6003, "c")]
        conference = small(talks=30, people=20)

        async def one(event_id: int, org: str) -> Play:
            async with play(world, conference, event_id=event_id, org_id=f"org-{org}") as begun:
                await begun.connect()
                chapter = await begun.publish([conference], str(event_id))
                assert chapter.differences == []
                assert chapter.duplicates == 0
                spans = sorted((run.started, run.ended) for run in await begun.runs())
                assert all(first[1] <= second[0] for first, second in pairwise(spans))
                return begun

        await asyncio.gather(*(one(event_id, org) for event_id, org in events))
        stats = await world.get("stats")
        assert stats["refused_429"] == 0
        assert max(each["most_in_sliding_window"] for each in stats["credentials"].values()) <= 120
        assert stats["credits"] > 240


@pytest.mark.rule("G1", "G2")
async def test_killed_half_way_it_goes_on_without_a_duplicate(open_world: OpenWorld) -> None:
    """SIGKILL in the middle of an import, then a new process: everything arrives, nothing twice."""
    settings = {"PUSH__LEASE": "4", "SWOOGO__DEADLINE": "2", "KAFKA__SESSION_TIMEOUT": "6"}
    async with open_world(latency_ms=30.0, settings=settings) as world:
        first = world.start_service("first")
        conference = small(talks=80, people=60)
        async with play(world, conference, event_id=6101, org_id="org-killed") as begun:
            await begun.connect()
            await begun.publisher.publish(conference, at=begun.now())
            await half_way(begun, 25)
            await asyncio.to_thread(first.stop, hard=True)
            world.replicas.remove(first)
            world.start_service("second")
            chapter = await begun.publish([conference], "again")
            assert chapter.differences == []
            assert chapter.duplicates == 0


@pytest.mark.rule("G3")
async def test_reading_every_topic_again_writes_nothing(open_world: OpenWorld) -> None:
    """A replay of every topic from its beginning costs no write."""
    async with open_world() as world:
        world.start_service()
        async with play(world, small(), event_id=6201, org_id="org-replay") as begun:
            await begun.connect()
            conference = small()
            await begun.publish([conference, edited(conference, 3, title="Talk 3, edited")], "small")
            chapter = await begun.replay()
            assert (chapter.writes, chapter.differences) == (0, [])


@pytest.mark.rule("R2")
async def test_a_person_s_edit_in_swoogo_stays(playing: Play) -> None:
    """A field edited in Swoogo stays as edited while other fields of the record change in Sessionboard."""
    await playing.connect()
    conference = small()
    await playing.publish([conference], "small")
    conference = await playing.edit_by_hand(conference, identifier("talk", 4), "<p>By hand.</p>")
    chapter = await playing.publish([conference], "another field")
    assert chapter.differences == []


@pytest.mark.rule("R4", "D1")
async def test_a_cleared_field_is_cleared_and_a_deleted_session_stays(playing: Play) -> None:
    """An emptied description is emptied in Swoogo; a session deleted in Sessionboard stays there."""
    await playing.connect()
    conference = small()
    await playing.publish([conference], "small")
    conference = edited(conference, 0, description="")
    talks = {key: talk for key, talk in conference.talks.items() if key != identifier("talk", 5)}
    fewer = type(conference)(
        name=conference.name,
        timezone=conference.timezone,
        rooms=conference.rooms,
        tracks=conference.tracks,
        people=conference.people,
        talks=talks,
    )
    chapter = await playing.publish([fewer], "cleared and deleted")
    assert chapter.differences == []
    names = {row["name"]: row["description"] for row in (await playing.state())["sessions"]}
    assert not names["Talk 0"]
    assert "Talk 5" in names


@pytest.mark.rule("E2")
async def test_a_session_that_ends_during_the_conference_is_left_alone(playing: Play) -> None:
    """A session that has ended is not created, whatever else is synced."""
    past = playing.now() - timedelta(days=1)
    await playing.connect()
    conference = edited(small(), 1, starts_at=past - timedelta(hours=1), ends_at=past)
    chapter = await playing.publish([conference], "one has ended")
    assert chapter.differences == []
    assert "Talk 1" not in {row["name"] for row in (await playing.state())["sessions"]}
