"""End to end: reconciles come round, find what people did in Swoogo, and cost what they must."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from consumer.adapters.redis.status import RedisRuns
from consumer.adapters.redis.stores import open_stores
from consumer.domain.issues.issue import Code
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.push.run import Run, Trigger
from consumer.domain.surveys.survey import Depth
from sandbox.demo.play import Play, play
from sandbox.demo.world import World
from tests.e2e.conftest import OpenWorld
from tests.support.conferences import edited, identifier, small
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

OFTEN = {"RECONCILE__INTERVAL": "1", "RECONCILE__DEEP_INTERVAL": "86400"}


async def look(playing: Play, seen: dict[str, Run]) -> int:
    """Add the reconciles that ended since, oldest first; how many were seen. Of those in a row only one is listed."""
    seen |= {run.id: run for run in reversed(await playing.runs()) if run.trigger is Trigger.RECONCILE}
    return len(seen)


async def edits(playing: Play) -> list[tuple[str, str]]:
    """Record and field of what people changed in Swoogo."""

    held = open_stores(playing.world.settings)
    try:
        issues = await RedisRuns(held.redis, held.keys).issues(str(playing.event.id))
    finally:
        await held.redis.aclose()
    return sorted((issue.key, issue.field) for issue in issues.values() if issue.code is Code.EDITED_IN_SWOOGO)


async def writes(world: World, since: int) -> list[dict[str, Any]]:
    journal = await world.get(f"journal?since={since}")
    return [call for call in journal if call["method"] in {"POST", "PUT", "DELETE"} and "oauth2" not in call["path"]]


@pytest.mark.rule("C4", "R3", "G4")
async def test_idle_reconcile_costs_one_credit_with_two_replicas(open_world: OpenWorld) -> None:
    """About every interval (1 s here), by one replica at a time, also after a restart."""
    async with open_world(settings=OFTEN) as world:
        for name in ("one", "two"):
            world.start_service(name)
        async with play(world, small(), event_id=6301, org_id="org-reconcile") as begun:
            await begun.connect()
            await begun.publish([small()], "small")
            journal = len(await world.get("journal"))

            seen: dict[str, Run] = {}

            async def several() -> bool:
                return await look(begun, seen) >= 5

            await wait_until(several, "reconciles come round", timeout=30)
            await world.stop_services()
            before = await look(begun, seen)
            world.start_service("three")

            async def more() -> bool:
                return await look(begun, seen) >= before + 2

            await wait_until(more, "reconciles go on after a restart", timeout=30)
            await world.stop_services()
            await look(begun, seen)
            runs = list(seen.values())
            assert [run.credits for run in runs[2:]] == [1] * len(runs[2:])
            starts = [run.started for run in runs]
            assert all(later - earlier >= 850 for earlier, later in pairwise(starts))
            assert await writes(world, journal) == []


@pytest.mark.rule("R2", "D2")
async def test_deletion_and_edit_by_hand_both_survive(playing: Play) -> None:
    """Both by a reconcile; later changes of these records do not bring back or overwrite anything."""
    await playing.connect()
    conference = small()
    await playing.publish([conference], "small")
    await playing.reconcile("the first reads everything", Depth.DEEP)
    await playing.delete_by_hand(identifier("talk", 5))
    conference = await playing.edit_by_hand(conference, identifier("talk", 4), "<p>By hand.</p>")
    chapter = await playing.reconcile("after people did something in Swoogo")
    assert chapter.writes == 0
    assert await edits(playing) == [(f"session/{identifier('talk', 4)}", "description")]
    chapter = await playing.publish([edited(conference, 5, title="Talk 5, edited")], "both change in Sessionboard")
    assert chapter.differences == []
    assert chapter.writes == 1
    assert len(await edits(playing)) == 1
    unchanged = await playing.reconcile("nothing new")
    assert (unchanged.spent.total, unchanged.differences) == (1, [])


@pytest.mark.rule("R3", "D2")
@pytest.mark.parametrize("expand", ["truncated", "absent"])
async def test_where_the_event_does_not_come_with_its_records_lists_are_read(
    open_world: OpenWorld, expand: str
) -> None:
    """One list call a kind, and the same is concluded."""
    async with open_world(switches={"event_expand": expand}, settings={"RECONCILE__INTERVAL": "600"}) as world:
        world.start_service()
        conference = small(talks=30, people=25)
        async with play(world, conference, event_id=6302, org_id=f"org-{expand}") as begun:
            await begun.connect()
            await begun.publish([conference], "more than a truncated answer holds")
            await begun.reconcile("the first reads everything", Depth.DEEP)
            unchanged = await begun.reconcile("nothing new")
            assert (unchanged.spent.total, unchanged.writes) == (21, 0)
            await begun.delete_by_hand(identifier("talk", 29))
            chapter = await begun.reconcile("one is gone")
            assert (chapter.writes, chapter.differences) == (0, [])
            conference = edited(conference, 29, title="Talk 29, edited")
            chapter = await begun.publish([conference], "it changes in Sessionboard")
            assert (chapter.writes, chapter.differences) == (0, [])


@pytest.mark.rule("D3")
async def test_a_lifted_session_is_made_again(playing: Play) -> None:
    """By the operator's command; its speakers are associated again."""
    await playing.connect()
    await playing.publish([small()], "small")
    talk = identifier("talk", 0)
    await playing.delete_by_hand(talk)
    await playing.reconcile("one is gone", Depth.DEEP)
    held = open_stores(playing.world.settings)
    try:

        async def act() -> int:
            await held.inbox.request_commands(str(playing.event.id), [LedgerCommand(Action.LIFT, f"session/{talk}")])
            playing.deleted.clear()
            await asyncio.sleep(0)
            return 1

        chapter = await playing.chapter("lifted", act)
    finally:
        await held.redis.aclose()
    assert chapter.differences == []
    assert chapter.duplicates == 0


@pytest.mark.rule("S7", "D2")
@pytest.mark.parametrize("status", ["422", "404"])
async def test_a_session_deleted_by_hand_keeps_no_speaker_from_others(open_world: OpenWorld, status: str) -> None:
    """Found out in the push that associates, long before a reconcile; a credit for each session."""
    settings = {"RECONCILE__INTERVAL": "600"}
    async with open_world(switches={"link_unknown_status": status}, settings=settings) as world:
        world.start_service()
        conference = small()
        async with play(world, conference, event_id=6303, org_id=f"org-link-{status}") as begun:
            await begun.connect()
            await begun.publish([conference], "small")
            await begun.delete_by_hand(identifier("talk", 0))
            everywhere = tuple(identifier("person", number) for number in (0, 1, 3))
            for number in (0, 2, 4):
                conference = edited(conference, number, speaker_ids=everywhere)
            chapter = await begun.publish([conference], "three speakers come to it, and to two others")
            assert (chapter.differences, chapter.duplicates) == ([], 0)
            held = {row["id"] for row in (await begun.state())["sessions"]}
            assert len(held) == 5
            assert [run for run in await begun.runs() if run.trigger is Trigger.RECONCILE] == []
