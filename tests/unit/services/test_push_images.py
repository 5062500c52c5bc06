"""Images in a push: fetched when their address is new, uploaded when their bytes are."""

from __future__ import annotations

import pytest

from consumer.domain.errors import ImageUnusableError, RefusedError, UnavailableError
from consumer.domain.issue import Code
from consumer.domain.record import Kind
from consumer.domain.survey import Depth
from consumer.settings import ReconcileSettings
from tests.support.builders import EVENT, a_connection, a_contact, a_session
from tests.unit.services.world import SUBJECT, World, a_world

URL = "https://cdn.example.org/ada.jpg"
PLAIN = "https://cdn.example.org/bob.jpg"


async def with_headshot(world: World, url: str) -> None:
    await world.given(a_session("s1", people=["c1"]), a_contact("c1", photo_url=url))


async def uploads(world: World) -> int:
    return sum(1 for call in world.swoogo.calls if call.what == "upload")


async def test_a_headshot_is_uploaded_once() -> None:
    """P1, P4: uploaded with the speaker; the next push neither fetches nor uploads it."""
    world = await a_world()
    await with_headshot(world, URL)
    run = await world.push()
    assert (await uploads(world), run.images, run.outcome) == (1, 1, "completed")
    await world.push()
    assert world.images.fetched == [URL]


async def test_another_address_with_the_same_bytes_is_not_uploaded() -> None:
    """P4: fetched because its URL changed, not uploaded because its bytes did not."""
    world = await a_world()
    await with_headshot(world, URL)
    await world.push()
    await with_headshot(world, URL + "?v=2")
    await world.push()
    assert len(world.images.fetched) == 2
    assert await uploads(world) == 1


async def test_an_image_behind_an_unchanged_address_is_asked_for_by_its_validator_in_a_deep_reconcile() -> None:
    """P4: uploaded again only when its bytes are others; a server that gives no validator is not asked."""
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
        await world.pusher.push(lease, world.mapping, a_connection())
        return world.images.fetched

    assert await reconcile(Depth.DEEP) == [URL]
    assert await uploads(world) == 2
    world.images.web[URL] = b"another picture"
    assert await reconcile(Depth.SHALLOW) == []
    assert await reconcile(Depth.DEEP) == [URL, URL]
    assert await uploads(world) == 3
    world.images.web[URL] = UnavailableError("Its server is down.")
    assert await reconcile(Depth.DEEP) == [URL]
    assert (await uploads(world), await world.codes()) == (3, [])


async def test_an_image_that_will_not_do_is_an_issue_and_not_fetched_again() -> None:
    """P3: the speaker syncs without it (`image_unusable`); only another address is a reason to try again."""
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


async def test_a_web_server_that_is_down_does_not_fail_the_push() -> None:
    """P3: told, and tried again at the next push."""
    world = await a_world()
    world.images.web[URL] = UnavailableError("The server did not answer.")
    await with_headshot(world, URL)
    run = await world.push()
    assert run.outcome == "completed_with_issues"
    assert world.marks == {}
    del world.images.web[URL]
    await world.push()
    assert (await uploads(world), await world.codes()) == (1, [])


async def test_a_refused_upload_is_parked() -> None:
    """P3: Swoogo refuses the image: an issue, not sent again until the address changes."""
    world = await a_world()
    world.swoogo.trouble.refused_uploads = RefusedError("Too large.")
    await with_headshot(world, URL)
    await world.push()
    await world.push()
    assert await uploads(world) == 1
    assert [code for _, code in await world.codes()] == [Code.REFUSED]


@pytest.mark.parametrize("url", ["", None])
async def test_without_an_address_nothing_is_fetched(url: str | None) -> None:
    """P5: no headshot, or one that is not known, costs nothing."""
    world = await a_world()
    await world.given(a_session("s1", people=["c1"]), a_contact("c1", photo_url=url))
    await world.push()
    assert world.images.fetched == []
