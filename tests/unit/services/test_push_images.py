"""Images in a push: fetched when their address is new, uploaded when their bytes are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf

import pytest

from consumer.domain.errors import ImageUnusableError, RefusedError, UnavailableError
from consumer.domain.identity import Kind
from consumer.domain.issue import Code
from consumer.domain.mapping import MappingSettings
from consumer.domain.run import Trigger
from consumer.domain.sentences import for_admin
from consumer.domain.snapshot import Sponsor
from consumer.domain.survey import Depth
from consumer.ports import SyncRequest
from consumer.services.images import ImageQueue
from consumer.settings import ReconcileSettings
from tests.support.builders import EVENT, a_contact, a_session
from tests.support.service_world import SUBJECT, World, a_world

URL = "https://cdn.example.org/ada.jpg"
PLAIN = "https://cdn.example.org/bob.jpg"


async def with_headshot(world: World, url: str) -> None:
    await world.given(a_session("s1", people=["c1"]), a_contact("c1", photo_url=url))


async def uploads(world: World) -> int:
    return sum(1 for call in world.swoogo.calls if call.what == "upload")


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


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """One whose fetches end with the test."""
    world = await a_world(ReconcileSettings(interval=1800, deep_interval=86_400))
    yield world
    await world.pusher.images.aclose()


async def with_headshots(world: World, host: str, count: int, title: str = "Title") -> None:
    people = [f"c{number}" for number in range(count)]
    contacts = [a_contact(each, photo_url=f"https://{host}/{each}.jpg") for each in people]
    await world.given(a_session("s1", people=people, title=title), *contacts)


async def deep_reconcile(world: World) -> None:
    await world.inbox.request_survey(EVENT, Depth.DEEP)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    await world.push_claimed(lease)


def due_in(world: World) -> float | None:
    """Seconds until the event comes again."""
    due = world.inbox.state(SUBJECT).due
    return None if due is None else (due - world.clock.now()) / 1000


async def until_settled(world: World) -> None:
    """Push as often as the event comes again soon."""
    async with asyncio.timeout(20):
        while (due_in(world) or inf) < 60:
            await world.push()


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


@pytest.mark.rule("G1")
@pytest.mark.parametrize(
    "asked",
    [SyncRequest("pressed", "sponsors"), SyncRequest("pressed", "agenda", session_ids=("s2",))],
    ids=lambda each: "selected" if each.selected else each.scope,
)
async def test_a_manual_sync_leaves_images_outside_its_scope_to_changes(world: World, asked: SyncRequest) -> None:
    """They have no dirty mark, and the sync has taken the moment at which they were to come; chaos found it."""
    world.images.late["slow.example"] = 0.3
    await with_headshots(world, "slow.example", 1)
    await world.push()
    run = await world.push(asked)
    assert (run.trigger, run.outcome) == (Trigger.MANUAL, "completed_with_issues")
    assert await world.codes() == [("speaker/c0", Code.IMAGE_WAITING)]
    assert (due_in(world), world.inbox.state(SUBJECT).request) == (5.0, None)
    await until_settled(world)
    assert (await uploads(world), await world.codes(), due_in(world)) == (1, [], None)


@pytest.mark.rule("G1")
async def test_an_image_that_cannot_be_had_outlasts_a_sync_that_leaves_it_out(world: World) -> None:
    """As seed 751 of chaos: it was to be tried again in ten minutes."""
    world.images.web[URL] = UnavailableError("The server did not answer.")
    await with_headshot(world, URL)
    await world.push()
    assert due_in(world) == 600.0
    await world.push(SyncRequest("pressed", "sponsors"))
    assert await world.codes() == [("speaker/c1", Code.IMAGE_UNUSABLE)]
    del world.images.web[URL]
    await until_settled(world)
    assert (await uploads(world), await world.codes()) == (1, [])


@pytest.mark.rule("C4")
async def test_image_outside_the_scope_waits_for_its_sync_with_an_issue(world: World) -> None:
    await world.inbox.set_continuous(EVENT, on=False)
    world.mapping = replace(world.mapping, continuous=False)
    world.images.late["slow.example"] = 0.3
    await with_headshots(world, "slow.example", 1)
    await world.push(SyncRequest("pressed", "agenda"))
    await world.clock.advance(5)
    await world.inbox.complete(await world.claim(), {})  # as if that sync had been served
    await world.push(SyncRequest("pressed again", "sponsors"))
    assert (await world.codes(), due_in(world)) == ([("speaker/c0", Code.IMAGE_WAITING)], None)


@pytest.mark.rule("G1")
async def test_changes_do_not_wait_for_an_image_of_a_manual_sync(world: World) -> None:
    """The sync is served; its image comes with changes, which would be held to its scope as long as it waits."""
    world.images.web["https://cdn.example.org/acme.png"] = UnavailableError("The server did not answer.")
    acme = Sponsor("p1", version=1, name="Acme", logo_url="https://cdn.example.org/acme.png")
    await world.given(acme)
    await world.push(SyncRequest("pressed", "sponsors"))
    assert (due_in(world), await world.codes()) == (600.0, [("sponsor/p1", Code.IMAGE_UNUSABLE)])
    run = await world.sync(a_session("s1"))
    assert (run.trigger, run.tally(Kind.SESSION).created) == (Trigger.CHANGES, 1)
    assert (due_in(world), await world.codes()) == (600.0, [("sponsor/p1", Code.IMAGE_UNUSABLE)])


@pytest.mark.rule("O4")
async def test_image_left_out_by_changes_returns_with_its_sync(world: World) -> None:
    world.mapping = replace(world.mapping, settings=MappingSettings(sync_sponsors=False))
    world.images.late["cdn.example.org"] = 0.3
    await world.given(Sponsor("p1", version=1, name="Acme", logo_url="https://cdn.example.org/acme.png"))
    await world.push(SyncRequest("pressed", "sponsors"))
    assert (due_in(world), await world.codes()) == (5.0, [("sponsor/p1", Code.IMAGE_WAITING)])
    await until_settled(world)
    assert (await uploads(world), await world.codes(), due_in(world)) == (1, [], None)
    await world.push(SyncRequest("again", "agenda"))
    assert due_in(world) is None


async def test_a_host_that_is_silent_three_times_is_left_alone_and_told(world: World) -> None:
    """The event comes again in ten minutes; its other images are uploaded meanwhile."""
    world.images.late["dead.example"] = inf
    world.images.gives_up = 0.02
    await with_headshots(world, "dead.example", 64)
    await world.given(a_session("s2", people=["c99"]), a_contact("c99", photo_url=URL))
    await world.push()
    await until_settled(world)
    assert len(world.images.fetched) == 3 + 1
    issues = await world.issues()
    assert {issue.code for issue in issues} == {Code.IMAGE_UNUSABLE}
    assert len(issues) == 64
    assert "dead.example was silent three times in a row and is asked again" in for_admin(issues[-1])
    assert await uploads(world) == 1
    assert due_in(world) == 600.0


@pytest.mark.rule("P4")
async def test_a_deep_reconcile_does_not_wait_for_images_it_asks_for_again(world: World) -> None:
    """Its survey of records goes on; a picture that comes after it is uploaded by the next push."""
    world.images.tagged |= {f"https://cdn.example/c{number}.jpg" for number in range(64)}
    await with_headshots(world, "cdn.example", 64)
    await world.push()
    await until_settled(world)
    assert await uploads(world) == 64
    world.images.late["cdn.example"] = 0.3
    world.images.web["https://cdn.example/c7.jpg"] = b"another picture"
    async with asyncio.timeout(10):
        await deep_reconcile(world)
    assert (await uploads(world), await world.codes(), due_in(world)) == (64, [], 5.0)
    await until_settled(world)
    assert (await uploads(world), await world.codes()) == (65, [])


@pytest.mark.rule("P4")
async def test_images_that_cannot_be_asked_for_again_say_nothing(world: World) -> None:
    """The one in Swoogo stays."""
    world.images.tagged.add(URL)
    await with_headshot(world, URL)
    await world.push()
    world.images.late["cdn.example.org"] = inf
    world.images.gives_up = 0.1
    async with asyncio.timeout(10):
        await deep_reconcile(world)
    await until_settled(world)
    assert (await uploads(world), await world.codes()) == (1, [])


@pytest.mark.rule("P5")
@pytest.mark.parametrize("url", ["", None])
async def test_without_an_address_nothing_is_fetched(url: str | None) -> None:
    """No headshot, or one that is not known, costs nothing."""
    world = await a_world()
    await world.given(a_session("s1", people=["c1"]), a_contact("c1", photo_url=url))
    await world.push()
    assert world.images.fetched == []
