"""The status board: runs people can look up, issues that stand, and what is told to whom."""

from __future__ import annotations

import copy

import pytest

from consumer.domain.connections.connection import Announcement
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Run, Tally, Trigger
from consumer.domain.records.identity import Kind
from consumer.ports import event_subject
from tests.contract.bench import Bench
from tests.support.builders import EVENT, NOW, ORG, session_key


def a_run(identifier: str = "run-1", **changed: object) -> Run:
    run = Run(identifier, EVENT, Trigger.CHANGES, NOW, announced=True)
    for name, value in changed.items():
        setattr(run, name, value)
    return run


def ended(identifier: str = "run-1", **changed: object) -> Run:
    return a_run(identifier, ended=NOW + 5, outcome="completed", **changed)


@pytest.mark.rule("N1")
async def test_a_run_that_starts_is_told_and_can_be_looked_up_while_it_goes_on(bench: Bench) -> None:
    run = a_run()
    assert await bench.board.current(EVENT) is None
    await bench.board.started(run)
    run.tally(Kind.SESSION).created = 3
    run.done_calls = 3
    await bench.board.progress(run)
    found = await bench.board.current(EVENT)
    assert found is not None
    assert (found.outcome, found.done_calls, found.tallies) == ("running", 3, {Kind.SESSION: Tally(created=3)})
    assert bench.topic.outcomes == ["running"]
    run.credits_left, run.eta = 7, NOW + 60_000
    await bench.board.moved(run)
    found = await bench.board.current(EVENT)
    assert found is not None
    assert (found.credits_left, found.eta) == (7, NOW + 60_000)
    assert [each.eta for each in bench.topic.runs] == [0, NOW + 60_000]
    assert await bench.board.runs(EVENT) == []


@pytest.mark.rule("N2")
async def test_an_ended_run_is_kept_whole(bench: Bench) -> None:
    run = ended(
        org_id=ORG,
        swoogo_event_id=7,
        credits=42,
        links=2,
        planned_credits=50,
        planned_calls=9,
        done_calls=9,
        scope="agenda",
        error="Nothing.",
        tallies={Kind.SPEAKER: Tally(1, 2, 3, 4, 5, 6)},
        reasons={"session:ended": 1},
        issues={"refused": 1},
    )
    lease = await bench.leased()
    await bench.board.ended(run, {}, lease)
    [kept] = await bench.board.runs(EVENT)
    expected = copy.deepcopy(run)
    expected.announced = kept.announced
    assert kept == expected
    assert (await bench.board.current(EVENT)) == kept


@pytest.mark.rule("N2")
async def test_runs_are_listed_newest_first_once_each_and_a_hundred_at_most(bench: Bench) -> None:
    lease = await bench.leased()
    for number in range(103):
        await bench.board.ended(ended(f"run-{number:03}"), {}, lease)
    await bench.board.ended(ended("run-102"), {}, lease)
    runs = await bench.board.runs(EVENT, 200)
    assert [run.id for run in runs] == [f"run-{number:03}" for number in range(102, 2, -1)]
    assert [run.id for run in await bench.board.runs(EVENT, 2)] == ["run-102", "run-101"]


def reconciled(identifier: str, unchanged: int = 2, **changed: object) -> Run:
    tallies = {Kind.SESSION: Tally(unchanged=unchanged)}
    said: dict[str, object] = {"trigger": Trigger.RECONCILE, "outcome": "completed", "tallies": tallies}
    return a_run(identifier, ended=NOW + 5, announced=False, **{**said, **changed})


@pytest.mark.rule("N2", "R3")
async def test_of_reconciles_in_a_row_that_found_the_same_the_last_is_kept(bench: Bench) -> None:
    """Else an event at rest would push the runs that did something out of its history."""
    lease = await bench.leased()
    await bench.board.ended(ended("run-1"), {}, lease)
    assert await bench.board.ended(reconciled("run-2"), {}, lease) == ""
    assert await bench.board.ended(reconciled("run-3", credits=9), {}, lease) == "run-2"
    assert await bench.board.ended(reconciled("run-3", credits=9), {}, lease) == "", "said again"
    assert await bench.board.ended(ended("run-4"), {}, lease) == ""
    assert await bench.board.ended(reconciled("run-5"), {}, lease) == ""
    assert [run.id for run in await bench.board.runs(EVENT)] == ["run-5", "run-4", "run-3", "run-1"]


