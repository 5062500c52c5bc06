"""The queue of images: who is fetched when, and what is held how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from math import inf

import pytest

from consumer.domain.errors import SilentHostError
from consumer.domain.planning.plan import SetImage
from consumer.domain.records.identity import Kind
from consumer.ports import Picture
from consumer.services import images as module
from consumer.services.images import ImageQueue
from tests.support.fakes import FakeImages
from tests.support.waiting import wait_until


def wishes(host: str, count: int, path: str = "a") -> list[SetImage]:
    return [SetImage(Kind.SPEAKER, f"speaker/c{n}", f"https://{host}/{path}{n}.jpg", {}) for n in range(count)]


@pytest.fixture
def web() -> FakeImages:
    return FakeImages()


@pytest.fixture
async def queue(web: FakeImages) -> AsyncIterator[ImageQueue]:
    queue = ImageQueue(web, at_once=4, patience=5.0)
    yield queue
    await queue.aclose()


async def test_an_event_is_served_beside_one_whose_hosts_are_all_silent(queue: ImageQueue, web: FakeImages) -> None:
    """One dead host takes three places of four; the fourth goes round."""
    web.late["dead.example"] = inf
    queue.want("one", wishes("dead.example", 500))
    queue.want("other", wishes("cdn.example", 10))
    taken = 0
    while taken < 10:
        for wish in await queue.arrived("other"):
            assert isinstance(queue.take("other", wish), Picture)
            taken += 1
    assert not queue.busy("other")
    assert len([url for url in web.fetched if "dead" in url]) == 3


async def test_events_take_turns(queue: ImageQueue, web: FakeImages) -> None:
    """A large event does not go first because it came first."""
    web.late["cdn.example"] = 0.01
    queue.want("large", wishes("cdn.example", 100, "large"))
    queue.want("small", wishes("cdn.example", 3, "small"))
    await wait_until(lambda: sum("small" in url for url in web.fetched) == 3, "the small event is served")
    assert sum("large" in url for url in web.fetched) < 16


async def test_a_host_given_up_is_asked_again_after_five_minutes_once(
    queue: ImageQueue, web: FakeImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one more silence is enough then; an answer makes it a host as any."""
    monkeypatch.setattr(module, "_GIVEN_UP_SECONDS", 0.2)
    web.late["dead.example"], web.gives_up = inf, 0.01

    async def seen_to() -> None:
        queue.want("ev", wishes("dead.example", 20))
        while queue.busy("ev"):
            for wish in await queue.arrived("ev"):
                queue.take("ev", wish)

    await seen_to()
    assert len(web.fetched) == 3
    await asyncio.sleep(0.25)  # the time for which it is given up
    await seen_to()
    assert len(web.fetched) == 4
    del web.late["dead.example"]
    await asyncio.sleep(0.25)
    await seen_to()
    assert len(web.fetched) == 24


async def test_a_host_is_given_up_for_one_event_alone(queue: ImageQueue, web: FakeImages) -> None:
    """Slow addresses at a host that all use take it from no one else."""
    web.late["cdn.example"], web.gives_up = inf, 0.01
    queue.want("one", wishes("cdn.example", 3))
    for wish in wishes("cdn.example", 3):
        await wait_until(lambda wish=wish: queue.take("one", wish), "it was silent")  # type: ignore[misc,arg-type]
    del web.late["cdn.example"]
    queue.want("other", wishes("cdn.example", 1))
    [wish] = await queue.arrived("other")
    assert isinstance(queue.take("other", wish), Picture)


async def test_what_is_no_longer_wanted_makes_room_for_what_is(queue: ImageQueue, web: FakeImages) -> None:
    """Its fetch is broken off, and the place is taken at once."""
    web.late["dead.example"] = inf
    web.late["other.example"] = inf
    queue.want("ev", [*wishes("dead.example", 3), *wishes("other.example", 6)[3:]])
    await wait_until(lambda: len(web.fetched) == 4, "all places are taken")
    queue.want("ev", wishes("cdn.example", 6))
    async with asyncio.timeout(5):
        taken = 0
        while taken < 6:
            for wish in await queue.arrived("ev"):
                assert isinstance(queue.take("ev", wish), Picture)
                taken += 1


async def test_pictures_held_are_bounded_and_go_with_the_last_push(
    queue: ImageQueue, web: FakeImages, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue.want("ev", wishes("cdn.example", 100))
    await wait_until(lambda: len(web.fetched) == module._HELD_OF_AN_EVENT, "as many as may be held")
    for event in range(10):
        queue.want(f"ev{event}", wishes("cdn.example", 20))
    await wait_until(lambda: queue._running == 0 and len(web.fetched) == module._HELD, "no more are fetched")
    assert sum(each.held for each in queue._events.values()) == module._HELD
    monkeypatch.setattr(module, "_FORGOTTEN_SECONDS", -1.0)
    queue.want("last", wishes("cdn.example", 1))
    await wait_until(lambda: set(queue._events) <= {"last"}, "the others are forgotten")


async def test_another_address_of_a_record_replaces_the_former_one(queue: ImageQueue, web: FakeImages) -> None:
    queue.want("ev", wishes("cdn.example", 1, "a"))
    await queue.arrived("ev")
    queue.want("ev", wishes("cdn.example", 1, "b"))
    [wish] = await queue.arrived("ev")
    assert wish.url.endswith("b0.jpg")
    assert queue.take("ev", wishes("cdn.example", 1, "a")[0]) is None
    assert isinstance(queue.take("ev", wish), Picture)


async def test_a_defect_ends_as_an_image_that_could_not_be_had(queue: ImageQueue, web: FakeImages) -> None:
    web.web["https://cdn.example/a0.jpg"] = ValueError("a defect")  # type: ignore[assignment] # not declared
    queue.want("ev", wishes("cdn.example", 1))
    [wish] = await queue.arrived("ev")
    found = queue.take("ev", wish)
    assert str(found) == "The image could not be processed."
    assert not isinstance(found, SilentHostError)
