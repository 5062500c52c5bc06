"""K1, K2: the frame of every page, over real Valkey."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from consumer.domain.errors import UnavailableError
from consumer.entrypoints.console.viewer import LOCAL
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


class Away:
    """Stands for what reads Redis while that does not answer."""

    async def summaries(self, events: Sequence[str]) -> Any:
        raise UnavailableError("Redis did not answer as it should: ConnectionError.")


async def test_when_redis_is_away_the_page_shows_what_it_knew_and_since_when(visitor: Visitor) -> None:
    await visitor.desk.map(replace(a_mapping(), name="Summit"))
    await visitor.page(f"/events/{EVENT}")
    assert visitor.app
    overview = visitor.stores.overview
    object.__setattr__(visitor.stores, "overview", Away())
    page = await visitor.page(f"/events/{EVENT}", 503)
    assert re.search(r"Redis does not answer\. This is what was known at \d\d:\d\d:\d\d;", page.text)
    assert "Summit" in page.text
    never = await visitor.page("/events/never-asked-for", 503)
    assert "Redis does not answer" in never.text
    visitor.viewer = replace(LOCAL, actor="another")
    assert "Summit" not in (await visitor.page(f"/events/{EVENT}", 503)).html
    object.__setattr__(visitor.stores, "overview", overview)
    assert "Redis does not answer. This" not in (await visitor.page(f"/events/{EVENT}")).text


async def test_a_page_refreshes_by_itself_until_it_is_paused(visitor: Visitor) -> None:
    page = await visitor.page("/")
    assert '<noscript><meta http-equiv="refresh" content="10"></noscript>' in page.html
    assert "?live=off" in page.links
    paused = await visitor.page("/?live=off")
    assert "http-equiv" not in paused.html
    assert "refresh.js" not in paused.html


async def test_a_session_that_changed_is_drawn_anew(visitor: Visitor) -> None:
    """What is kept of a programme is kept by what it says."""
    await visitor.desk.map(a_mapping())
    await visitor.desk.record(soon("s1", title="Before"))
    assert "Before" in (await visitor.page(f"/events/{EVENT}")).text
    await visitor.desk.record(soon("s1", title="After", version=2))
    page = await visitor.page(f"/events/{EVENT}")
    assert "After" in page.text
    assert "Before" not in page.html
