"""Which plan may be sent, by its approval (U2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.planning.approval import difference, judged, left_of, operation_id, parts_of, plan_id, within
from consumer.domain.planning.control import Approval
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, Plan, SetImage, Update
from consumer.domain.records.digests import Digests
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Remote

pytestmark = pytest.mark.rule("U2")

TALK = Create(Kind.SESSION, "session/s1", {"name": "Talk"}, "talk")
OTHER = Create(Kind.SESSION, "session/s2", {"name": "Other"}, "other")
FACE = SetImage(Kind.SPEAKER, "speaker/c1", "https://x/y.png", {})
PLAN = Plan(((TALK, OTHER), (FACE,)))


def approval(*operations: Operation, begun: bool = False) -> Approval:
    return Approval(plan_id(Plan((operations,))), 1, "ada", tuple(sorted(map(operation_id, operations))), begun)


def test_an_id_is_of_the_operations_in_any_order() -> None:
    assert plan_id(
        Plan(
            (
                (
                    TALK,
                    OTHER,
                ),
            )
        )
    ) == plan_id(
        Plan(
            (
                (
                    OTHER,
                    TALK,
                ),
            )
        )
    )
    assert plan_id(Plan(((TALK,),))) != plan_id(Plan(((OTHER,),)))
    assert plan_id(Plan()) == ""


@pytest.mark.parametrize(
    "changed",
    [
        replace(TALK, fields={"name": "Talk!"}),
        replace(TALK, key="session/s9"),
        Update(Kind.SESSION, "session/s1", 1, {"name": "Talk"}, {}, "talk"),
        Delete(Kind.SESSION, "session/s1", 1),
        Link("session/s1", ("a",), ()),
        SetImage(Kind.SESSION, "session/s1", "u", {}),
    ],
    ids=["a value", "a record", "an update", "a deletion", "associations", "an image"],
)
def test_another_operation_has_another_id(changed: Operation) -> None:
    assert plan_id(Plan(((changed,),))) != plan_id(Plan(((TALK,),)))


def test_to_create_or_to_adopt_a_record_is_the_same() -> None:
    """Which of the two it is shows when Swoogo is looked at, after the approval."""
    adopt = Adopt(Kind.SESSION, TALK.key, Remote(7, "talk"), TALK.fields, "talk")
    assert plan_id(Plan(((adopt,),))) == plan_id(Plan(((TALK,),)))


@pytest.mark.rule("Y3")
def test_an_id_cannot_be_tested_without_the_key_of_the_installation() -> None:
    one, other = (replace(PLAN, digests=Digests((key * 32,))) for key in (b"a", b"b"))
    assert len({plan_id(PLAN), plan_id(one), plan_id(other)}) == 3
    assert plan_id(one) == plan_id(replace(PLAN, digests=Digests((b"a" * 32, b"b" * 32))))


def test_without_an_approval_everything_waits() -> None:
    verdict = judged(PLAN, None, same_cause=True)
    assert verdict.plan.operations == ()
    assert verdict.plan.unapproved == PLAN.operations
    assert {(skip.key, skip.reason) for skip in verdict.plan.skips} == {
        (key, Reason.UNAPPROVED) for key in ("session/s1", "session/s2", "speaker/c1")
    }


def test_exactly_the_approved_plan_is_sent_and_begins() -> None:
    verdict = judged(PLAN, approval(TALK, OTHER, FACE), same_cause=True)
    assert verdict.plan is PLAN
    assert verdict.approval == approval(TALK, OTHER, FACE, begun=True)


@pytest.mark.parametrize(
    ("seen", "differs"),
    [
        ([TALK, OTHER], "speaker/c1 is new"),
        ([TALK, OTHER, FACE, Delete(Kind.SESSION, "session/s3", 3)], "session/s3 is gone"),
        ([replace(TALK, fields={"name": "Former"}), OTHER, FACE], "session/s1 differs"),
    ],
    ids=["something was added", "something is not in it any more", "something changed"],
)
def test_another_plan_is_refused_with_what_differs(seen: list[Operation], differs: str) -> None:
    verdict = judged(PLAN, approval(*seen), same_cause=True)
    assert verdict.plan.operations == ()
    assert verdict.approval
    assert (verdict.approval.refused, verdict.approval.detail) == (plan_id(PLAN), differs)
    assert judged(PLAN, verdict.approval, same_cause=True).approval == verdict.approval, "it stays refused"


def test_a_plan_of_which_nothing_is_left_is_refused() -> None:
    verdict = judged(Plan(), approval(TALK), same_cause=True)
    assert verdict.approval
    assert verdict.approval.refused == "nothing"
    assert judged(Plan(), verdict.approval, same_cause=True).approval is None


def test_another_cause_leaves_the_judgement_to_the_next_push() -> None:
    verdict = judged(PLAN, approval(TALK), same_cause=False)
    assert verdict.later
    assert verdict.plan.operations == ()
    assert verdict.approval == approval(TALK)


def test_a_push_that_broke_off_goes_on_with_what_is_left() -> None:
    """What was added since waits; what was done is not in the plan any more."""
    added = Delete(Kind.SESSION, "session/s3", 3)
    verdict = judged(Plan(((OTHER, added),)), approval(TALK, OTHER, begun=True), same_cause=False)
    assert verdict.plan.operations == (OTHER,)
    assert verdict.plan.unapproved == (added,)
    assert verdict.approval
    assert verdict.approval.operations == (operation_id(OTHER),)


def test_an_approval_ends_when_nothing_of_it_is_left() -> None:
    verdict = judged(Plan(((OTHER,),)), approval(TALK, begun=True), same_cause=True)
    assert verdict.approval is None
    assert verdict.plan.operations == ()


def test_after_a_push_late_images_and_creates_without_an_answer_are_left() -> None:
    begun = approval(TALK, OTHER, FACE, begun=True)
    left = left_of(begun, PLAN, {"session/s2"})
    assert left
    assert set(left.operations) == {operation_id(OTHER), operation_id(FACE)}
    assert left_of(begun, Plan(((TALK,),)), ()) is None


def test_after_a_look_only_what_was_approved_is_in_the_plan() -> None:
    adopt = Adopt(Kind.SESSION, TALK.key, Remote(7, "talk"), {"name": "Talk"}, "talk")
    plan = within(Plan(((adopt, OTHER),)), parts_of(Plan(((TALK,),))))
    assert plan.operations == (adopt,)


def test_a_long_difference_is_cut() -> None:
    many = [operation_id(replace(TALK, key=f"session/{number}")) for number in range(9)]
    assert difference([operation_id(OTHER)], [operation_id(OTHER), *many]).endswith("and 4 more is new")
