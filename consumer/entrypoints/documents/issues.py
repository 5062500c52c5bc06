"""Issues of an event as people read them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from consumer.domain.issues.issue import Issue, hand_of
from consumer.domain.issues.sentences import for_admin, for_operator
from consumer.domain.records.text import masked


@dataclass(frozen=True, slots=True)
class IssueRow:
    """An issue: `effect` is left_out, partial or complete; `sentence` is for event admins, `operator` for operators.

    `hand`: what to do about it, see `domain.issues.issue.Hand`.
    """

    kind: str
    id: str
    code: str
    effect: str
    field: str
    sentence: str
    operator: str
    hand: str = ""


def issue_rows(event_id: str, issues: Iterable[Issue]) -> tuple[IssueRow, ...]:
    """Issues of an event as people read them: those of records left out first, then by code and record."""
    return tuple(
        IssueRow(
            *named(issue.key),
            issue.code.value,
            issue.effect.value,
            issue.field,
            masked(for_admin(issue)),
            masked(for_operator(issue, event_id)),
            hand_of(issue.code).value,
        )
        for issue in sorted(issues, key=lambda each: (each.effect.rank, each.code, each.key, each.field))
    )


def named(key: str) -> tuple[str, str]:
    """Kind and id of a ledger key."""
    kind, _, identifier = key.partition("/")
    return kind, identifier
