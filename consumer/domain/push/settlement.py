"""SETTLE: what a push comes to: its run, the issues that stand, the marks that go, and when the event is due again.

Pure: `Pusher._commit` writes what is decided here, and decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from math import inf
from typing import Final

from consumer.domain.errors import RetryableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.orders.ledger_commands import LedgerCommand
from consumer.domain.pacing.backoff import retry_delay
from consumer.domain.planning.eligibility import Reason, embargoed
from consumer.domain.planning.plan import Operation
from consumer.domain.planning.request import Asked
from consumer.domain.planning.scope import covers
from consumer.domain.push.cause import ManualSync, Reconcile
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.facts import Facts
from consumer.domain.push.open_issues import issues_after
from consumer.domain.push.run import PAIR_ENDED, Run, count_issues, first_issues
from consumer.domain.records.identity import Kind, Source, digest, id_of, kind_of
from consumer.domain.records.ledger import Ledger, State
from consumer.domain.surveys.survey import Survey, SurveyState

_UNREACHED: Final = frozenset({Code.NO_PERMISSION, Code.MANY_MISSING})
"""What may have kept an update from being made although its change was dealt with."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings that a settlement depends on, in seconds.

    Attributes:
        retry_first: until the event is tried again after its first failure.
        retry_max: until then at most, however many there were.
        settle_time: how long an unanswered create may still take effect.
        reconcile_interval: between two reconciles of an event; 0: none come round.
    """

    retry_first: float
    retry_max: float
    settle_time: float
    reconcile_interval: float


@dataclass(frozen=True, slots=True)
class Moment:
    """What is not known before a push is over.

    Attributes:
        now: ms.
        elapsed: ms that the push took, however the clock was set meanwhile.
        jitter: 0..1, spreads what is due again.
        credits: what the push spent.
        in_force: whether its pair still is.
    """

    now: int
    elapsed: int
    jitter: float
    credits: int
    in_force: bool = True


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is to be written at the end of a push.

    Attributes:
        failed: the event is tried again with a back-off that grows.
        cleared: marks that were dealt with, key -> stamp.
        retry_in: seconds until the event is due again although nothing changes; None: it need not be.
        rest_in: seconds until changes go on with what a manual sync leaves to them; None: nothing.
        survey_in: seconds until the next survey; None leaves it as it is.
        memory: what the next survey builds on; None: as before.
        commands_done: retries and confirmations that are over.
        verified: kinds whose records were looked for after a loss of Redis (G6).
        served: manual syncs that are over (C5).
    """

    run: Run
    issues: Mapping[str, Issue]
    failed: bool = False
    cleared: Mapping[str, str] = field(default_factory=dict)
    retry_in: float | None = None
    rest_in: float | None = None
    survey_in: float | None = None
    memory: SurveyState | None = None
    commands_done: tuple[LedgerCommand, ...] = ()
    verified: AbstractSet[Kind] = frozenset()
    served: tuple[Asked, ...] = ()


def settle(
    facts: Facts, survey: Survey | None, planned: Planned, result: ExecutionResult, policy: Policy, run: Run, at: Moment
) -> Settlement:
    """What a push comes to.

    Args:
        facts: what it set out with.
        survey: what was read of Swoogo before the plan, in a reconcile.
        planned: its plan; an empty one when an error came before.
        result: what was done.
        policy: settings.
        run: as it was when the last call ended; it is not changed.
        at: what is known only now.
    """
    again = _retry_in(facts, planned, result, policy, at)
    unplanned = result.error is not None and planned.plan.empty
    issues = issues_after(facts, survey, planned, result, at.now, unplanned=unplanned)
    survey_in, memory = None, None
    if survey:
        survey_in = _survey_in(survey, policy, at.jitter)
        if not unplanned:
            memory = replace(survey.memory, settled=idle_digest(facts, at.now) if _idle(planned, again) else "")
    elif isinstance(facts.cause, Reconcile):
        again, survey_in = None, again
    ended = _ended(facts, run, issues, result, at)
    rest = _rest_in(facts, planned, result, policy, run.started, at.now)
    if result.failed:
        return Settlement(ended, issues, failed=True, retry_in=again, rest_in=rest, survey_in=survey_in, memory=memory)
    # Selected records were looked for, but not those of their kind that a later push creates (G6).
    unverified = frozenset[Kind]() if facts.scope.selected else facts.state.verify_before_create
    waiting = frozenset[str]() if again is None else _waiting_keys(planned, result, policy, at.now)
    return Settlement(
        ended,
        issues,
        cleared=_cleared(facts.covered_marks, waiting),
        retry_in=again,
        rest_in=rest,
        survey_in=survey_in,
        memory=memory,
        commands_done=tuple(sorted(each for each in facts.retries if each.key not in _kept_for_later(planned))),
        verified=planned.verified & unverified,
        served=() if again is not None or isinstance(facts.cause, Reconcile) else facts.lease.asked,
    )


