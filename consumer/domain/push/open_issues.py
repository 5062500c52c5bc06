"""SETTLE, the issues that stand after a push: those of its plan, of its answers, and former ones that still do."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from consumer.domain.issues.issue import Code, Issue
from consumer.domain.issues.labels import Labels
from consumer.domain.planning.eligibility import Reason
from consumer.domain.planning.plan import SetImage, removal_key
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.facts import Facts
from consumer.domain.surveys.survey import Survey
from consumer.domain.surveys.survey_issues import CODES, open_survey_issues

_LATER: Final = frozenset({Reason.PARKED, Reason.FROZEN, Reason.UNAPPROVED})
"""What these leave out is as it was, refused or not."""


def issues_after(
    facts: Facts, survey: Survey | None, planned: Planned, result: ExecutionResult, now: int, *, unplanned: bool
) -> dict[str, Issue]:
    """Every issue that stands, by its id, with the names of its record. `now`: ms, since when a new refusal stands."""
    issues = _issues(facts, survey, planned, result, unplanned=unplanned)
    known = {(each.key, each.parked): each for each in facts.former.values()}
    retried = {each.key for each in facts.retries}
    issues = {
        key: parked_since(issue, known.get((issue.key, issue.parked)), now, again=issue.key in retried)
        for key, issue in issues.items()
    }
    return Labels(facts.state.snapshot, result.ledger, facts.mapping).dressed(issues)


def parked_since(issue: Issue, former: Issue | None, now: int, *, again: bool = False) -> Issue:
    """The issue with the moment (ms) since when this same change is refused; other issues stay as they are.

    One that was refused `again`, when a person had it retried, has gone a round more (U5).
    """
    if not issue.parked or issue.at:
        return issue  # one that still stands was not sent
    if former is None:
        return replace(issue, at=now)
    return replace(issue, at=former.at or now, rounds=former.rounds + again)


def _issues(
    facts: Facts, survey: Survey | None, planned: Planned, result: ExecutionResult, *, unplanned: bool
) -> dict[str, Issue]:
    """Issues after a push: those of the plan, those of the answers, and former ones that still stand.

    Without a plan the former ones stand; where nothing is new, all but those that a survey raises or resolves.
    """
    if unplanned:
        return dict(facts.former)
    surveyed = _of_surveys(facts, survey, result)
    if planned.nothing_new:
        return {**{key: each for key, each in facts.former.items() if each.code not in CODES}, **surveyed}
    fresh = {
        each.id: each
        for each in (*planned.plan.issues, *planned.issues, *result.issues)
        if each.code is not Code.OVERWRITTEN_IN_SWOOGO or each.field in result.sent.get(each.key, ())
    }
    return {**_of_this_push(facts, planned, result), **surveyed, **fresh}


def _of_this_push(facts: Facts, planned: Planned, result: ExecutionResult) -> dict[str, Issue]:
    """A former issue that came from an answer (refused, not applied) stands until its record is sent again or left out.

    What a plan leaves out because it is refused is not left out in this sense. One of an image that is not in Swoogo
    yet stands while a scope leaves it out.
    """
    skips = planned.plan.skips
    pictures = {each.key for each in planned.plan.outside if isinstance(each, SetImage)}
    out = {skip.key for skip in skips if skip.reason not in _LATER}
    kept = {removal_key(skip.key) for skip in skips if skip.reason in _LATER}
    attempted = result.attempted | {each.key for each in planned.issues if each.parked}
    return {
        key: issue
        for key, issue in facts.former.items()
        if (
            issue.parked
            or issue.code in {Code.FIELD_NOT_APPLIED, Code.NO_PERMISSION}
            or (issue.code in {Code.IMAGE_WAITING, Code.IMAGE_UNUSABLE} and issue.key in pictures)
        )
        and issue.key not in attempted
        and issue.key.partition("#")[0] not in out
        # A refused deletion is forgotten as soon as the record is no longer to be deleted.
        and (issue.key in kept or issue.key != removal_key(issue.key.partition("#")[0]))
    }


def _of_surveys(facts: Facts, survey: Survey | None, result: ExecutionResult) -> dict[str, Issue]:
    """What surveys had to say, now or before, and this push did not end (R2)."""
    findings = survey.findings if survey else None
    found = open_survey_issues(facts.former.values(), findings, result.sent, result.ledger)
    return {each.id: each for each in found}
