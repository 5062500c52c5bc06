"""U2: a plan has an id over its operations; exactly the one that was approved is sent, or it is refused.

Of a plan whose push began, what is left may be sent: a push that broke off goes on, and nothing is added to it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from hashlib import blake2b
from json import dumps
from typing import Final

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.control import Approval
from consumer.domain.planning.eligibility import Reason, Skip
from consumer.domain.planning.plan import Adopt, Create, Delete, Link, Operation, Plan, SetImage, Update, name_of
from consumer.domain.records.digests import PLAIN, Digests

_GROUP: Final = 4
_SHOWN: Final = 5


def operation_id(operation: Operation, digests: Digests = PLAIN) -> str:
    """A keyed digest of what an operation does (Y3), and its key. To create a record and to adopt one is the same."""
    match operation:
        case Create() | Adopt():
            what: list[object] = ["put", dict(operation.fields)]
        case Update():
            what = ["update", operation.swoogo_id, dict(operation.fields)]
        case Link():
            what = ["link", sorted(operation.add), sorted(operation.remove)]
        case Delete():
            what = ["delete", operation.swoogo_id]
        case SetImage():
            what = ["image", operation.url]
    return f"{_digest(what, 12, digests)} {operation.key}"


def ids_of(plan: Plan) -> list[str]:
    return sorted(operation_id(each, plan.digests) for each in plan.operations)


def plan_id(plan: Plan) -> str:
    """The id of a plan, such as `4f9a-02c7-881b`; "" of an empty one. The order of operations does not matter."""
    ids = ids_of(plan)
    text = _digest(ids, 3 * _GROUP, plan.digests)
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP)) if ids else ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What of a plan may be sent.

    Attributes:
        plan: to push; the rest is `unapproved`.
        approval: as it is from now on; None: there is none, or it is done.
        later: another plan than the one a person saw was made, for a scope or a survey; the approval is judged next.
    """

    plan: Plan
    approval: Approval | None = None
    later: bool = False


def judged(plan: Plan, approval: Approval | None, *, same_cause: bool) -> Verdict:
    """Judge a plan, made before the first call, by the approval there is.

    `approval`: the last one. `same_cause`: the plan is made for what the person saw: not for a part of the event, nor
    after a survey.
    """
    if approval is None or approval.refused:
        return Verdict(_only(plan, ()), approval if plan.operations else None)
    ids = set(ids_of(plan))
    if approval.begun:
        undecided = _undecided(plan)
        left = {each for each in approval.operations if each in ids or each.partition(" ")[2] in undecided}
        return Verdict(_only(plan, left), replace(approval, operations=tuple(sorted(left))) if left else None)
    if plan_id(plan) == approval.plan:
        return Verdict(plan, replace(approval, begun=True, operations=tuple(sorted(ids))))
    if not same_cause:
        return Verdict(_only(plan, ()), approval, later=True)
    differs = difference(approval.operations, ids)
    return Verdict(_only(plan, ()), replace(approval, refused=plan_id(plan) or "nothing", detail=differs))


def left_of(approval: Approval, plan: Plan, unanswered: Collection[str]) -> Approval | None:
    """What is left of an approval after a push that did all it could: late images, creates without an answer."""
    images = {operation_id(each, plan.digests) for each in plan.images}
    open_ = {*unanswered, *_undecided(plan)}
    left = [each for each in approval.operations if each in images or each.partition(" ")[2] in open_]
    return replace(approval, operations=tuple(left)) if left else None


def within(plan: Plan, keys: Collection[tuple[str, str]]) -> Plan:
    """The part of a plan, made again after a look at Swoogo, that is about what was approved: (part of it, key)."""
    return _keep(plan, {id(each) for each in plan.operations if _part(each) in keys})


def parts_of(plan: Plan) -> frozenset[tuple[str, str]]:
    """What a plan is about, for `within`."""
    return frozenset(map(_part, plan.operations))


def difference(approved: Collection[str], now: Collection[str]) -> str:
    """What became of an approved plan, in words; both as ids of operations."""
    before, after = ({each.partition(" ")[2] for each in ids} for ids in (approved, now))
    differs = {each.partition(" ")[2] for each in {*approved} ^ {*now}}
    parts = (("differs", differs & before & after), ("is new", after - before), ("is gone", before - after))
    said = [f"{_listed(keys)} {word}" for word, keys in parts if keys]
    return "; ".join(said) if approved else f"{len(now)} operations"


def _listed(keys: Collection[str]) -> str:
    shown = sorted(keys)[:_SHOWN]
    return ", ".join(shown) + (f" and {len(keys) - len(shown)} more" if len(keys) > len(shown) else "")


def _undecided(plan: Plan) -> set[str]:
    """Records that wait for a create without an answer."""
    return {skip.key for skip in plan.skips if skip.reason is Reason.WAITING}


def _part(operation: Operation) -> tuple[str, str]:
    return ("put" if isinstance(operation, Create | Adopt) else name_of(operation), operation.key)


def _only(plan: Plan, ids: Collection[str]) -> Plan:
    return _keep(plan, {id(each) for each in plan.operations if operation_id(each, plan.digests) in ids})


def _keep(plan: Plan, kept: Collection[int]) -> Plan:
    left = tuple(each for each in plan.operations if id(each) not in kept)
    if not left:
        return plan
    phases = tuple(tuple(each for each in phase if id(each) in kept) for phase in plan.phases)
    kinds = {each.kind for phase in phases for each in phase}
    known = {each.key for phase in phases for each in phase} | {skip.key for skip in plan.skips}
    skips = [Skip(key, Reason.UNAPPROVED) for key in sorted({each.key for each in left} - known)]
    return replace(
        plan,
        phases=phases,
        looks=plan.looks & kinds,
        choices={field: names for field, names in plan.choices.items() if field[0] in kinds},
        skips=(*plan.skips, *skips),
        unapproved=left,
    )


def _digest(value: object, length: int, digests: Digests) -> str:
    return blake2b(
        dumps(value, sort_keys=True).encode(), digest_size=16, key=digests.keys[0] if digests.keys else b""
    ).hexdigest()[:length]


def refusals(event_id: str, approval: Approval | None) -> tuple[Issue, ...]:
    """The issue of an approved plan that another one had taken the place of."""
    if approval is None or not approval.refused:
        return ()
    detail = f"plan {approval.plan} was approved; now it is {approval.refused}: {approval.detail}"
    return (Issue(f"event/{event_id}", Code.PLAN_CHANGED, detail=detail),)
