"""K1, K2: the page of a plan says what `plan` says, field by field, and stays small however much there is to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial

import pytest
from redis.asyncio import Redis

from consumer.entrypoints.console.page import DocumentCache
from consumer.entrypoints.console.pages.plan import Part, parted
from consumer.entrypoints.console.viewer import LOCAL, Role
from consumer.entrypoints.documents.plan import read_plan
from tests.support.builders import EVENT, a_contact, a_mapping, a_room, an_entry, session_key
from tests.support.console import Visitor, a_visitor, admin
from tests.support.desk import sent, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1", "N3")]

ADDRESS = f"/events/{EVENT}/plan"


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    async with a_visitor(redis_url) as made:
        await made.desk.map(a_mapping())
        yield made


async def test_each_field_cost_and_reason_is_that_of_the_command(visitor: Visitor) -> None:
    desk, talk = visitor.desk, soon("s1", "c1", title="A long new <title>", room=a_room())
    await desk.record(
        talk, a_contact("c1", email="ada@example.org"), soon("s2", status="pending"), soon("s3", title="")
    )
    old = {**sent(talk, room="r1"), "name": "A long old <title>"}
    await desk.pushed({session_key(): an_entry(101, pushed=old), "location/r1": an_entry(7, pushed={"name": "Hall 1"})})
    page, document = await visitor.page(ADDRESS), await desk.read("plan", EVENT)
    rows = {row[0]: row[1:] for row in page.rows}
    assert rows["Name"] == ["A long old <title>", "A long new <title>"]
    assert '<del class="is-gone">old</del>' in page.html
    assert rows["E-mail address"] == ["nothing", "a***@example.org"]
    assert f"costs {document['credits']} credits of the {document['credits_left']:,} left" in page.text
    assert f"{len(document['operations'])} changes in {document['calls']} calls" in page.text
    assert "1 session updated" in page.text
    assert document["plan_id"] in page.text
    assert "First looked up in Swoogo: speakers." in page.text
    assert ["Sessions", "1", "not accepted"] in page.rows
    assert f"/events/{EVENT}/records/session/s1" in page.links
    chosen = await visitor.page(f"{ADDRESS}?out=session:missing_field")
    assert f"/events/{EVENT}/records/session/s3" in chosen.links
    assert "it has no title. Add one in Sessionboard." in chosen.text


async def test_many_changes_are_paged_chosen_and_found(visitor: Visitor) -> None:
    await visitor.desk.record(*(soon(f"s{number}", title=f"Talk no. {number}") for number in range(300)))
    first = await visitor.get(ADDRESS)
    assert len(first.content) < 100_000
    page = await visitor.page(ADDRESS)
    assert "Changes 1 to 25 of 300" in page.text
    assert "?page=2#ops" in page.links
    assert "Changes 276 to 300 of 300" in (await visitor.page(f"{ADDRESS}?page=999")).text
    found = await visitor.page(f"{ADDRESS}?action=create&q=talk%20NO.%2027")
    assert "Changes 1 to 11 of 11" in found.text
    assert "No change is like that." in (await visitor.page(f"{ADDRESS}?q=nothing")).text
    assert "Changes 1 to 25 of 300" in (await visitor.page(f"{ADDRESS}?action=unheard&page=-1&out=x")).text


async def test_nothing_to_send_is_said_in_a_word(visitor: Visitor) -> None:
    page = await visitor.page(ADDRESS)
    assert "Nothing would be sent. It costs nothing." in page.text
    assert "What changes" not in page.text


async def test_a_plan_is_made_again_when_something_changes(visitor: Visitor) -> None:
    """And no more often: a large event has many pages."""
    kept, stores, desk = DocumentCache(), visitor.stores, visitor.desk
    make = partial(read_plan, stores, EVENT, 0.2)
    first = await kept.of(stores, EVENT, "plan", make)
    assert await kept.of(stores, EVENT, "plan", make) is first
    await desk.record(soon("s1"))
    second = await kept.of(stores, EVENT, "plan", make)
    assert len(second.document.operations) == 1
    assert await kept.of(stores, EVENT, "plan", make) is second
    await desk.map(a_mapping(sync_capacity=True))
    assert await kept.of(stores, EVENT, "plan", make) is not second


@pytest.mark.rule("K4")
async def test_names_are_for_those_who_may_see_them(visitor: Visitor) -> None:
    await visitor.desk.record(soon("s1", "c1"), a_contact("c1", first_name="Ada"))
    visitor.viewer = replace(LOCAL, actor="oidc:ops", role=Role.OPERATOR)
    page = await visitor.page(f"{ADDRESS}?q=ada")
    assert "Ada" not in page.html
    assert "•••" in (await visitor.page(ADDRESS)).html
    visitor.viewer = admin("org")
    assert "Ada C1" in (await visitor.page(ADDRESS)).text
    visitor.viewer = admin("another")
    await visitor.page(ADDRESS, 404)


async def test_an_event_without_a_mapping_has_no_plan(visitor: Visitor) -> None:
    await visitor.page("/events/nowhere/plan", 404)


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        ("Dock 2", "Lantern", [("del", "Dock 2")], [("ins", "Lantern")]),
        ("a b c", "a x c", [("", "a"), ("del", "b"), ("", "c")], [("", "a"), ("ins", "x"), ("", "c")]),
        ("a c", "a b c", [("", "a"), ("", "c")], [("", "a"), ("ins", "b"), ("", "c")]),
        ("a a", "a", [("", "a"), ("del", "a")], [("", "a")]),
        ("same", "same", [("", "same")], [("", "same")]),
        ("", "new", [], [("ins", "new")]),
    ],
)
def test_what_differs_is_marked_word_by_word(
    old: str, new: str, before: list[tuple[str, str]], after: list[tuple[str, str]]
) -> None:
    assert parted(old, new) == (tuple(Part(*each) for each in before), tuple(Part(*each) for each in after))
