"""Images in a push: fetched when their address is new, uploaded when their bytes are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf

import pytest

from consumer.domain.errors import ImageUnusableError, RefusedError, UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.records.identity import Kind
from consumer.domain.surveys.survey import Depth
from consumer.services.images import ImageQueue
from consumer.settings import ReconcileSettings
from tests.support.builders import EVENT, a_contact, a_session
from tests.support.service_world import SUBJECT, World, a_world
from tests.unit.services.pictured import URL, due_in, fetching, until_settled, uploads, with_headshot, with_headshots


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with fetching() as made:
        yield made


PLAIN = "https://cdn.example.org/bob.jpg"


@pytest.mark.rule("P1", "P4")
async def test_a_headshot_is_uploaded_once() -> None:
    """Uploaded with the speaker; the next push neither fetches nor uploads it."""
    world = await a_world()
    await with_headshot(world, URL)
    run = await world.push()
    assert (await uploads(world), run.images, run.outcome) == (1, 1, "completed")
    await world.push()
    assert world.images.fetched == [URL]


@pytest.mark.rule("P4")
async def test_another_address_with_the_same_bytes_is_not_uploaded() -> None:
    """Fetched because its URL changed, not uploaded because its bytes did not."""
    world = await a_world()
    await with_headshot(world, URL)
    await world.push()
    await with_headshot(world, URL + "?v=2")
    await world.push()
    assert len(world.images.fetched) == 2
    assert await uploads(world) == 1


@pytest.mark.rule("P4")
async def test_deep_reconcile_asks_for_an_image_by_its_validator() -> None:
    """Uploaded again only when its bytes are others; a server that gives no validator is not asked."""
    world = await a_world(ReconcileSettings(interval=1800, deep_interval=86_400))
    world.images.tagged.add(URL)
    await world.given(
        a_session("s1", people=["c1", "c2"]), a_contact("c1", photo_url=URL), a_contact("c2", photo_url=PLAIN)
    )
    await world.push()
    assert (await uploads(world), sorted(world.images.fetched)) == (2, [URL, PLAIN])

    async def reconcile(depth: Depth) -> list[str]:
        world.images.fetched.clear()
        await world.inbox.request_survey(EVENT, depth)
        lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
        assert lease is not None
        await world.push_claimed(lease)
        return world.images.fetched

    assert await reconcile(Depth.DEEP) == [URL]
    assert await uploads(world) == 2
    world.images.web[URL] = b"another picture"
    assert await reconcile(Depth.SHALLOW) == []
    assert await reconcile(Depth.DEEP) == [URL]
    assert await uploads(world) == 3
    world.images.web[URL] = UnavailableError("Its server is down.")
    assert await reconcile(Depth.DEEP) == [URL]
    assert (await uploads(world), await world.codes()) == (3, [])


@pytest.mark.rule("P3")
async def test_an_image_that_will_not_do_is_an_issue_and_not_fetched_again() -> None:
    """The speaker syncs without it (`image_unusable`); only another address is a reason to try again."""
    world = await a_world()
    world.images.web[URL] = ImageUnusableError("damaged", "The file is damaged.")
    await with_headshot(world, URL)
    run = await world.push()
    assert run.outcome == "completed_with_issues"
    assert world.swoogo.records[Kind.SPEAKER]
    for _ in range(2):
        assert [code for _, code in await world.codes()] == [Code.IMAGE_UNUSABLE]
        await world.push()
    assert len(world.images.fetched) == 1
    await with_headshot(world, URL + "?better")
    await world.push()
    assert (await uploads(world), await world.codes()) == (1, [])


@pytest.mark.rule("P3")
async def test_a_web_server_that_is_down_does_not_fail_the_push() -> None:
    """Told, and tried again at the next push."""
    world = await a_world()
    world.images.web[URL] = UnavailableError("The server did not answer.")
    await with_headshot(world, URL)
    run = await world.push()
    assert run.outcome == "completed_with_issues"
    assert world.marks == {}
    del world.images.web[URL]
    await world.push()
    assert (await uploads(world), await world.codes()) == (1, [])


@pytest.mark.rule("P3")
async def test_a_refused_upload_is_parked() -> None:
    """Swoogo refuses the image: an issue, not sent again until the address changes."""
    world = await a_world()
    world.swoogo.trouble.refused_uploads = RefusedError("Too large.")
    await with_headshot(world, URL)
    await world.push()
    await world.push()
    assert await uploads(world) == 1
    assert [code for _, code in await world.codes()] == [Code.REFUSED]


@pytest.mark.rule("G1")
async def test_changes_do_not_wait_for_a_host_that_never_answers(world: World) -> None:
    """500 speakers whose images are there: all is written within seconds, and later changes too."""
    world.images.late["dead.example"] = inf
    await with_headshots(world, "dead.example", 500)
    async with asyncio.timeout(10):
        await world.push()
    assert len(world.swoogo.records[Kind.SPEAKER]) == 500
    await with_headshots(world, "dead.example", 500, "Another title")
    async with asyncio.timeout(10):
        await world.push()
    assert [row["name"] for row in world.swoogo.records[Kind.SESSION].values()] == ["Another title"]
    assert world.marks == {}
    assert len(world.images.fetched) == 3, "a host that has not answered is asked for three images at a time"


@pytest.mark.rule("G1")
async def test_an_image_that_is_on_its_way_is_told_and_comes_later(world: World) -> None:
    world.images.late["slow.example"] = 0.3
    await with_headshots(world, "slow.example", 1)
    run = await world.push()
    assert (run.tally(Kind.SPEAKER).created, await uploads(world), world.marks) == (1, 0, {})
    assert await world.codes() == [("speaker/c0", Code.IMAGE_WAITING)]
    assert due_in(world) == 5.0
    assert not world.inbox.state(SUBJECT).until, "no one holds the event meanwhile"
    await until_settled(world)
    assert (await uploads(world), await world.codes(), due_in(world)) == (1, [], None)
    assert len(world.images.fetched) == 1


@pytest.mark.rule("G1")
async def test_another_replica_goes_on_with_images_that_were_on_their_way(world: World) -> None:
    """What the first one had fetched is lost with it, and no wish is."""
    world.images.late["slow.example"] = 0.3
    await with_headshots(world, "slow.example", 1)
    await world.push()
    await world.pusher.images.aclose()
    world.images.late.clear()
    world.pusher = replace(world.pusher, images=ImageQueue(world.images, patience=0.05))
    assert due_in(world) == 5.0
    await world.push()
    assert (await uploads(world), await world.codes()) == (1, [])
