"""Images beside manual syncs and deep reconciles (P4, R6)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from math import inf

import pytest

from consumer.domain.connections.mapping import MappingSettings
from consumer.domain.errors import UnavailableError
from consumer.domain.issues.issue import Code
from consumer.domain.issues.sentences import for_admin
from consumer.domain.push.run import Trigger
from consumer.domain.records.identity import Kind
from consumer.domain.records.snapshot import Sponsor
from consumer.domain.surveys.survey import Depth
from consumer.ports import SyncRequest
from tests.support.builders import EVENT, a_contact, a_session
from tests.support.service_world import SUBJECT, World, a_world
from tests.unit.services.pictured import URL, due_in, fetching, until_settled, uploads, with_headshot, with_headshots


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with fetching() as made:
        yield made


async def deep_reconcile(world: World) -> None:
    await world.inbox.request_survey(EVENT, Depth.DEEP)
    lease = await world.inbox.claim(SUBJECT, world.clock.new_id())
    assert lease is not None
    await world.push_claimed(lease)


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