def nothing_new(facts: Facts, survey: Survey, ledger: Ledger, now: int = 0) -> bool:
    """Whether the plan would be the empty one of the last reconcile: nothing that it depends on has changed since.

    What people edited in Swoogo is no part of it. It is made all the same after every deep survey, when an answer is
    still outstanding, and when a record that was refused, or could not be reached, is to be tried once more.

    `now`: ms.
    """
    return (
        survey.memory.settled == idle_digest(facts, now)
        and not (facts.mapping.settings.field_maps.look_at_edits and _edited(facts, survey))
        and not (survey.deep or survey.findings.gone or facts.state.marks or facts.state.commands)
        and not any(issue.parked or issue.code in _UNREACHED for issue in facts.former.values())
        and not any(entry.state is State.INTENT for entry in ledger.values())
    )


def _edited(facts: Facts, survey: Survey) -> bool:
    """Whether there is an edit that a policy may have to answer (F4)."""
    issues = (*facts.former.values(), *survey.findings.issues)
    return bool(survey.findings.learned) or any(each.code is Code.EDITED_IN_SWOOGO for each in issues)


def idle_digest(facts: Facts, now: int = 0) -> str:
    """What a plan depends on besides records: pair, settings, freezes, approval, and what has ended by `now` (ms)."""
    mapping, controls = facts.mapping, facts.state.controls
    held = controls.active(now), controls.approval
    return digest(
        repr(mapping) + ("embargo" if embargoed(mapping.settings, now) else "") + (repr(held) if any(held) else "")
    )


def _idle(planned: Planned, again: float | None) -> bool:
    return planned.nothing_new or (planned.plan.empty and again is None)


def _ended(facts: Facts, run: Run, issues: Mapping[str, Issue], result: ExecutionResult, at: Moment) -> Run:
    trouble = result.trouble
    pair_ended = trouble is not None and not at.in_force
    ended = replace(
        run,
        ended=run.started + at.elapsed,
        credits=at.credits,
        pair_ended=pair_ended,
        error=PAIR_ENDED if pair_ended else str(trouble or ""),
        issues=count_issues(issues),
        top_issues=first_issues(issues),
        outcome="failed" if trouble else "completed_with_issues" if issues else "completed",
    )
    ended.answer(issues.values(), partial(covers, facts.scope, snapshot=facts.state.snapshot))
    return ended


def _retry_in(facts: Facts, planned: Planned, result: ExecutionResult, policy: Policy, at: Moment) -> float | None:
    """After a failure nothing is done before; otherwise changes that come meanwhile are pushed in their own time."""
    if result.failed:
        delay = retry_delay(facts.lease.attempt + 1, policy.retry_first, policy.retry_max, at.jitter)
        asked = [each.after for each in (result.error, *result.failures) if isinstance(each, RetryableError)]
        return max([delay, *asked])
    moments = [each for each in (planned.plan.wait_until, planned.wait_until) if each is not None]
    waits = [max(each - at.now, 0) / 1000 for each in moments]
    if result.unanswered:
        waits.append(policy.settle_time)
    if not _changes_go_on(facts, planned.plan.images):
        waits += _image_waits(result, policy)
    if waits and (end := facts.state.controls.ends_after(at.now)):
        waits.append((end - at.now) / 1000)
    return min(waits, default=None)


