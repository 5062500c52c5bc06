"""K1, K2: the frame of every page, over real Valkey."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from tests.support.builders import EVENT, a_mapping
from tests.support.console import Visitor, a_visitor, admin
from tests.support.desk import soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K2")]


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    async with a_visitor(redis_url) as made:
        yield made


async def test_without_an_event_the_page_says_what_to_do(visitor: Visitor) -> None:
    page = await visitor.page("/")
    assert "No event is connected yet. Map one in Sessionboard; it shows up here." in page.text


async def test_an_event_is_listed_and_has_a_page(visitor: Visitor) -> None:
    await visitor.desk.map(replace(a_mapping(), name="Summit <1>"))
    await visitor.desk.record(soon("s1"))
    page = await visitor.page("/")
    assert "Summit <1>" in page.text
    assert f"/events/{EVENT}" in page.links
    assert "Summit <1>" in (await visitor.page(f"/events/{EVENT}")).text


async def test_an_unchanged_page_is_not_drawn_again(visitor: Visitor) -> None:
    await visitor.desk.map(a_mapping())
    first = await visitor.get("/")
    again = await visitor.get("/", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    await visitor.desk.record(soon("s1"))
    assert (await visitor.get("/", **{"if-none-match": first.headers["etag"]})).status_code == 200


@pytest.mark.rule("K4")
async def test_another_organizations_event_is_not_there(visitor: Visitor) -> None:
    await visitor.desk.map(a_mapping())
    visitor.viewer = admin("another")
    page = await visitor.page(f"/events/{EVENT}", 404)
    assert a_mapping().name not in page.text


@pytest.mark.rule("K4")
async def test_nothing_is_shown_to_who_is_not_known(visitor: Visitor) -> None:
    visitor.viewer = None
    assert (await visitor.get("/")).status_code == 401


async def test_an_address_that_does_not_exist_leads_back(visitor: Visitor) -> None:
    page = await visitor.page("/nothing", 404)
    assert "/" in page.links


@pytest.mark.rule("K3")
async def test_without_orders_the_page_says_so_and_has_no_button(visitor: Visitor) -> None:
    await visitor.desk.map(a_mapping())
    page = await visitor.page(f"/events/{EVENT}")
    assert "Orders are off." in page.text
    assert "<button" not in page.html
