"""What the tests of images in a push share."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf

from consumer.settings import ReconcileSettings
from tests.support.builders import a_contact, a_session
from tests.support.service_world import SUBJECT, World, a_world

URL = "https://cdn.example.org/ada.jpg"


async def with_headshot(world: World, url: str) -> None:
    await world.given(a_session("s1", people=["c1"]), a_contact("c1", photo_url=url))


async def uploads(world: World) -> int:
    return sum(1 for call in world.swoogo.calls if call.what == "upload")


async def with_headshots(world: World, host: str, count: int, title: str = "Title") -> None:
    people = [f"c{number}" for number in range(count)]
    contacts = [a_contact(each, photo_url=f"https://{host}/{each}.jpg") for each in people]
    await world.given(a_session("s1", people=people, title=title), *contacts)


def due_in(world: World) -> float | None:
    """Seconds until the event comes again."""
    due = world.inbox.state(SUBJECT).due
    return None if due is None else (due - world.clock.now()) / 1000


async def until_settled(world: World) -> None:
    """Push as often as the event comes again soon."""
    async with asyncio.timeout(20):
        while (due_in(world) or inf) < 60:
            await world.push()


@asynccontextmanager
async def fetching() -> AsyncIterator[World]:
    """A world whose fetches end with the test."""
    made = await a_world(ReconcileSettings(interval=1800, deep_interval=86_400))
    yield made
    await made.pusher.images.aclose()