@pytest.mark.rule("N2")
@pytest.mark.parametrize(
    "other",
    [
        {"unchanged": 3},
        {"tallies": {Kind.SESSION: Tally(unchanged=2, left_out=1)}},
        {"tallies": {Kind.SESSION: Tally(unchanged=2, updated=1)}},
        {"issues": {"gone": 1}},
        {"links": 1},
        {"done_calls": 1},
        {"outcome": "failed"},
        {"trigger": Trigger.MANUAL},
        {"swoogo_event_id": 8},
    ],
)
async def test_a_run_that_says_something_else_is_kept_beside_the_one_before(
    bench: Bench, other: dict[str, object]
) -> None:
    lease = await bench.leased()
    await bench.board.ended(reconciled("run-1"), {}, lease)
    assert await bench.board.ended(reconciled("run-2", **other), {}, lease) == ""  # type: ignore[arg-type] # any of them
    assert await bench.board.ended(reconciled("run-3"), {}, lease) == ""
    assert [run.id for run in await bench.board.runs(EVENT)] == ["run-3", "run-2", "run-1"]


@pytest.mark.rule("N1")
@pytest.mark.parametrize(
    ("announced", "outcome", "told"),
    [(True, "completed", 1), (False, "completed", 0), (False, "failed", 1)],
)
async def test_a_run_that_did_nothing_is_kept_but_told_only_when_it_failed(
    bench: Bench, announced: bool, outcome: str, told: int
) -> None:
    run = ended()
    run.announced, run.outcome = announced, outcome
    await bench.board.ended(run, {}, await bench.leased())
    assert len(bench.topic.runs) == told
    assert len(await bench.board.runs(EVENT)) == 1


@pytest.mark.rule("N2")
async def test_the_issues_of_a_run_replace_those_of_the_one_before(bench: Bench) -> None:
    lease = await bench.leased()
    refused = Issue(session_key("s1"), Code.REFUSED, "name", "Too long.", "fingerprint")
    clamped = Issue(session_key("s2"), Code.MULTI_DAY_CLAMPED)
    await bench.board.ended(ended(), {"a": refused, "b": clamped}, lease)
    assert await bench.board.issues(EVENT) == {"a": refused, "b": clamped}
    await bench.board.ended(ended("run-2"), {"b": clamped}, lease)
    assert await bench.board.issues(EVENT) == {"b": clamped}
    await bench.board.ended(ended("run-3"), {}, lease)
    assert await bench.board.issues(EVENT) == {}


@pytest.mark.rule("G4")
async def test_whoever_lost_the_lease_replaces_no_issues_and_tells_nothing(bench: Bench) -> None:
    lost = await bench.leased()
    heir = await bench.claimed(event_subject(EVENT), "heir")
    open_issues = {"a": Issue(session_key("s1"), Code.REFUSED)}
    await bench.board.ended(ended("of the heir"), open_issues, heir)
    with pytest.raises(LeaseLostError):
        await bench.board.ended(ended("of the loser"), {}, lost)
    assert await bench.board.issues(EVENT) == open_issues
    assert [run.id for run in await bench.board.runs(EVENT)] == ["of the heir"]
    assert [run.id for run in bench.topic.runs] == ["of the heir"]


async def test_announcement_reaches_its_topic_or_fails_for_the_caller(bench: Bench) -> None:
    said = Announcement("mapping.rejected", ORG, "No.", "event_already_mapped", EVENT, 7)
    await bench.board.announce(said)
    assert bench.topic.announcements == [said]
    bench.topic.failures.append(UnavailableError("Kafka is down."))
    with pytest.raises(UnavailableError):
        await bench.board.announce(said)
