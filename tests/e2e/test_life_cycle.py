"""End to end: organizations beside each other, and events whose time zones differ."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from consumer.adapters.sealing import seal
from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.world import World
from tests.e2e.conftest import OpenWorld
from tests.support.conferences import edited, small
from tests.support.followed_topics import StatusTopic
from tests.support.waiting import wait_until

pytestmark = pytest.mark.e2e

CREDENTIALS = {"throttled": "secret-1", "slow": "secret-2", "normal": "secret-3"}


async def connect(playing: Play, key: str) -> None:
    """Connect the organization of a play with a credential of its own, and map its event."""
    org_id, public = playing.event.org_id, playing.world.keys.public
    writer, at = playing.publisher.writer, playing.now()
    sealed = seal(public, key, CREDENTIALS[key], org_id=org_id)
    await playing.publisher.send(
        [
            writer.integration_connected(sealed=sealed, continuous_sync=True, at=at),
            writer.mapping_added(playing.swoogo_event_id, at=at),
        ]
    )


async def names(playing: Play) -> set[str]:
    return {row["name"] for row in (await playing.state())["sessions"]}


async def has_all(playing: Play, conference: Conference) -> bool:
    return await names(playing) == {talk.title for talk in conference.talks.values()}


async def slowed(world: World) -> None:
    """Every call of one credential takes half a second."""
    rule: dict[str, Any] = {"match": {"credential": "slow"}, "times": None, "do": {"delay_ms": 500}}
    await world.post("faults", [rule])


@pytest.mark.rule("M1", "G5")
async def test_a_throttled_and_a_slow_organization_delay_no_other(open_world: OpenWorld) -> None:
    """Three organizations, each with its own credits: one has more to do than its window takes, one waits half
    a second for every answer, one is normal. The throttled one has more events than there are places for it.
    """
    settings = {"PUSH__MAX_EVENTS_PER_CREDENTIAL": "2", "SWOOGO__CREDIT_RESERVE": "0"}
    async with open_world(window=12.0, limit=90, settings=settings) as world, AsyncExitStack() as stack:
        await world.post("seed", {"credentials": [{"key": k, "secret": s} for k, s in CREDENTIALS.items()]})
        await slowed(world)
        world.start_service()
        much, little = small(talks=40, people=8), small(talks=3, people=2)

        async def begun(event_id: int, key: str, conference: Conference) -> Play:
            made = await stack.enter_async_context(play(world, conference, event_id=event_id, org_id=f"org-{key}"))
            await connect(made, key)
            return made

        throttled = [await begun(event_id, "throttled", much) for event_id in range(7101, 7105)]
        await asyncio.gather(*(each.publisher.publish(much, at=each.now()) for each in throttled))

        async def spent() -> bool:
            return bool((await world.get("stats"))["creates"].get("sessions", 0) >= 40)

        await wait_until(spent, "the throttled one has spent its credits", 30)
        slow, normal = await begun(7111, "slow", little), await begun(7121, "normal", little)
        for each in (slow, normal):
            await each.publisher.publish(little, at=each.now())
        await wait_until(lambda: has_all(normal, little), "the normal one is synced", 10)
        assert not await has_all(slow, little)
        changed = edited(little, 0, title="Changed at once")
        await normal.publisher.publish(changed, at=normal.now())
        await wait_until(lambda: has_all(normal, changed), "a change of the normal one is synced", 10)
        await wait_until(lambda: has_all(slow, little), "the slow one is synced", 20)
        assert not all([await has_all(each, much) for each in throttled])

        async def all_there() -> bool:
            for each in throttled:
                if not await has_all(each, much):
                    return False
            return True

        await wait_until(all_there, "the throttled one is synced after all", 90)
        stats = await world.get("stats")
        assert stats["refused_429"] == 0
        assert max(each["most_in_sliding_window"] for each in stats["credentials"].values()) <= 90


@pytest.mark.rule("M7")
async def test_an_event_in_another_zone_is_synced_with_a_zone_for_every_session(
    playing: Play, shared: World, status: StatusTopic
) -> None:
    """Accepted, and people are told; Swoogo shows Sessionboard's wall clock, in Sessionboard's zone."""
    await shared.post(
        "edit", {"kind": "events", "id": playing.swoogo_event_id, "values": {"timezone": "America/New_York"}}
    )
    await playing.connect()

    async def told() -> list[dict[str, Any]]:
        return await status.messages("mapping.accepted", event_id=str(playing.event.id))

    verdict = (await wait_until(told, "the pair is accepted"))[0]["data"]
    assert verdict["issues"] == ["timezone_mismatch"]
    assert "America/New_York" in verdict["sentence"]
    chapter = await playing.publish([small()], "in another zone")
    assert chapter.differences == []
    rows = (await playing.state())["sessions"]
    assert {(row["timezone"], bool(row["use_event_timezone"])) for row in rows} == {("Europe/Berlin", False)}
