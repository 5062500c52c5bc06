"""K1, K2: the page of a record says what `explain` says, and names no one it should not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import RunCalls
from consumer.domain.push.timeline import Happening, What
from consumer.domain.records.snapshot import Contact
from consumer.entrypoints.console.viewer import LOCAL, Role
from consumer.settings import ConsoleSettings
from tests.support.builders import EVENT, a_contact, a_mapping, a_room, an_entry, session_key, speaker_key
from tests.support.console import Visitor, a_visitor, admin
from tests.support.desk import sent, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1", "U4")]

TALK = soon("s1", "c1", title="New <title>", room=a_room("r1", "Hall <2>"))
EDITED = Issue(session_key(), Code.EDITED_IN_SWOOGO, field="description")
BASE = f"/events/{EVENT}/records"


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    """An event with a session that waits and was edited, and its speaker."""
    async with a_visitor(redis_url) as made:
        desk = made.desk
        await desk.map(a_mapping())
        await desk.record(TALK, a_contact("c1", email="ada@example.org"))
        lease = await desk.claim()
        pushed = {**sent(TALK, room="r1"), "name": "Old title"}
        entries = {
            session_key(): an_entry(101, pushed=pushed, seen={"name": "Old title", "location": "7"}),
            speaker_key(): an_entry(201, pushed={"first_name": "Ada", "email": "ada@example.org"}, links=("s1",)),
            "location/r1": an_entry(7, pushed={"name": "Hall 1"}),
        }
        await desk.ledger.put(lease, entries)
        await desk.board.ended(desk.run(), {EDITED.id: EDITED}, lease)
        happened = {session_key(): [Happening(desk.clock.now(), What.UPDATED, ("name",), run="run-1")]}
        await desk.timeline.note(lease, "run-1", happened, RunCalls())
        await desk.stores.inbox.complete(lease, {})
        yield made


async def test_the_three_columns_are_those_of_explain(visitor: Visitor) -> None:
    page = await visitor.page(f"{BASE}/session/s1")
    document = await visitor.desk.read("explain", EVENT, "session/s1")
    rows = {row[0]: row[1:] for row in page.rows if len(row) == 4}
    assert rows["Name"] == ["New <title>", "Old title", "Old titleGoes over with the next push."]
    assert rows["Description"][2].startswith("another valueEdited in Swoogo")
    assert rows["Room"] == ["Hall <2>", "Hall 1", "Hall 1Swoogo keeps the name that it had first."]
    assert rows["Start time"] == ["09:00", "09:00", "as sent"]
    assert {row["label"].capitalize() for row in document["fields"]} <= rows.keys()
    for sentence in (document["there"], document["next"], *(each["sentence"] for each in document["issues"])):
        assert sentence in page.text
    assert document["timeline"][0]["sentence"] in page.text


async def test_a_record_leads_to_those_it_belongs_to(visitor: Visitor) -> None:
    assert f"{BASE}/speaker/c1" in (await visitor.page(f"{BASE}/session/s1")).links
    page = await visitor.page(f"{BASE}/speaker/c1")
    assert f"{BASE}/session/s1" in page.links
    assert f"/events/{EVENT}" in page.links


@pytest.mark.rule("K4")
async def test_addresses_are_masked_and_no_name_stands_in_the_title(visitor: Visitor) -> None:
    for viewer in (LOCAL, admin("org")):
        visitor.viewer = viewer
        page = await visitor.page(f"{BASE}/speaker/c1")
        assert "Ada C1" in page.text
        assert "a***@example.org" in page.text
        assert "ada@example.org" not in page.html
        assert "<title>Speaker · swoogo-sync</title>" in page.html


@pytest.mark.rule("K4")
async def test_an_operator_of_all_organizations_reads_no_names(visitor: Visitor) -> None:
    visitor.viewer = replace(LOCAL, actor="oidc:ops", role=Role.OPERATOR)
    page = await visitor.page(f"{BASE}/speaker/c1")
    assert 'a speaker of "New <title>"' in page.text
    assert "Ada" not in page.html
    assert "Ada" not in (await visitor.page(f"{BASE}/session/s1")).html


@pytest.mark.parametrize(
    "path",
    ["session/nothing", "person/c1", "session/s", "session/101", "speaker/s1", "session/..%2F..%2Fs1"],
)
async def test_an_address_names_one_record_whole_or_none(visitor: Visitor, path: str) -> None:
    await visitor.page(f"{BASE}/{path}", 404)


async def test_the_beginning_of_an_id_is_for_commands_alone(visitor: Visitor) -> None:
    await visitor.desk.record(soon("0123456789abcdef", title="Long"))
    assert (await visitor.desk.read("explain", EVENT, "session/01234567"))["title"] == "Long"
    await visitor.page(f"{BASE}/session/01234567", 404)
    await visitor.page(f"{BASE}/session/0123456789abcdef")


@pytest.mark.rule("K4")
async def test_another_organizations_record_is_not_there(visitor: Visitor) -> None:
    visitor.viewer = admin("another")
    await visitor.page(f"{BASE}/session/s1", 404)


async def test_a_record_in_sync_has_nothing_to_explain(visitor: Visitor) -> None:
    await visitor.desk.record(replace(TALK, deleted=True, version=9), Contact("c9", version=1))
    page = await visitor.page(f"{BASE}/location/r1")
    assert "Swoogo has it as 7. Both sides agree." in page.text


@pytest.mark.rule("K3")
async def test_what_may_be_ordered_is_there_only_while_orders_are_on(visitor: Visitor) -> None:
    visitor.viewer = admin("org")
    order = f"/events/{EVENT}/orders/sync?keys=session/s1"
    assert order not in (await visitor.page(f"{BASE}/session/s1")).links
    visitor.settings = ConsoleSettings(orders="on")
    page = await visitor.page(f"{BASE}/session/s1")
    assert order in page.links
    assert "Sync this session alone…" in page.text
    assert (await visitor.get(order)).status_code == 200
    visitor.viewer = replace(admin("org"), role=Role.VIEWER)
    assert order not in (await visitor.page(f"{BASE}/session/s1")).links


@pytest.mark.rule("S5")
async def test_a_room_that_changes_is_shown_by_both_names(visitor: Visitor) -> None:
    """Also the room of before, which nothing in Sessionboard names any more."""
    await visitor.desk.record(replace(TALK, version=9, room=a_room("r2", "Hall 9")))
    rows = {row[0]: row[1:] for row in (await visitor.page(f"{BASE}/session/s1")).rows if len(row) == 4}
    assert rows["Room"][:2] == ["Hall 9", "Hall 1"]
    assert rows["Room"][2].startswith("Hall 1")


@pytest.mark.rule("K2")
async def test_an_unchanged_record_is_not_drawn_again(visitor: Visitor) -> None:
    first = await visitor.get(f"{BASE}/session/s1")
    again = await visitor.get(f"{BASE}/session/s1", **{"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
