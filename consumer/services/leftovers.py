"""PUSH, what is left after the last call: issues that stand, marks that stay, and when the event is due again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from consumer.domain.backoff import retry_delay
from consumer.domain.eligibility import Reason
from consumer.domain.errors import RefusedError, RetryableError, SwoogoSyncError, UnansweredError
from consumer.domain.issue import Code, Issue
from consumer.domain.ledger import State
from consumer.domain.plan import Adopt, Create, Operation, Plan, SetImage, removal_key
from consumer.domain.record import Kind, Source, id_of, kind_of
from consumer.domain.refusals import refusal_issue
from consumer.domain.run import Trigger
from consumer.domain.scope import Scope
from consumer.domain.survey import standing_issues
from consumer.ports import EventState
from consumer.services.execute import Execution
from consumer.settings import PushSettings

_HOPELESS: Final = 5
_HOPELESS_SHARE: Final = 0.1
"""So many operations of a push, and this share of all it tried, failed for now: its rest is put off."""


def hopeless(execution: Execution) -> bool:
    """Whether so much failed for now that going on is of no use.

    A few failures among many do not put the rest off: of a large push they are tried again at its end, together, rather
    than at the end of many small ones with a back-off that grows each time.
    """
    trouble = len(execution.trouble)
    return trouble >= max(_HOPELESS, _HOPELESS_SHARE * execution.performed)


def failed(execution: Execution, error: SwoogoSyncError | None) -> bool:
    """Whether the trouble of a push concerns more than the records it befell.

    A few creates without an answer do not: what came of them is asked when they have settled, and everything else of
    the event goes on meanwhile.
    """
    others = [each for each in execution.trouble if not isinstance(each, UnansweredError)]
    return error is not None or bool(others) or hopeless(execution)


def waiting_keys(execution: Execution, plan: Plan) -> frozenset[str]:
    """Records that wait for an unanswered create to settle, by their ledger keys."""
    waiting = {skip.key for skip in plan.skips if skip.reason is Reason.WAITING}
    settle, now = round(execution.settle * 1000), execution.clock.now()
    unsettled = {
        key for key, each in execution.ledger.items() if each.state is State.INTENT and now < each.settles(settle)
    }
    return frozenset(execution.unanswered | waiting | unsettled)


def pushed_marks(marks: Mapping[str, str], waiting: AbstractSet[str]) -> dict[str, str]:
    """The dirty marks without those that stand for a record that waits (G1).

    A speaker may come from a session's copy, and a room or a track always comes from sessions.
    """
    kinds = {kind_of(key) for key in waiting}
    kept = {f"{Source.CONTACT.value}/{id_of(key)}" if kind_of(key) is Kind.SPEAKER else key for key in waiting}
    sources = [Source.SESSION] if kinds & {Kind.SPEAKER, Kind.LOCATION, Kind.TRACK} else []
    sources += [Source.SPONSOR] if Kind.LEVEL in kinds else []
    prefixes = tuple(f"{source.value}/" for source in sources)
    return {key: stamp for key, stamp in marks.items() if key not in kept and not key.startswith(prefixes)}


def retry_in(execution: Execution, plan: Plan, error: SwoogoSyncError | None, settings: PushSettings) -> float | None:
    """Seconds until the event is due again although nothing changes; None: it need not be.

    After a failure nothing is done before; otherwise changes that come meanwhile are pushed in their own time.
    """
    if failed(execution, error):
        attempt = execution.work.lease.attempt + 1
        delay = retry_delay(attempt, settings.retry_first, settings.retry_most, execution.clock.jitter())
        asked = [each.after for each in (error, *execution.trouble) if isinstance(each, RetryableError)]
        return max([delay, *asked])
    moments = [each for each in (plan.wait_until, execution.wait_until) if each is not None]
    waits = [max(each - execution.clock.now(), 0) / 1000 for each in moments]
    if execution.unanswered:
        waits.append(settings.settle)
    if not _changes_go_on(execution, plan.images):
        waits += _image_waits(execution, settings)
    return min(waits, default=None)


def rest_in(execution: Execution, plan: Plan, settings: PushSettings) -> float | None:
    """Seconds until changes go on with what a manual sync leaves to them; None: nothing.

    What lies outside its scope may have no dirty mark: an image on its way comes again by the event's due moment alone,
    which this push has used up (G1). Its own late images are left to changes too, so that none of these waits for them.
    """
    waits = _image_waits(execution, settings) if _changes_go_on(execution, plan.images) else []
    if any(_changes_go_on(execution, [each]) for each in plan.outside):
        waits.append(settings.retry_first)
    return min(waits, default=None)


def _changes_go_on(execution: Execution, operations: Sequence[Operation]) -> bool:
    """Whether the push that follows a manual sync by itself covers all of these (C4, O4)."""
    mapping = execution.work.mapping
    kinds = {each.kind for each in operations}
    return (
        execution.work.trigger is Trigger.MANUAL
        and mapping.continuous
        and (mapping.settings.sync_sponsors or not kinds & {Kind.SPONSOR, Kind.LEVEL})
    )


def _image_waits(execution: Execution, settings: PushSettings) -> list[float]:
    """Seconds until images of this push are worth another look, for each reason."""
    waits = [] if execution.images_in is None else [execution.images_in]
    return [*waits, settings.retry_most] if execution.later else waits


def refused_levels(plan: Plan, kind: Kind, error: RefusedError) -> dict[str, Issue]:
    """Sponsorship levels to be added that Swoogo does not let this credential look at, as if it had refused each (E6).

    They are a field of the whole account, so this says nothing about the event; sponsors go without. Other kinds: none.
    """
    if kind is not Kind.LEVEL:
        return {}
    return {
        each.key: refusal_issue(each, error, {})
        for each in plan.operations
        if each.kind is kind and isinstance(each, Create | Adopt)
    }


def settled(state: EventState, trigger: Trigger, scope: Scope) -> dict[str, str]:
    """The dirty marks that a push deals with.

    A manual sync leaves those outside its scope to the next push. Changes push all they may: what the mapping
    keeps out (O4) would make the event due for ever, and a later sync sees it all the same.
    """
    if trigger is not Trigger.MANUAL:
        return dict(state.marks)
    return {key: stamp for key, stamp in state.marks.items() if scope.settles(key)}


def parked_since(issue: Issue, former: Issue | None, now: int) -> Issue:
    """The issue with the moment (ms) since when this same change is refused; other issues stay as they are."""
    if not issue.parked:
        return issue
    known = former.at if former and former.parked == issue.parked else 0
    return replace(issue, at=issue.at or known or now)


def merged_issues(plan: Plan, execution: Execution, former: Mapping[str, Issue]) -> dict[str, Issue]:
    """Issues after a push: those of the plan, those of the answers, and former ones that still stand.

    A former issue that came from an answer (refused, not applied) stands until its record is sent again or left out.
    One of an image that is not in Swoogo yet stands while a scope leaves it out.
    """
    pictures = {each.key for each in plan.outside if isinstance(each, SetImage)}
    out = {skip.key for skip in plan.skips if skip.reason is not Reason.PARKED}
    kept = {removal_key(skip.key) for skip in plan.skips if skip.reason is Reason.PARKED}
    standing = {
        key: issue
        for key, issue in former.items()
        if (
            issue.parked
            or issue.code in {Code.FIELD_NOT_APPLIED, Code.NO_PERMISSION}
            or (issue.code in {Code.IMAGE_WAITING, Code.IMAGE_UNUSABLE} and issue.key in pictures)
        )
        and issue.key not in execution.attempted
        and issue.key.partition("#")[0] not in out
        # A refused deletion is forgotten as soon as the record is no longer to be deleted.
        and (issue.key in kept or issue.key != removal_key(issue.key.partition("#")[0]))
    }
    fresh = {issue_key(issue): issue for issue in (*plan.issues, *execution.issues)}
    return {**standing, **of_surveys(execution, former), **fresh}


def of_surveys(execution: Execution, former: Mapping[str, Issue]) -> dict[str, Issue]:
    """What surveys had to say, now or before, and this push did not end (R2)."""
    findings = execution.survey.findings if execution.survey else None
    told = standing_issues(former.values(), findings, execution.sent, execution.ledger)
    return {issue_key(issue): issue for issue in told}


def issue_key(issue: Issue) -> str:
    """One issue per record, code and field."""
    return f"{issue.key}|{issue.code.value}|{issue.field}"
