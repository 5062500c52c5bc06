"""K1, K2: the page of a run says what `runs show` says, call by call, and stays small however many there are."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import CALLS_KEPT, MadeCall, Run, RunCalls, Tally, count_issues, first_issues
from consumer.domain.records.identity import Kind
from tests.support.builders import EVENT, a_mapping
from tests.support.console import Visitor, a_visitor, admin
from tests.support.desk import soon

pytestmark = [pytest.mark.integration, pytest.mark.rule("K1", "N2")]


@pytest.fixture
async def visitor(redis: Redis, redis_url: str) -> AsyncIterator[Visitor]:
    async with a_visitor(redis_url) as made:
        await made.desk.map(a_mapping())
        await made.desk.record(soon("s1", title="A <title>"))
        yield made


async def ran(visitor: Visitor, *calls: MadeCall, made: int | None = None, **fields: Any) -> Run:
    """A run with these calls, and its issues."""
    desk = visitor.desk
    found = {issue.id: issue for issue in fields.pop("found", ())}
    run = desk.run(issues=count_issues(found), top_issues=first_issues(found), **fields)
    await desk.ask()
    lease = await desk.claim()
    await desk.board.ended(run, found, lease)
    await desk.timeline.note(lease, run.id, {}, RunCalls(calls, len(calls) if made is None else made))
    await desk.stores.inbox.complete(lease, {})
    return run


def a_call(visitor: Visitor, **fields: Any) -> MadeCall:
    at = visitor.desk.clock.now()
    return replace(
        MadeCall(at, "the update of a session", "PUT", "/sessions/update/7", "session/s1", 1, 162, 200), **fields
    )


async def test_counts_calls_and_credits_are_those_of_the_command(visitor: Visitor) -> None:
    refused = Issue("session/s1", Code.REFUSED, field="capacity", detail="Too small.")
    run = await ran(
        visitor,
        a_call(visitor, status=503),
        a_call(visitor),
        a_call(visitor, what="the list of speakers", method="GET", path="/speakers", record="", credits=10),
        credits=13,
        tallies={Kind.SESSION: Tally(updated=2, unchanged=1_234, failed=1)},
        reasons={"session:not_accepted": 7},
        found=[refused],
    )
    page = await visitor.page(f"/events/{EVENT}/runs/{run.id}")
    document = await visitor.desk.read("runs", "show", EVENT, run.id)
    rows = {row[0]: row[1:] for row in page.rows}
    assert rows["Sessions"] == ["0", "0", "2", "0", "1,234", "0", "1", "2", "2"]
    assert rows["Lists and looks"][-2:] == ["1", "10"]
    assert rows["Together"][-2:] == ["3", f"{sum(each['credits'] for each in document['calls'])}"]
    assert "2 of 3 changed records reached Swoogo in 3 s. 1 failed." in page.text
    assert "503, sent again" in page.text
    assert "“A <title>”" in page.text
    assert document["issues"][0]["sentence"] in page.text
    assert "7 sessions not accepted" in page.text
    assert run.id in page.text
    assert f"/events/{EVENT}/records/session/s1" in page.links


async def test_calls_are_paged_and_chosen_by_what_came_of_them(visitor: Visitor) -> None:
    calls = [a_call(visitor, path=f"/sessions/update/{number}") for number in range(CALLS_KEPT - 1)]
    run = await ran(visitor, *calls, a_call(visitor, status=422), made=CALLS_KEPT + 500)
    address = f"/events/{EVENT}/runs/{run.id}"
    first = await visitor.get(address)
    assert len(first.content) < 100_000
    page = await visitor.page(address)
    assert "1 to 50 of 2,000" in page.text
    assert "The first 500 calls of it are not kept." in page.text
    assert "?page=2#calls" in page.links
    last = await visitor.page(f"{address}?page=99999999")
    assert "1 to 50" in last.text
    assert "1,951 to 2,000" in (await visitor.page(f"{address}?page=4000")).text
    only = await visitor.page(f"{address}?calls=refused&page=2")
    assert "Calls 1 to 1 of 1" in only.text
    assert "422, refused" in only.text
    assert "1 to 50 of 2,000" in (await visitor.page(f"{address}?calls=unheard&page=x")).text


async def test_an_old_run_and_one_that_sent_nothing_say_so(visitor: Visitor) -> None:
    old = await ran(visitor, credits=3)
    assert "Its calls are not kept" in (await visitor.page(f"/events/{EVENT}/runs/{old.id}")).text
    idle = await ran(visitor)
    page = await visitor.page(f"/events/{EVENT}/runs/{idle.id}")
    assert "Nothing had to be sent in 3 s." in page.text
    assert "Every call" not in page.text
    failed = await ran(visitor, outcome="failed", error="Swoogo <did> not answer.")
    assert "Swoogo <did> not answer." in (await visitor.page(f"/events/{EVENT}/runs/{failed.id}")).text


async def test_a_run_in_progress_is_read_again_and_says_how_far_it_is(visitor: Visitor) -> None:
    await visitor.desk.ask()
    await visitor.desk.claim()
    run = replace(visitor.desk.run(outcome="running", planned_calls=9), ended=0, done_calls=4)
    await visitor.desk.board.progress(run)
    page = await visitor.page(f"/events/{EVENT}/runs/{run.id}")
    assert "4 of 9 calls made." in page.text
    assert "refreshes every" in page.text


@pytest.mark.rule("K4")
async def test_a_part_of_an_id_and_another_organizations_run_are_not_there(visitor: Visitor) -> None:
    run = await ran(visitor)
    await visitor.page(f"/events/{EVENT}/runs/{run.id[-8:]}", 404)
    await visitor.page(f"/events/{EVENT}/runs/nothing", 404)
    visitor.viewer = admin("another")
    await visitor.page(f"/events/{EVENT}/runs/{run.id}", 404)
