"""Which issues of surveys stand after a push, and which edits stand before one (R2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.records.ledger import Ledger
from consumer.domain.surveys.survey import Findings

CODES: Final = frozenset({Code.EDITED_IN_SWOOGO, Code.MANY_MISSING, Code.OVERWRITTEN_IN_SWOOGO})
"""Issues that the next survey raises again, or resolves."""


def survives(issue: Issue, findings: Findings | None, sent: Mapping[str, AbstractSet[str]]) -> bool:
    """Whether a former issue of a survey still stands after a push.

    Args:
        issue: `edited_in_swoogo` or `many_missing`; anything else does not survive by this rule.
        findings: of the survey before the push, None when there was none.
        sent: key -> fields that were sent, which overwrites what a person had typed (R2).
    """
    if issue.code is Code.MANY_MISSING:
        return findings is None
    if issue.code not in {Code.EDITED_IN_SWOOGO, Code.OVERWRITTEN_IN_SWOOGO}:
        return False
    judged = findings.compared_keys if findings else frozenset()
    return issue.key not in judged and issue.field not in sent.get(issue.key, ())


def edits(former: Iterable[Issue], findings: Findings) -> dict[tuple[str, str], Issue]:
    """(record key, field) -> the edit in Swoogo that stands after a survey and before the push that follows it."""
    found = [each for each in former if survives(each, findings, {})] + list(findings.issues)
    return {(each.key, each.field): each for each in found if each.code is Code.EDITED_IN_SWOOGO}


def open_survey_issues(
    former: Iterable[Issue], findings: Findings | None, sent: Mapping[str, AbstractSet[str]], ledger: Ledger
) -> list[Issue]:
    """What surveys have to say after a push: former issues that still stand, and what is new.

    `findings`: of the survey before it, None when there was none. `sent`: key -> fields that were sent. `ledger`: after
    the push; there is nothing to say about a record that is no longer there.
    """
    found = [issue for issue in former if survives(issue, findings, sent)]
    found += [issue for issue in (findings.issues if findings else ()) if issue.field not in sent.get(issue.key, ())]
    return [
        issue
        for issue in found
        if issue.code is Code.MANY_MISSING or ((entry := ledger.get(issue.key)) is not None and entry.live)
    ]