def _kept_for_later(planned: Planned) -> frozenset[str]:
    """Issue keys of operations that are frozen, or not approved: a retry of those is not over (U1, U2)."""
    return frozenset(each.issue_key for each in (*planned.plan.frozen, *planned.plan.unapproved))


def _rest_in(
    facts: Facts, planned: Planned, result: ExecutionResult, policy: Policy, began: int, now: int
) -> float | None:
    """What lies outside the scope of a manual sync may have no dirty mark.

    An image on its way comes again by the event's due moment alone, which this push has used up (G1). Its own late
    images are left to changes too, so that no manual sync waits for them.
    """
    waits = _image_waits(result, policy) if _changes_go_on(facts, planned.plan.images) else []
    if any(_changes_go_on(facts, [each]) for each in planned.plan.outside):
        waits.append(policy.retry_first)
    # F8: the end of an embargo is a moment at which the event is due, however often it is pushed before.
    if facts.mapping.continuous and embargoed(facts.mapping.settings, now):
        waits.append(((facts.mapping.settings.embargo_until or now) - now) / 1000)
    # U1: so is the end of a freeze, also of one that ended while this push went on.
    if facts.mapping.continuous and (end := facts.state.controls.ends_after(began)):
        waits.append(max(end - now, 0) / 1000)
    if planned.judged_later:
        waits.append(0.0)
    return min(waits, default=None)


def _changes_go_on(facts: Facts, operations: Sequence[Operation]) -> bool:
    """Whether the push that follows a manual sync by itself covers all of these (C4, O4)."""
    mapping, kinds = facts.mapping, {each.kind for each in operations}
    return (
        isinstance(facts.cause, ManualSync)
        and mapping.continuous
        and (mapping.settings.sync_sponsors or not kinds & {Kind.SPONSOR, Kind.LEVEL})
    )


def _image_waits(result: ExecutionResult, policy: Policy) -> list[float]:
    """Seconds until images of this push are worth another look, for each reason."""
    waits = [] if result.images_in is None else [result.images_in]
    return [*waits, policy.retry_max] if result.image_failed else waits


def _survey_in(survey: Survey, policy: Policy, jitter: float) -> float:
    """Spread, so that events mapped together drift apart."""
    return survey.memory.every * (0.9 + 0.2 * jitter) if policy.reconcile_interval else inf


def _waiting_keys(planned: Planned, result: ExecutionResult, policy: Policy, now: int) -> frozenset[str]:
    """Records that wait for an unanswered create to settle, by their ledger keys."""
    waiting = {skip.key for skip in planned.plan.skips if skip.reason is Reason.WAITING}
    settle_ms = round(policy.settle_time * 1000)
    unsettled = {
        key for key, each in result.ledger.items() if each.state is State.INTENT and now < each.settled_at(settle_ms)
    }
    return frozenset(result.unanswered | waiting | unsettled)


def _cleared(marks: Mapping[str, str], waiting: AbstractSet[str]) -> dict[str, str]:
    """The dirty marks without those that stand for a record that waits (G1).

    A speaker may come from a session's copy, and a room or a track always comes from sessions.
    """
    kinds = {kind_of(key) for key in waiting}
    kept = {f"{Source.CONTACT.value}/{id_of(key)}" if kind_of(key) is Kind.SPEAKER else key for key in waiting}
    sources = [Source.SESSION] if kinds & {Kind.SPEAKER, Kind.LOCATION, Kind.TRACK} else []
    sources += [Source.SPONSOR] if Kind.LEVEL in kinds else []
    prefixes = tuple(f"{source.value}/" for source in sources)
    return {key: stamp for key, stamp in marks.items() if key not in kept and not key.startswith(prefixes)}
