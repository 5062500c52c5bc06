"""Which issues stand after a push, and what a survey leaves behind (R5, N2, R2)."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Any, Final

import pytest

from consumer.domain.errors import UnavailableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Plan
from consumer.domain.push.cause import Reconcile
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.facts import Facts
from consumer.domain.push.run import Run
from consumer.domain.push.settlement import idle_digest, nothing_new, settle
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Directory, Entry, State
from consumer.domain.surveys.survey import Depth, Findings, Survey, SurveyState
from tests.support.builders import EVENT, NOW
from tests.unit.domain.settling import APPLIED, AT, DONE, MARKS, PLANNED, POLICY, RETRY, settled, the_facts

REFUSED: Final = Issue("session/s1", Code.REFUSED, detail="No.", parked="print", at=NOW - 9)
SURVEY: Final = Survey(Findings(), "", {}, SurveyState(every=1000.0), deep=False)


@pytest.mark.rule("R5", "N2")
@pytest.mark.parametrize(
    ("former", "result", "planned", "stands"),
    [
        (REFUSED, replace(DONE, attempted=frozenset()), PLANNED, True),
        (REFUSED, DONE, PLANNED, False),
        (Issue("session/s1", Code.FIELD_NOT_APPLIED), replace(DONE, attempted=frozenset()), PLANNED, True),
        (Issue("session/s1", Code.MISSING_FIELD), replace(DONE, attempted=frozenset()), PLANNED, False),
        (
            REFUSED,
            replace(DONE, attempted=frozenset()),
            Planned(Plan(skips=(Skip("session/s1", Reason.SEALED),))),
            False,
        ),
        (
            REFUSED,
            replace(DONE, attempted=frozenset()),
            Planned(Plan(skips=(Skip("session/s1", Reason.PARKED),))),
            True,
        ),
        (replace(REFUSED, key="session/s1#removal"), replace(DONE, attempted=frozenset()), PLANNED, False),
        (
            replace(REFUSED, key="session/s1#removal"),
            replace(DONE, attempted=frozenset()),
            Planned(Plan(skips=(Skip("session/s1", Reason.PARKED),))),
            True,
        ),
        (REFUSED, replace(DONE, attempted=frozenset(), error=UnavailableError("x")), Planned(), True),
        (
            Issue("session/s1", Code.MISSING_FIELD),
            replace(DONE, attempted=frozenset(), error=UnavailableError("x")),
            Planned(),
            True,
        ),
    ],
    ids=[
        "not tried",
        "tried again",
        "a field that did not take",
        "of the former plan",
        "left out now",
        "left out because it is refused",
        "no longer to be deleted",
        "still refused to be deleted",
        "no plan was made",
        "no plan was made, of the former plan",
    ],
)
def test_a_former_issue_stands_until_its_record_is_tried_again_or_left_out(
    former: Issue, result: ExecutionResult, planned: Planned, stands: bool
) -> None:
    facts = replace(the_facts(), former={former.id: former})
    assert settled(facts, result, planned).issues == ({former.id: former} if stands else {})


@pytest.mark.rule("R5", "N2")
def test_issues_come_from_plan_commands_and_answers() -> None:
    facts = replace(the_facts(), former={REFUSED.id: REFUSED})
    again, other = replace(REFUSED, at=0), Issue("session/s2", Code.REFUSED, parked="other")
    late = Issue("session/s3", Code.NOT_ADOPTED)
    missing = Issue("session/s4", Code.MISSING_FIELD)
    planned = replace(PLANNED, plan=replace(PLANNED.plan, issues=(missing,)), issues=(late,))
    done = settled(facts, replace(DONE, issues=(again, other)), planned)
    assert {each.key: each.at for each in done.issues.values()} == {
        "session/s1": NOW - 9,
        "session/s2": NOW,
        "session/s3": 0,
        "session/s4": 0,
    }
    assert (done.run.outcome, sum(done.run.issues.values()), len(done.run.top_issues)) == (
        "completed_with_issues",
        4,
        4,
    )


@pytest.mark.rule("R2", "R3")
@pytest.mark.parametrize(
    ("planned", "result", "memory"),
    [
        (Planned(nothing_new=True), replace(DONE, attempted=frozenset()), "settled"),
        (Planned(), replace(DONE, attempted=frozenset()), "settled"),
        (PLANNED, DONE, "kept"),
        (Planned(), replace(DONE, images_in=1.0), "kept"),
        (PLANNED, replace(DONE, error=UnavailableError("x")), "kept"),
        (Planned(), replace(DONE, error=UnavailableError("x")), None),
    ],
    ids=["nothing new", "an empty plan", "something done", "something waits", "broken off", "no plan"],
)
def test_what_a_survey_has_read_is_remembered_once_it_was_dealt_with(
    planned: Planned, result: ExecutionResult, memory: str | None
) -> None:
    """The next survey does not read it again; after an empty plan the next need not plan either."""
    facts = the_facts(Reconcile(Depth.SHALLOW), marks={})
    done = settled(facts, result, planned, SURVEY)
    assert done.survey_in == pytest.approx(1100.0)
    assert done.served == ()
    if memory is None:
        assert done.memory is None
    else:
        assert done.memory is not None
        assert done.memory.settled == (idle_digest(facts) if memory == "settled" else "")


@pytest.mark.rule("C4")
def test_without_an_interval_no_further_survey_comes_round() -> None:
    facts, run = the_facts(Reconcile(Depth.SHALLOW)), Run("op", EVENT, Reconcile.trigger, NOW)
    policy = replace(POLICY, reconcile_interval=0)
    assert settle(facts, SURVEY, Planned(), DONE, policy, run, AT).survey_in == inf


@pytest.mark.rule("C4", "G5")
def test_a_survey_that_failed_is_what_comes_again() -> None:
    """Not the event, which nothing else makes due."""
    failed = settled(the_facts(Reconcile(Depth.SHALLOW)), replace(DONE, error=UnavailableError("x")), Planned())
    assert (failed.failed, failed.retry_in, failed.survey_in, failed.memory) == (True, None, 5.0, None)


@pytest.mark.rule("R2", "N2")
def test_where_nothing_is_new_only_a_survey_ends_what_a_survey_told() -> None:
    """A notice about a record that was read and is as it was again ends; other issues stand."""
    edited = Issue("session/s1", Code.EDITED_IN_SWOOGO, field="name")
    missing = Issue("session/s2", Code.MISSING_FIELD)
    facts = replace(the_facts(Reconcile(Depth.SHALLOW)), former={each.id: each for each in (edited, missing)})
    idle = Planned(nothing_new=True)
    unread = settled(facts, replace(DONE, attempted=frozenset()), idle, SURVEY)
    assert unread.issues == facts.former
    judged = replace(SURVEY, findings=Findings(compared_keys={"session/s1"}))
    assert settled(facts, replace(DONE, attempted=frozenset()), idle, judged).issues == {missing.id: missing}


def quiet(facts: Facts) -> Survey:
    return replace(SURVEY, memory=replace(SURVEY.memory, settled=idle_digest(facts)))


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    ("state", "former", "survey", "ledger", "expected"),
    [
        ({}, {}, {}, {}, True),
        ({"marks": MARKS}, {}, {}, {}, False),
        ({"commands": {RETRY}}, {}, {}, {}, False),
        ({}, {REFUSED.id: REFUSED}, {}, {}, False),
        ({}, {"x": Issue("session/s1", Code.MANY_MISSING)}, {}, {}, False),
        ({}, {"x": Issue("session/s1", Code.MISSING_FIELD)}, {}, {}, True),
        ({}, {}, {"deep": True}, {}, False),
        ({}, {}, {"findings": Findings(gone={"session/s1": APPLIED})}, {}, False),
        ({}, {}, {"memory": SurveyState(settled="another mapping")}, {}, False),
        ({}, {}, {}, {"session/s1": Entry(State.INTENT)}, False),
        ({}, {}, {}, {"session/s1": APPLIED}, True),
    ],
)
def test_a_reconcile_plans_again_as_soon_as_anything_may_be_another(
    state: dict[str, Any], former: dict[str, Issue], survey: dict[str, Any], ledger: dict[str, Entry], expected: bool
) -> None:
    facts = replace(the_facts(Reconcile(Depth.SHALLOW), **{"marks": {}, **state}), former=former)
    assert nothing_new(facts, replace(quiet(facts), **survey), ledger) is expected


@pytest.mark.rule("D2")
def test_survey_does_not_replace_a_list_of_the_same_push() -> None:
    """`fresh` says that every record was read."""
    listed, seen = Directory(fresh=True, at=NOW), Directory(at=NOW + 1)
    facts = the_facts().with_directories({Kind.SESSION: listed})
    assert facts.with_directories({Kind.SESSION: seen, Kind.SPEAKER: seen}).directories == {
        Kind.SESSION: listed,
        Kind.SPEAKER: seen,
    }
