"""U5: which parked changes and dead letters are meant, and what a retry of each would do now."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.bulk import BulkFilter, Outcome, foresee, seconds_of
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Create, Delete, Link, Operation, Plan, SetImage, Update
from consumer.domain.records.identity import Kind
from tests.support.builders import NOW

pytestmark = pytest.mark.rule("U5")

HOUR_MS: Final = 3_600_000


@pytest.mark.parametrize(
    ("choice", "taken"),
    [
        (BulkFilter(), True),
        (BulkFilter(code="refused"), True),
        (BulkFilter(code="no_permission"), False),
        (BulkFilter(org_id="o1"), True),
        (BulkFilter(org_id="o2"), False),
        (BulkFilter(event_id="e1", code="refused"), True),
        (BulkFilter(event_id="e2", code="refused"), False),
        (BulkFilter(older_than=3_600), True),
        (BulkFilter(older_than=3_601), False),
    ],
    ids=str,
)
def test_a_choice_takes_what_meets_all_of_it(choice: BulkFilter, *, taken: bool) -> None:
    assert choice.takes("refused", "o1", "e1", NOW - HOUR_MS, NOW) is taken


def test_what_has_no_age_is_old_enough() -> None:
    assert BulkFilter(older_than=86_400).takes("refused", "o1", "e1", 0, NOW)


@pytest.mark.parametrize(("age", "seconds"), [("90s", 90), ("30m", 1_800), ("12h", 43_200), ("2d", 172_800)])
def test_ages_are_a_number_and_a_unit(age: str, seconds: int) -> None:
    assert seconds_of(age) == seconds


@pytest.mark.parametrize("age", ["", "1", "-1d", "1w", "1.5h", "1 h", "٣d", "9999999999s"])
def test_another_age_is_refused_with_a_sentence(age: str) -> None:
    with pytest.raises(ValueError, match="write 90s"):
        seconds_of(age)


def parked(operation: Operation, rounds: int = 0) -> Issue:
    return Issue(operation.issue_key, Code.REFUSED, parked=operation.fingerprint, rounds=rounds)


def update(*changed: str) -> Update:
    fields = dict.fromkeys(changed, "new")
    return Update(Kind.SESSION, "session/s1", 7, {**fields, "name": "N"}, dict.fromkeys(changed, "old"), "n")


CAPACITY: Final = update("capacity")
CREATE: Final = Create(Kind.SESSION, "session/s1", {"name": "Title"}, "title")


@pytest.mark.parametrize(
    ("operation", "words", "cost"),
    [
        (CAPACITY, "Send the capacity again, 1 credit", 1),
        (update("capacity", "start_time"), "Send the capacity and the start time again, 1 credit", 1),
        (update("a", "b", "c"), "Send the a, the b and the c again, 1 credit", 1),
        (update("a", "b", "c", "d"), "Send 4 fields again, 1 credit", 1),
        (CREATE, "Create the record again, 1 credit", 1),
        (Delete(Kind.SESSION, "session/s1", 7), "Delete the record again, 1 credit", 1),
        (Link("speaker/c1", ("a", "b"), ()), "Associate with 2 sessions again, 1 credit", 1),
        (
            Link("speaker/c1", ("a",), ("b", "c")),
            "Associate with 1 session and take off 2 sessions again, 3 credits",
            3,
        ),
        (SetImage(Kind.SPEAKER, "speaker/c1", "https://x/y", {}), "Send the image again, 1 credit", 1),
    ],
)
def test_what_would_be_sent_again_is_said_with_its_cost(operation: Operation, words: str, cost: int) -> None:
    (found,) = foresee([parked(operation)], Plan(phases=((operation,),)), (), 3)
    assert (found.outcome, found.words, found.credits, found.ordered) == (Outcome.SEND, words, cost, True)


@pytest.mark.parametrize(
    ("issue", "plan", "asked", "outcome", "words"),
    [
        (parked(CAPACITY), Plan(), (), Outcome.NOTHING, "Nothing, it is no longer needed"),
        (
            parked(CAPACITY),
            Plan(skips=(Skip("session/s1", Reason.NOT_ACCEPTED),)),
            (),
            Outcome.NOTHING,
            "Nothing, the record is left out: not accepted",
        ),
        (
            parked(CAPACITY),
            Plan(phases=((update("name"),),)),
            (),
            Outcome.NEWER,
            "Nothing, a newer change took its place",
        ),
        (parked(CAPACITY), Plan(frozen=(CAPACITY,)), (), Outcome.NOTHING, "Nothing now, it is frozen"),
        (parked(CAPACITY, 3), Plan(phases=((CAPACITY,),)), (), Outcome.EXHAUSTED, "Nothing, it failed 3 times"),
        (
            parked(CAPACITY),
            Plan(phases=((CAPACITY,),)),
            ("session/s1",),
            Outcome.ASKED,
            "Nothing more, a retry was asked for and waits",
        ),
    ],
    ids=["gone", "left out", "newer", "frozen", "exhausted", "asked"],
)
def test_what_a_retry_would_not_do_is_said_with_why(
    issue: Issue, plan: Plan, asked: tuple[str, ...], outcome: Outcome, words: str
) -> None:
    (found,) = foresee([issue], plan, asked, 3)
    assert (found.outcome, found.words, found.credits, found.ordered) == (outcome, words, 0, False)


def test_rounds_below_the_limit_or_a_newer_change_leave_a_retry_open() -> None:
    plan = Plan(phases=((CAPACITY,),))
    assert foresee([parked(CAPACITY, 2)], plan, (), 3)[0].outcome is Outcome.SEND
    newer = replace(parked(CAPACITY, 3), parked="another")
    assert foresee([newer], plan, (), 3)[0].outcome is Outcome.NEWER


@pytest.mark.rule("U2")
def test_where_plans_are_approved_a_retry_waits_for_that() -> None:
    (found,) = foresee([parked(CAPACITY)], Plan(phases=((CAPACITY,),)), (), 3, approved=True)
    assert found.words == "Send the capacity again, 1 credit, once a plan with it is approved"
