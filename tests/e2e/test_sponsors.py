"""End to end: sponsors and their levels, and syncs that cover only a part of an event."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from consumer.domain.issues.issue import Code
from sandbox.conference.expected import Resources, fold
from sandbox.conference.model import Conference, Sponsor
from sandbox.demo.play import Play, play
from sandbox.demo.world import World
from tests.e2e.conftest import OpenWorld
from tests.e2e.looks import issues_of
from tests.support.conferences import SPONSORS, identifier, small, sponsored

pytestmark = pytest.mark.e2e


async def sponsors_of(playing: Play) -> dict[str, str]:
    """Name -> level in Swoogo."""
    rows = (await playing.state())["sponsors"]
    return {row["name"]: (row["level"] or {}).get("value") or "" for row in rows}


async def asked(playing: Play, conference: Conference, scope: Any, **selected: Any) -> None:
    """Publish, then ask for a manual sync, and wait for its end."""
    await playing.publisher.publish(conference, at=playing.now())
    await playing.watch.until_idle(60)  # a request on one topic does not wait for changes on the others
    await playing.publisher.send([playing.publisher.writer.sync_requested(scope, at=playing.now(), **selected)])
    await playing.watch.until_idle(60)


async def sessions_of(playing: Play) -> set[str]:
    return {row["name"] for row in (await playing.state())["sessions"]}


@pytest.mark.rule("O1", "O2", "O4", "O5")
async def test_sponsors_arrive_with_their_levels(playing: Play) -> None:
    """Half of the tiers travel as a field, half as a custom field; a level exists once."""
    await playing.connect()
    chapter = await playing.publish([sponsored("E2E Gold", "e2e gold ", "")], "sponsors")
    assert (chapter.differences, chapter.duplicates) == ([], 0)
    assert chapter.spent.sponsors_created == 3
    levels = await sponsors_of(playing)
    assert levels[SPONSORS[0]].casefold() == levels[SPONSORS[1]].casefold() == "e2e gold"
    assert levels[SPONSORS[2]] == ""

    conference = sponsored("E2E Tin", "", "E2E Gold", description="<p>New words.</p>", website_url="")
    chapter = await playing.publish([conference], "all of them edited")
    assert (chapter.differences, chapter.spent.sponsors_updated, chapter.duplicates) == ([], 3, 0)

    chapter = await playing.publish([replace(conference, sponsors={})], "all of them deleted in Sessionboard")
    assert (chapter.differences, chapter.writes) == ([], 0)
    assert len(await sponsors_of(playing)) == 3


@pytest.mark.rule("E5", "E6")
async def test_a_sponsor_without_a_name_is_told_and_the_others_sync(playing: Play) -> None:
    await playing.connect()
    conference = sponsored("E2E Gold", "")
    nameless = Sponsor(id=identifier("sponsor", 9), name=" ", tier="E2E Never")
    chapter = await playing.publish(
        [replace(conference, sponsors={**conference.sponsors, nameless.id: nameless})], "one has no name"
    )
    assert chapter.differences == []
    issues = {issue.key: (issue.code, issue.field) for issue in (await issues_of(playing)).values()}
    assert issues == {f"sponsor/{nameless.id}": (Code.MISSING_FIELD, "name")}
    assert "E2E Never" not in {level["name"] for level in (await playing.state())["levels"]["main"]}


@pytest.mark.rule("C5", "O3")
async def test_agenda_and_sponsors_are_synced_by_hand_apart(playing: Play) -> None:
    """The agenda without the sponsors, then the sponsors without what changed in the agenda."""
    await playing.connect(continuous=False)
    await asked(playing, sponsored("E2E Gold"), "agenda")
    assert (len(await sessions_of(playing)), await sponsors_of(playing)) == (6, {})
    more = small(talks=7)
    await asked(playing, sponsored("E2E Gold", conference=more), "sponsors")
    assert (len(await sessions_of(playing)), list(await sponsors_of(playing))) == (6, [SPONSORS[0]])
    await asked(playing, sponsored("E2E Gold", conference=more), "all")
    assert len(await sessions_of(playing)) == 7


@pytest.mark.rule("O4")
async def test_sponsors_kept_out_of_continuous_sync_wait_for_a_manual_one(playing: Play) -> None:
    """The event comes to rest without them; switched on, they are pushed without any other change."""
    await playing.connect(settings={"sync_sponsors": False})
    await playing.publisher.publish(sponsored("E2E Gold", ""), at=playing.now())
    await playing.watch.until_idle(60)
    assert (len(await sessions_of(playing)), await sponsors_of(playing)) == (6, {})
    await asked(playing, sponsored("E2E Gold", ""), "sponsors")
    assert len(await sponsors_of(playing)) == 2
    writer = playing.publisher.writer
    await playing.publisher.publish(sponsored("E2E Gold", "", ""), at=playing.now())
    await playing.watch.until_idle(60)
    assert len(await sponsors_of(playing)) == 2
    updated = writer.mapping_updated(playing.swoogo_event_id, settings={"sync_sponsors": True}, at=playing.now())
    await playing.publisher.send([updated])
    await playing.watch.until_idle(60)
    assert len(await sponsors_of(playing)) == 3


@pytest.mark.rule("R6")
async def test_selected_sessions_and_speakers_are_synced_alone(playing: Play) -> None:
    """A session with its room, track, speaker and association; then a speaker of a session that is there."""
    await playing.connect(continuous=False)
    await asked(playing, sponsored("E2E Gold"), "agenda", session_ids=[identifier("talk", 0)])
    state = await playing.state()
    assert [row["name"] for row in state["sessions"]] == ["Talk 0"]
    assert [row["name"] for row in state["locations"]] == ["Room 1"]
    assert [row["name"] for row in state["tracks"]] == ["Track 1"]
    assert [row["email"] for row in state["speakers"]] == ["person0@example.org"]
    assert state["links"] == [{"speaker_id": state["speakers"][0]["id"], "session_id": state["sessions"][0]["id"]}]
    assert state["sponsors"] == []
    await asked(playing, sponsored("E2E Gold"), "agenda", speaker_ids=[identifier("person", 3)])
    state = await playing.state()
    assert {row["email"] for row in state["speakers"]} == {"person0@example.org", "person3@example.org"}
    assert len(state["sessions"]) == 1
    # What was selected settled nothing: the rest comes with the next sync, and is exact.
    playing.expected = fold(
        playing.expected, Resources.of(sponsored("E2E Gold"), playing.event, at=playing.now()), playing.now()
    )

    async def act() -> int:
        await playing.publisher.send([playing.publisher.writer.sync_requested("all", at=playing.now())])
        return 1

    chapter = await playing.chapter("everything", act)
    assert (chapter.differences, chapter.duplicates) == ([], 0)


@pytest.mark.rule("D2")
async def test_a_sponsor_deleted_in_swoogo_never_comes_back(playing: Play, shared: World) -> None:
    """Noticed when it changes in Sessionboard."""
    await playing.connect()
    await playing.publish([sponsored("", "")], "sponsors")
    row = next(row for row in (await playing.state())["sponsors"] if row["name"] == SPONSORS[0])
    await shared.post("delete", {"kind": "sponsors", "id": row["id"]})
    await playing.publisher.publish(sponsored("", "", description="<p>Edited.</p>"), at=playing.now())
    await playing.watch.until_idle(60)
    assert list(await sponsors_of(playing)) == [SPONSORS[1]]
    gone = {issue.key for issue in (await issues_of(playing)).values() if issue.code is Code.GONE_IN_SWOOGO}
    assert gone == {f"sponsor/{identifier('sponsor', 0)}"}
    await playing.publisher.publish(sponsored("E2E Gold", "", description="<p>Again.</p>"), at=playing.now())
    await playing.watch.until_idle(60)
    assert list(await sponsors_of(playing)) == [SPONSORS[1]]


@pytest.mark.rule("O1", "G4")
async def test_two_replicas_and_three_events_make_each_level_once(open_world: OpenWorld) -> None:
    """The events share one account, whose levels no one may double."""
    async with open_world(latency_ms=20.0) as world:
        for name in ("one", "two"):
            world.start_service(name)
        conference = sponsored("Gold", "Silver", "Bronze")

        async def one(event_id: int) -> None:
            async with play(world, conference, event_id=event_id, org_id=f"org-{event_id}") as begun:
                await begun.connect()
                chapter = await begun.publish([conference], str(event_id))
                assert (chapter.differences, chapter.duplicates) == ([], 0)

        await asyncio.gather(*(one(event_id) for event_id in (6301, 6302, 6303)))
        [levels] = (await world.get("state"))["levels"].values()
        assert sorted(level["name"] for level in levels) == ["Bronze", "Gold", "Silver"]
