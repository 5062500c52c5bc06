"""K1: the page of one event, over real Valkey: empty, good and in trouble, with the numbers of `status EVENT`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.control import Control, Freeze
from consumer.domain.push.run import Tally
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, State
from consumer.domain.records.snapshot import Place
from tests.support.builders import EVENT, HOUR, a_mapping, an_entry
from tests.support.console import Visitor, a_visitor
from tests.support.desk import SOON, soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1", "K2")]

PAGE = f"/events/{EVENT}"
HALL = Place("h", "Hall <A>", 200)


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    async with a_visitor(redis_url) as made:
        await made.desk.map(replace(a_mapping(), name="Summit"))
        yield made


def issue(key: str, code: Code, **fields: str) -> dict[str, Issue]:
    made = Issue(key, code, **fields)  # type: ignore[arg-type]
    return {made.id: made}


async def test_an_event_without_records_says_so(visitor: Visitor) -> None:
    page = await visitor.page(PAGE)
    assert "There is no accepted session yet." in page.text
    assert "In sync" in page.text
    assert "Nothing was synced yet" in page.text


async def test_an_event_that_is_right_says_so_and_leaves_the_rest_out(visitor: Visitor) -> None:
    await visitor.desk.record(soon("s1", room=HALL), soon("s2"))
    run = visitor.desk.run(tallies={Kind.SESSION: Tally(created=2)}, credits=2)
    await visitor.desk.pushed({"session/s1": an_entry(1), "session/s2": an_entry(2)}, {}, run)
    page = await visitor.page(PAGE)
    assert "All 2 accepted sessions are in Swoogo." in page.text
    assert "A change reached Swoogo at" in page.text
    assert ["09:00–10:00", "Title of s1Hall <A>", "In Swoogo"] in page.rows
    assert ["09:00–10:00", "Title of s2No room", "In Swoogo"] in page.rows
    assert "2 created." in page.text
    assert "need a hand" not in page.text
    assert "On its way" not in page.text


async def test_an_event_in_trouble_says_what_to_do(visitor: Visitor) -> None:
    sessions = [soon(f"s{n}", starts_at=SOON + n * HOUR, ends_at=SOON + (n + 1) * HOUR, room=HALL) for n in range(5)]
    sessions[1] = replace(sessions[1], ends_at=SOON)
    await visitor.desk.record(*sessions)
    entries: dict[str, Entry] = {f"session/s{n}": an_entry(n) for n in (0, 3, 4)}
    entries["session/s4"] = replace(an_entry(4), state=State.GONE)
    found = {
        **issue("session/s1", Code.INVALID_TIME_RANGE, field="ends_at", label='"Turned"'),
        **issue("session/s2", Code.HELD_BACK, field="track", detail="its track"),
        **issue("session/s3", Code.EDITED_IN_SWOOGO, field="title"),
        **issue("session/s4", Code.GONE_IN_SWOOGO),
        **issue("speaker/c1#image", Code.IMAGE_UNUSABLE, field="photo_url", detail="No image."),
    }
    await visitor.desk.pushed(entries, found, visitor.desk.run(outcome="completed_with_issues"))
    await visitor.desk.record(soon("s5", title="New & fresh"))
    page = await visitor.page(PAGE)
    status = await visitor.desk.read("status", EVENT)
    assert (status["event"]["state"], status["event"]["hands"]) == ("needs_hand", 3)
    assert "Needs a hand" in page.text
    assert "2 of 6 accepted sessions are in Swoogo. 3 things need a hand." in page.text
    assert "1 waits, 1 is held on purpose, 1 needs a hand, 1 was deleted in Swoogo." in page.text
    assert status["sessions"] == {
        "accepted": 6,
        "live": 2,
        "in_swoogo": 1,
        "needs_hand": 1,
        "held": 1,
        "edited": 1,
        "gone": 1,
        "waiting": 1,
    }
    for heading in ("Correct in Sessionboard · 2", "Decide · 1", "Held on purpose", "Edited in Swoogo", "On its way"):
        assert heading in page.text
    for each in status["issues"]:
        assert each["sentence"] in page.text
    became = {row[1].removesuffix("Hall <A>"): row[2] for row in page.rows if len(row) == 3 and "–" in row[0]}
    assert became["Title of s1"] == "Needs a hand"
    assert became["Title of s4"] == "Deleted in Swoogo"


async def test_titles_are_text_and_nothing_else(visitor: Visitor) -> None:
    bad = '"><script>alert(1)</script>\u202e & <b>'
    await visitor.desk.record(soon("s1", title=bad, room=Place("r", bad)))
    page = await visitor.page(PAGE)
    assert "<script>alert" not in page.html
    assert "\u202e" not in page.html
    assert '"><script>alert(1)</script> & <b>' in page.text


async def test_a_thousand_sessions_are_drawn_a_hundred_at_a_time(visitor: Visitor) -> None:
    day = 24 * HOUR
    sessions = []
    for n in range(1000):
        start = SOON + n // 250 * day + n % 8 * HOUR
        room = Place(f"r{n // 8 % 30}", f"Room {n // 8 % 30}")
        sessions.append(soon(f"s{n:04}", starts_at=start, ends_at=start + HOUR, room=room))
    await visitor.desk.record(*sessions)
    page = await visitor.page(PAGE)
    assert "None of 1,000 accepted sessions is in Swoogo. 1,000 wait." in page.text
    assert len(page.html.encode()) <= 100_000
    assert f"{PAGE}?day=2099-07-02" not in page.links
    assert "?day=2099-07-02#agenda" in page.links
    assert page.html.count('class="card"') <= 110
    second = await visitor.page(f"{PAGE}?day=2099-07-02&rooms=1")
    assert "Thursday 2 July" in second.text


async def test_an_event_that_is_not_known_is_not_there(visitor: Visitor) -> None:
    await visitor.page("/events/another", 404)


@pytest.mark.rule("U1", "U2")
async def test_what_is_frozen_or_not_approved_waits_and_says_for_what(visitor: Visitor) -> None:
    await visitor.desk.record(soon("s1"))
    run = visitor.desk.run(reasons={"session:waiting_for_approval": 2})
    await visitor.desk.pushed({"session/s1": an_entry(1)}, {}, run)
    page = await visitor.page(PAGE)
    assert "Waiting" in page.text
    assert "2 records wait for approval" in page.text
    await visitor.desk.record(soon("s1", version=2))
    await visitor.desk.pushed({}, {}, visitor.desk.run(reasons={"session:frozen": 1}))
    freeze = Freeze("session", ("name",), until=SOON, actor="Ada", reason="It is printed.")
    await visitor.desk.stores.inbox.put_control(Control(EVENT, freeze.name, 1, freeze=freeze))
    page = await visitor.page(PAGE)
    assert "1 record waits for the end of a freeze" in page.text
    assert "Name of sessions is frozen until 1 Jul 2099, 09:00." in page.text
    assert "Ada: “It is printed.”" in page.text
    assert (await visitor.desk.read("status", EVENT))["event"]["state"] == "held"
