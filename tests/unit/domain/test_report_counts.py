"""What a run says in numbers."""

from __future__ import annotations

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Create, Plan
from consumer.domain.push.run import Run, Tally, Trigger, count_issues
from consumer.domain.records.identity import Kind
from tests.support.builders import EVENT, NOW


@pytest.mark.rule("G5")
def test_triggers_are_in_the_order_of_their_claim_on_credits() -> None:
    """A manual sync goes first, then changes, then reconcile."""
    assert sorted(Trigger, key=lambda each: each.priority) == [Trigger.MANUAL, Trigger.CHANGES, Trigger.RECONCILE]


@pytest.mark.rule("N1")
def test_attempted_is_what_needed_something_and_synced_what_got_it() -> None:
    """What needs nothing, or takes no part, is neither."""
    tally = Tally(created=1, adopted=2, updated=4, unchanged=8, left_out=16, failed=32)
    assert (tally.attempted, tally.synced) == (39, 7)


@pytest.mark.rule("N2")
def test_a_run_takes_over_what_the_plan_leaves_alone_and_leaves_out() -> None:
    """Counts by kind, reasons by kind, and what it will cost; the last plan of a run counts."""
    run = Run("r", EVENT, Trigger.CHANGES, NOW)
    run.note_plan(Plan(skips=(Skip("sponsor/x", Reason.ENDED),), unchanged={Kind.SPONSOR: 9}))
    run.note_plan(
        Plan(
            phases=((Create(Kind.SESSION, "session/a", {}, ""),),),
            looks=frozenset({Kind.SPEAKER}),
            skips=(
                Skip("session/b", Reason.ENDED),
                Skip("speaker/c", Reason.ISSUE, Issue("speaker/c", Code.MISSING_FIELD)),
            ),
            unchanged={Kind.SESSION: 3},
        )
    )
    assert (run.tally(Kind.SESSION).unchanged, run.tally(Kind.SESSION).left_out) == (3, 1)
    assert run.tally(Kind.SPEAKER).left_out == 1
    assert (run.tally(Kind.SPONSOR).unchanged, run.tally(Kind.SPONSOR).left_out) == (0, 0)
    assert run.reasons == {"session:ended": 1, "speaker:missing_field": 1}
    assert (run.planned_credits, run.planned_calls) == (11, 2)


@pytest.mark.rule("N2")
def test_issues_are_counted_by_code() -> None:
    issues = {
        "a": Issue("session/a", Code.MISSING_FIELD),
        "b": Issue("session/b", Code.MISSING_FIELD),
        "c": Issue("session/c", Code.MULTI_DAY_CLAMPED),
    }
    assert count_issues(issues) == {"missing_field": 2, "multi_day_clamped": 1}
