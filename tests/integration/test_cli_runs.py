"""`runs` and `issues` on a real Redis that is filled through the real adapters."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from redis.asyncio import Redis

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import ISSUES_KEPT, MadeCall, Run, RunCalls, Tally, Trigger, count_issues, first_issues
from consumer.domain.records.identity import Kind
from tests.support.builders import EVENT, NOW, a_mapping
from tests.support.desk import Desk, a_desk

pytestmark = pytest.mark.integration


@pytest.fixture
async def desk(redis: Redis, redis_url: str) -> AsyncIterator[Desk]:
    async with a_desk(redis_url) as made:
        await made.map(a_mapping())
        yield made


async def ran(desk: Desk, *issues: Issue, **fields: Any) -> Run:
    """A run that ended with these issues."""
    found = {issue.id: issue for issue in issues}
    run = desk.run(issues=count_issues(found), top_issues=first_issues(found), **fields)
    await desk.stores.inbox.set_continuous(EVENT, on=True)
    await desk.ask()
    await desk.pushed({}, found, run)
    return run


MISSING = Issue("speaker/c1", Code.MISSING_FIELD, field="email")
CLAMPED = Issue("session/s1", Code.MULTI_DAY_CLAMPED)


@pytest.mark.rule("N2")
async def test_runs_are_listed_newest_first(desk: Desk) -> None:
    """When, why, how many, credits."""
    first = await ran(desk, trigger=Trigger.MANUAL, scope="agenda", tallies={Kind.SESSION: Tally(created=2, failed=1)})
    second = await ran(desk, MISSING, credits=13, tallies={Kind.SPEAKER: Tally(deleted=1)})
    document = await desk.read("runs", EVENT)
    assert [run["id"] for run in document["runs"]] == [second.id, first.id]
    newest, oldest = document["runs"]
    assert (newest["trigger"], newest["credits"], newest["issues"]) == ("changes", 13, {"missing_field": 1})
    assert (newest["kinds"]["speaker"]["deleted"], newest["kinds"]["speaker"]["synced"]) == (1, 1)
    assert (oldest["trigger"], oldest["scope"]) == ("manual", "agenda")
    assert (oldest["kinds"]["session"]["attempted"], oldest["kinds"]["session"]["synced"]) == (3, 2)
    assert [run["id"] for run in (await desk.read("runs", "list", EVENT, "--limit", "1"))["runs"]] == [second.id]
    shown = (await desk.call("runs", EVENT)).stdout.splitlines()
    assert shown[0].split()[:3] == ["run", "started", "trigger"]
    assert [line.split()[0] for line in shown[1:]] == [second.id, first.id]


@pytest.mark.rule("N2")
async def test_the_list_says_why_the_newest_that_failed_did(desk: Desk) -> None:
    """An operator woken by failing pushes needs no second command."""
    await ran(desk, outcome="failed", error="An older reason.")
    failed = await ran(desk, outcome="failed", error="Swoogo did not answer.")
    await ran(desk)
    shown = (await desk.call("runs", EVENT)).stdout.splitlines()
    assert shown[-1] == f"{failed.id} failed: Swoogo did not answer."


@pytest.mark.rule("N2")
async def test_a_run_keeps_what_was_wrong_at_its_end(desk: Desk) -> None:
    """Code, field and a sentence per record, also when a later run has mended it."""
    run = await ran(desk, CLAMPED, MISSING)
    await ran(desk)
    document = await desk.read("runs", "show", EVENT, run.id)
    assert document["run"]["id"] == run.id
    assert [(each["kind"], each["id"], each["code"], each["effect"]) for each in document["issues"]] == [
        ("speaker", "c1", "missing_field", "left_out"),
        ("session", "s1", "multi_day_clamped", "partial"),
    ]
    assert "has no e-mail address" in document["issues"][0]["sentence"]
    assert (await desk.read("issues", EVENT))["issues"] == []
    shown = (await desk.call("runs", "show", EVENT, run.id[-8:])).stdout
    assert f"Run {run.id} of event {EVENT}" in shown
    assert "[speaker/c1] is left out: the required field email is not set." in shown


@pytest.mark.rule("N2")
async def test_a_run_keeps_a_bounded_number_of_issues_and_says_so(desk: Desk) -> None:
    """History has its limits; the issues of now are all there."""
    issues = [Issue(f"session/s{number:03d}", Code.MISSING_FIELD, field="title") for number in range(ISSUES_KEPT + 7)]
    run = await ran(desk, *issues)
    document = await desk.read("runs", "show", EVENT, run.id)
    assert (len(document["issues"]), document["not_listed"]) == (ISSUES_KEPT, 7)
    assert "and 7 more were known then" in (await desk.call("runs", "show", EVENT, run.id)).stdout
    assert len((await desk.read("issues", EVENT))["issues"]) == ISSUES_KEPT + 7


@pytest.mark.rule("N2")
async def test_issues_can_be_asked_for_by_code(desk: Desk) -> None:
    """All sentences, nothing cut."""
    await ran(desk, MISSING, CLAMPED)
    document = await desk.read("issues", EVENT, "--code", "missing_field")
    assert [each["id"] for each in document["issues"]] == ["c1"]
    shown = (await desk.call("issues", EVENT)).stdout
    assert "Issue missing_field (1)" in shown
    assert "Issue multi_day_clamped (1): synced in part" in shown


@pytest.mark.rule("N2")
async def test_a_run_shows_every_call_with_credits_and_time(desk: Desk) -> None:
    made = MadeCall(NOW, "the update of a session", "PUT", "/sessions/update/7", "session/s1", 1, 162, 503)
    await desk.stores.inbox.set_continuous(EVENT, on=True)
    await desk.ask()
    lease, run = await desk.claim(), desk.run(credits=2)
    await desk.board.ended(run, {}, lease)
    await desk.timeline.note(lease, run.id, {}, RunCalls((made, replace(made, at=NOW + 600, status=200)), 7))
    document = await desk.read("runs", "show", EVENT, run.id)
    first, second = document["calls"]
    assert (first["outcome"], first["again"], first["credits"], first["took"]) == ("unavailable", True, 1, 162)
    assert (second["outcome"], second["again"], second["record"]) == ("taken", False, "session/s1")
    assert (document["calls_made"], sum(document["spending"]["credits"])) == (7, 2)
    shown = (await desk.call("runs", "show", EVENT, run.id)).stdout
    assert "7 calls, the newest 2" in shown
    assert "503, sent again" in shown


@pytest.mark.rule("N2")
async def test_of_an_old_run_it_is_said_that_its_calls_are_not_kept(desk: Desk) -> None:
    run = await ran(desk, credits=3)
    assert (await desk.read("runs", "show", EVENT, run.id))["calls"] is None
    assert "The calls of this run are not kept" in (await desk.call("runs", "show", EVENT, run.id)).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("runs", "nowhere"), 1, "Nothing was ever recorded for event nowhere"),
        (("runs", "show", "nowhere", "x"), 1, "Nothing was ever recorded for event nowhere"),
        (("runs", "show", EVENT, "nothing"), 1, f"Event {EVENT} has no run nothing"),
        (("issues", "nowhere"), 1, "Nothing was ever recorded for event nowhere"),
        (("issues", EVENT, "--code", "unheard"), 2, "There is no issue code unheard"),
    ],
)
async def test_what_is_not_there_is_said(desk: Desk, arguments: tuple[str, ...], code: int, words: str) -> None:
    result = await desk.call(*arguments)
    assert result.exit_code == code
    assert words in result.stderr


async def test_an_event_without_runs_and_issues_says_so(desk: Desk) -> None:
    assert (await desk.call("runs", EVENT)).stdout == "No run has ended yet.\n"
    assert (await desk.call("issues", EVENT)).stdout == "Nothing needs attention.\n"


async def test_an_end_that_fits_several_runs_is_not_enough(desk: Desk) -> None:
    first, second = await ran(desk, id="0" * 24 + "1f"), await ran(desk, id="1" * 24 + "1f")
    result = await desk.call("runs", "show", EVENT, "1f")
    assert result.exit_code == 1
    assert result.stderr == f"1f fits 2 runs ({first.id}, {second.id}); type more of the id.\n"
    assert (await desk.call("runs", "show", EVENT, "")).exit_code == 1
