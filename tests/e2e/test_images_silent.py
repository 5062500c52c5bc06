"""Images on a server that never answers: what else changes arrives at once, here and elsewhere."""

from __future__ import annotations

import asyncio
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from consumer.domain.issues.issue import Code
from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from tests.e2e.conftest import OpenWorld
from tests.e2e.looks import issues_of
from tests.support.conferences import edited, small
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.rule("P3", "G1")]

_events = itertools.count(9301)


@asynccontextmanager
async def a_silent_server() -> AsyncIterator[int]:
    """Accepts every connection and says nothing; gives its port."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def with_photos(conference: Conference, port: int) -> Conference:
    people = {
        key: replace(person, photo_url=f"http://127.0.0.1:{port}/{key}.jpg")
        for key, person in conference.people.items()
    }
    return replace(conference, people=people)


async def titles(playing: Play) -> set[str]:
    return {row["name"] for row in (await playing.state())["sessions"]}


async def test_changes_arrive_in_seconds_beside_a_dead_host(
    open_world: OpenWorld, record_property: Callable[[str, object], None]
) -> None:
    """64 speakers held an event for 2.8 minutes, and again ten minutes later."""
    conference = small(talks=64, people=64)
    async with a_silent_server() as port, open_world(settings={"IMAGES__ALLOW_HOSTS": "127.0.0.1"}) as world:
        world.start_service()
        dead = with_photos(conference, port)
        async with (
            play(world, dead, event_id=next(_events), org_id=str(uuid.uuid4())) as playing,
            play(world, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as other,
        ):
            await playing.connect()
            await other.connect()
            await playing.publisher.publish(dead, at=playing.now())

            async def all_there() -> bool:
                state = await playing.state()
                return len(state["sessions"]) == len(state["speakers"]) == 64

            await wait_until(all_there, "everything but the images is in Swoogo", 60)
            for number in range(3):
                began, title = time.monotonic(), f"Another title {number}"
                changed = with_photos(edited(conference, number, title=title), port)
                await playing.publisher.publish(changed, at=playing.now())

                async def arrived(title: str = title) -> bool:
                    return title in await titles(playing)

                await wait_until(arrived, "a change arrives within seconds", 15)
                record_property(f"seconds of change {number}", round(time.monotonic() - began, 1))
            began = time.monotonic()
            await other.publish([small()], "another event")
            record_property("seconds of another event", round(time.monotonic() - began, 1))
            assert len(await titles(other)) == 6
            codes = {issue.code for issue in (await issues_of(playing)).values()}
            assert codes & {Code.IMAGE_WAITING, Code.IMAGE_UNUSABLE}, "people are told"
