"""U3: each order by a click in a browser, and what the next push does in Swoogo because of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

import pytest
from playwright.async_api import Page

from consumer.domain.orders.order import OrderKind
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, State
from consumer.domain.surveys.survey import Depth
from consumer.entrypoints.console.pages import orders
from consumer.services.orders import OrderRelay
from sandbox.conference import sample
from tests.support.browser import Chromium, text
from tests.support.fakes.orders import InMemoryOrders
from tests.support.fakes.pairs import ListedStates
from tests.support.scenes import EVENT_ID, Scene, a_scene, good, in_trouble, mapped
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("U3")]

_DATABASE: Final = 7
_WHY: Final = "The programme is printed tonight."


@pytest.fixture
async def scene(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    """An organization without an event."""
    monkeypatch.setattr(orders, "_SECONDS", 0.0)
    async with a_scene(redis_url, _DATABASE) as made:
        yield made


async def entries(scene: Scene) -> dict[str, Entry]:
    return dict(await scene.desk.ledger.load(str(EVENT_ID)))


async def relayed(scene: Scene) -> None:
    """The running service sees to what was ordered."""
    stores = scene.visitor.stores
    relay = OrderRelay(
        stores.orders.store, InMemoryOrders(), stores.inbox, stores.connections, ListedStates(), stores.clock
    )
    await relay.relay()


async def click(page: Page, kind: OrderKind, **fields: str) -> None:
    """From the page that is open: the link, the reason and other fields, the button."""
    await page.locator(f"a[href*='/orders/{kind.value}']").first.click()
    assert await page.locator("h1").inner_text() == orders.KINDS[kind].title
    for name, value in fields.items():
        await page.locator(f"[name={name}]").fill(value)
    await page.get_by_label("Why").fill(_WHY)
    await page.get_by_role("button", name=orders.KINDS[kind].button).click()
    assert _WHY in await text(page), "the order stands in the audit"


@pytest.mark.rule("D3", "P5")
async def test_a_deleted_session_and_a_refused_one_are_sent_again(scene: Scene, chromium: Chromium) -> None:
    await in_trouble(scene)
    gone = next(key for key, each in (await entries(scene)).items() if each.state is State.GONE)
    issues = await scene.desk.board.issues(str(EVENT_ID))
    refused = next(each.key for each in issues.values() if each.parked)
    scene.swoogo.before_call = None  # from now on Swoogo takes that name
    async with scene.served() as base:
        for key, kind in ((gone, OrderKind.LIFT), (refused, OrderKind.RETRY)):
            await click(await chromium.open(f"{base}/events/{EVENT_ID}/records/{key}"), kind)
    await scene.push()
    now = await entries(scene)
    assert now[gone].live
    assert now[gone].swoogo_id in scene.swoogo.records[Kind.SESSION]
    assert now[refused].live
    assert refused not in {each.key for each in (await scene.desk.board.issues(str(EVENT_ID))).values() if each.parked}


@pytest.mark.rule("U2")
async def test_a_plan_waits_for_the_click_that_approves_it(scene: Scene, chromium: Chromium) -> None:
    await good(scene)
    scene.mapping = replace(scene.mapping, settings=replace(scene.mapping.settings, approval_required=True))
    await scene.desk.map(scene.mapping)
    conference = scene.conference
    assert conference is not None
    first = next(iter(conference.talks.values()))
    talks = {**conference.talks, first.id: replace(first, title="Approved by a click")}
    await scene.publish(replace(conference, talks=talks))
    assert not scene.swoogo.named(Kind.SESSION, "Approved by a click")
    async with scene.served() as base:
        await click(await chromium.open(f"{base}/events/{EVENT_ID}/plan"), OrderKind.APPROVE)
    await relayed(scene)
    await scene.push()
    assert len(scene.swoogo.named(Kind.SESSION, "Approved by a click")) == 1


@pytest.mark.rule("U1")
async def test_a_freeze_holds_changes_until_a_click_ends_it(scene: Scene, chromium: Chromium) -> None:
    await good(scene)
    conference = scene.conference
    assert conference is not None
    first = next(iter(conference.talks.values()))
    talks = {**conference.talks, first.id: replace(first, title="After the freeze")}
    async with scene.served() as base:
        page = await chromium.open(f"{base}/events/{EVENT_ID}")
        await click(page, OrderKind.FREEZE)
        await relayed(scene)
        await scene.publish(replace(conference, talks=talks))
        assert not scene.swoogo.named(Kind.SESSION, "After the freeze")
        await page.goto(f"{base}/events/{EVENT_ID}")
        await click(page, OrderKind.THAW)
    await relayed(scene)
    await scene.push()
    assert len(scene.swoogo.named(Kind.SESSION, "After the freeze")) == 1


@pytest.mark.rule("G2")
@pytest.mark.parametrize("kind", [OrderKind.ADOPT, OrderKind.FORGET], ids=lambda kind: kind.value)
async def test_an_unanswered_create_is_decided_by_a_click(scene: Scene, chromium: Chromium, kind: OrderKind) -> None:
    conference = sample.sample(datetime.now(UTC))
    await mapped(scene, conference)
    scene.swoogo.trouble.lost_before = 1
    await scene.publish(conference)
    key = next(key for key, each in (await entries(scene)).items() if each.state is State.INTENT)
    name = (await entries(scene))[key].natural
    oldest, other = (scene.swoogo.add(Kind(key.partition("/")[0]), name=name) for _ in range(2))

    async def undecided() -> bool:
        await scene.desk.stores.inbox.request_survey(str(EVENT_ID), Depth.SHALLOW)
        await scene.push()
        return any(each.code == "ambiguous_match" for each in (await scene.desk.board.issues(str(EVENT_ID))).values())

    await wait_until(undecided, "two records may be the one that was created", 10)
    async with scene.served() as base:
        page = await chromium.open(f"{base}/events/{EVENT_ID}/records/{key}")
        await click(page, kind, **({"swoogo_id": str(other)} if kind is OrderKind.ADOPT else {}))
    await scene.push()
    entry = (await entries(scene))[key]
    assert entry.live
    # What is no answer to the create is looked for by its name, and the oldest is taken.
    assert entry.swoogo_id == (other if kind is OrderKind.ADOPT else oldest)


@pytest.mark.rule("D4")
async def test_many_deletions_wait_for_the_click_that_confirms_them(scene: Scene, chromium: Chromium) -> None:
    await good(scene)
    scene.mapping = replace(scene.mapping, settings=replace(scene.mapping.settings, remove_deleted_sessions=True))
    await scene.desk.map(scene.mapping)
    conference = scene.conference
    assert conference is not None
    there = len(scene.swoogo.records[Kind.SESSION])
    kept = dict(list(conference.talks.items())[:5])
    await scene.publish(replace(conference, talks=kept))
    assert len(scene.swoogo.records[Kind.SESSION]) == there
    async with scene.served() as base:
        await click(await chromium.open(f"{base}/events/{EVENT_ID}"), OrderKind.REMOVE)
    await scene.push()
    assert len(scene.swoogo.records[Kind.SESSION]) == len(kept)
