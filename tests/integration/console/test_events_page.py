"""K1: the page of all events, over real Valkey: searched, narrowed and paged on the server, as `status` says it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.connections.mapping import EventMapping
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Tally
from consumer.domain.records.identity import Kind
from consumer.entrypoints.documents import events
from consumer.entrypoints.documents.events import PAGE
from tests.support.builders import a_mapping, an_entry
from tests.support.console import Visitor, a_visitor, admin
from tests.support.desk import soon
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1", "K2")]


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    async with a_visitor(redis_url) as made:
        yield made


def event(number: int, name: str, org_id: str = "org-a") -> EventMapping:
    made = a_mapping(event_id=f"ev-{number}")
    return replace(made, name=name, org_id=org_id, swoogo_event_id=9000 + number, credential=f"credential-{org_id}")


async def four(visitor: Visitor) -> None:
    """One in sync, one that waits, one that needs a hand, and one that is not mapped."""
    desk = visitor.desk
    for number, (name, org) in enumerate([("Summit", "org-a"), ("Fair", "org-b"), ("Forum", "org-a")]):
        await desk.map(event(number, name, org))
        await desk.record(soon("s1"), event_id=f"ev-{number}")
    for number, found in ((0, {}), (2, {"i": Issue("session/s1", Code.INVALID_TIME_RANGE)})):
        run = replace(desk.run(tallies={Kind.SESSION: Tally(created=1)}), event_id=f"ev-{number}")
        await desk.pushed({"session/s1": an_entry(1)}, found, run, event_id=f"ev-{number}")
    await desk.record(soon("s1"), event_id="ev-9")


async def test_events_are_grouped_by_whose_turn_it_is(visitor: Visitor) -> None:
    await four(visitor)
    page = await visitor.page("/")
    assert "1 of 4 events is in sync. 1 is on its way, 2 need somebody." in page.text
    said = [row[:2] for row in page.rows if len(row) in {1, 6}]
    assert said == [
        ["State", "Event"],
        ["Somebody is needed 2 events, most issues first"],
        ["Needs a hand", "Forumorg-a"],
        ["Not connected", "ev-9"],
        ["On its way, by itself 1 event"],
        ["Waiting", "Fairorg-b"],
        ["In sync 1 event"],
        ["In sync", "Summitorg-a"],
    ]


async def test_a_page_and_status_say_the_same(visitor: Visitor) -> None:
    await four(visitor)
    rows = {row["event_id"]: row for row in (await visitor.desk.read("status"))["events"]}
    page = await visitor.page("/")
    shown = {row[1].removesuffix("org-a").removesuffix("org-b"): row for row in page.rows if len(row) == 6}
    table = (await visitor.desk.call("status")).stdout
    for row in rows.values():
        line = shown[row["name"] or row["event_id"]]
        assert line[0].lower().replace(" ", "_").removesuffix("_a_hand") in row["state"]
        assert line[0] in table
        assert line[4] == (str(row["hands"]) if row["hands"] else "none")
        assert line[5] == (f"{row['credits_left']:,}" if row["credits_left"] is not None else "unknown")


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=summ", ["Summit"]),
        ("q=ORG-B", ["Fair"]),
        ("q=ev-2", ["Forum"]),
        ("state=waiting", ["Fair"]),
        ("state=waiting&q=forum", []),
        ("q=%3Cscript%3E", []),
        ("state=no-such-state&page=99999", ["Forum", "ev-9", "Fair", "Summit"]),
    ],
)
async def test_events_are_found_on_the_server(visitor: Visitor, query: str, names: list[str]) -> None:
    await four(visitor)
    page = await visitor.page(f"/?{query}")
    found = [row[1].removesuffix("org-a").removesuffix("org-b") for row in page.rows if len(row) == 6][1:]
    assert found == names
    assert ("No event is like that." in page.text) is (not names)


@pytest.mark.rule("K4")
async def test_an_admin_sees_the_events_of_its_organizations_and_their_numbers(visitor: Visitor) -> None:
    await four(visitor)
    visitor.viewer = admin("org-b")
    page = await visitor.page("/")
    assert "Fair" in page.text
    assert "No event is in sync. 1 is on its way." in page.text
    assert "Summit" not in page.html
    assert "org-a" not in page.html
    assert "No event is like that." in (await visitor.page("/?q=Summit")).text


async def test_many_events_are_paged(visitor: Visitor) -> None:
    for number in range(PAGE + 5):
        await visitor.desk.map(event(number, f"Event {number:03}"))
    page = await visitor.page("/")
    assert f"All {PAGE + 5} events are in sync." in page.text
    assert "Page 1 of 2" in page.text
    assert "?page=2" in page.links
    last = await visitor.page("/?page=2")
    assert len([row for row in last.rows if len(row) == 6]) == 5 + 1
    assert len(page.html.encode()) <= 100_000


async def test_of_many_events_those_that_are_shown_are_right(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """What decides the order may be some seconds old; what a page says of its events is not."""
    monkeypatch.setattr(events, "_SLICE", 2)
    monkeypatch.setattr(events, "_SECONDS_A_SLICE", 0.05)
    for number in range(5):
        await visitor.desk.map(event(number, f"Event {number}"))
    assert "All 5 events are in sync." in (await visitor.page("/")).text
    await visitor.desk.record(soon("s1"), event_id="ev-3")
    page = await visitor.page("/")
    assert "4 of 5 events are in sync. 1 is on its way." in page.text
    assert ["Waiting", "Event 3org-a"] in [row[:2] for row in page.rows]
    await visitor.desk.map(event(7, "Newcomer"))
    await visitor.get("/")
    await wait_until(lambda: shows(visitor, "Newcomer"), "a new event is found by the next pass")


async def shows(visitor: Visitor, name: str) -> bool:
    return name in (await visitor.page("/")).text
