"""EXPLAIN, what a plan says of one record: its operations, and the issues that stand for it (U4)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.plan import Link, Operation, Plan
from consumer.domain.records.identity import Kind, id_of, kind_of
from consumer.domain.surveys.survey_issues import CODES

_OF_ANSWERS: Final = CODES | {
    *(Code.REFUSED, Code.NO_PERMISSION, Code.FIELD_NOT_APPLIED, Code.HAS_REGISTRANTS, Code.NOT_ADOPTED),
    *(Code.IMAGE_UNUSABLE, Code.IMAGE_WAITING, Code.AMBIGUOUS_MATCH),
}
"""Issues that an answer of Swoogo gave rise to: a plan does not raise them again, so they stand until a push."""


def standing_issues(key: str, plan: Plan, former: Iterable[Issue]) -> list[Issue]:
    """What stands: what the plan raises now, and what answers and surveys left until the next push."""
    now = {each.id: each for each in plan.issues if each.record == key}
    kept = {each.id: each for each in former if each.record == key and (each.parked or each.code in _OF_ANSWERS)}
    return [*{**kept, **now}.values()]


def operations_of(key: str, operations: Iterable[Operation]) -> list[Operation]:
    """What is done to the record; to a session also who is put on it and taken off it."""
    identifier = id_of(key) if kind_of(key) is Kind.SESSION else ""
    found: list[Operation] = []
    for each in operations:
        if each.key == key:
            found.append(each)
        elif identifier and isinstance(each, Link) and identifier in (*each.add, *each.remove):
            add, remove = (tuple(one for one in ids if one == identifier) for ids in (each.add, each.remove))
            found.append(replace(each, add=add, remove=remove))
    return found
