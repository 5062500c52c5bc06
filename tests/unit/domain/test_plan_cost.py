"""What a plan costs, and how long it takes."""

from __future__ import annotations

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.pacing.pace import Pace
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Adopt, Create, Link, Operation, Plan, Update
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Remote

CREATE = Create(Kind.SESSION, "session/s1", {"name": "x"}, "x")


@pytest.mark.rule("S7", "S8", "R2")
@pytest.mark.parametrize(
    ("operation", "cost"),
    [
        (CREATE, 1),
        (Update(Kind.SESSION, "session/s1", 1, {"name": "x", "date": "d"}, {}, "x"), 1),
        (Adopt(Kind.SPEAKER, "speaker/c1", Remote(1, "n", {"company": "A"}), {"company": "B"}, "n"), 1),
        (Adopt(Kind.SPEAKER, "speaker/c1", Remote(1, "n", {"company": "A"}), {"company": "A"}, "n"), 0),
        (Adopt(Kind.SPEAKER, "speaker/c1", Remote(1, "n", {"company": "A"}), {"company": ""}, "n"), 0),
        # A name that differs in case only is Swoogo's to keep.
        (Adopt(Kind.LOCATION, "location/r1", Remote(1, "n", {"name": "HALL"}), {"name": "Hall"}, "n"), 0),
        (Adopt(Kind.TRACK, "track/t1", Remote(1, "n"), {"name": "Data"}, "n"), 0),
        (Link("speaker/c1", add=("s1", "s2", "s3"), remove=()), 1),
        (Link("speaker/c1", add=(), remove=("s1", "s2")), 2),
        (Link("speaker/c1", add=("s3",), remove=("s1", "s2")), 3),
    ],
)
def test_what_an_operation_costs(operation: Operation, cost: int) -> None:
    """One credit a call; all additions of a speaker are one call, a removal is one each."""
    assert operation.credits == cost


@pytest.mark.rule("N3")
def test_a_plan_adds_ten_credits_for_every_list() -> None:
    plan = Plan(phases=((CREATE,), (), (CREATE, CREATE)), looks=frozenset({Kind.SPEAKER, Kind.TRACK}))
    assert (plan.credits, plan.calls, len(plan.operations)) == (23, 5, 3)


def test_links_belong_to_the_speaker() -> None:
    assert Link("speaker/c1", (), ()).kind is Kind.SPEAKER


@pytest.mark.rule("R3")
@pytest.mark.parametrize(
    ("plan", "empty"),
    [
        (Plan(), True),
        (Plan(phases=((), (), ())), True),
        (Plan(skips=(Skip("session/s1", Reason.ENDED),)), True),
        (Plan(phases=((), (CREATE,))), False),
        (Plan(looks=frozenset({Kind.SPEAKER})), False),
    ],
)
def test_a_plan_is_empty_when_nothing_would_be_sent_asked_or_adopted(plan: Plan, empty: bool) -> None:
    assert plan.empty is empty


@pytest.mark.rule("N2", "N3")
def test_what_is_left_out_is_counted_by_kind_and_reason() -> None:
    """An issue's code says more than that there is an issue."""
    plan = Plan(
        skips=(
            Skip("session/a", Reason.ENDED),
            Skip("session/b", Reason.ENDED),
            Skip("speaker/c", Reason.ISSUE, Issue("speaker/c", Code.MISSING_FIELD, field="email")),
        )
    )
    assert plan.left_out() == {("session", "ended"): 2, ("speaker", "missing_field"): 1}


@pytest.mark.rule("N3", "G5")
@pytest.mark.parametrize(
    ("calls", "left", "concurrency", "seconds"),
    [
        (0, 100, 8, 0.0),
        (80, 100, 8, 2.0),
        (100, 100, 10, 2.0),
        (80, 100, 1, 16.0),
        (80, 100, 0, 16.0),
        # 110 credits, 100 of them now, 10 after the window.
        (110, 100, 10, 600.0 + 0.2),
        # 100 now, a full window of 200, and 50 in the one after it.
        (350, 100, 10, 1200.0 + 1.0),
        (200, 0, 10, 600.0 + 4.0),
    ],
)
def test_the_time_a_push_takes(calls: int, left: int, concurrency: int, seconds: float) -> None:
    """Calls side by side, and a wait for every window of credits beyond the first burst."""
    plan = Plan(phases=(tuple([CREATE] * calls),))
    needed = Pace(concurrency, limit=200, window=600, latency=0.2).seconds(plan.calls, plan.credits, left)
    assert needed == pytest.approx(seconds)


@pytest.mark.rule("N3")
def test_lists_cost_credits_but_only_one_call_each() -> None:
    plan = Plan(looks=frozenset({Kind.SPEAKER}))
    pace = Pace(concurrency=10, limit=200, window=600, latency=0.2)
    enough, short = (pace.seconds(plan.calls, plan.credits, left) for left in (10, 9))
    assert enough == pytest.approx(0.02)
    assert short == pytest.approx(600.02)
