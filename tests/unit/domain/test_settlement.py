"""What a push comes to: the run, the issues that stand, the marks that go, and when the event is due again.

`settle_time` decides it from what the push knew, planned and did; nothing here awaits, and nothing is written.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.errors import CredentialError, RefusedError, UnansweredError, UnavailableError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.planning.plan import SetImage
from consumer.domain.planning.request import SyncRequest
from consumer.domain.push.cause import Cause, Changes, ManualSync
from consumer.domain.push.execution import ExecutionResult, Planned
from consumer.domain.push.run import PAIR_ENDED
from consumer.domain.records.identity import Kind
from consumer.domain.records.ledger import Entry, State
from tests.support.builders import NOW, a_mapping
from tests.unit.domain.settling import ASKED, AT, DONE, MARKS, PLANNED, RETRY, settled, the_facts


@pytest.mark.rule("G1")
def test_a_push_that_did_all_clears_its_marks_and_is_not_due_again() -> None:
    done = settled()
    assert (done.failed, done.cleared, done.retry_in, done.survey_in, done.issues) == (False, MARKS, None, None, {})
    assert (done.run.outcome, done.run.error, done.run.ended, done.run.credits) == ("completed", "", NOW + 2_500, 7)


MANY = tuple(UnansweredError("x") for _ in range(5))


@pytest.mark.rule("G1", "G5")
@pytest.mark.parametrize(
    ("result", "attempt", "seconds"),
    [
        (replace(DONE, error=UnavailableError("Silent.")), 0, 5.0),
        (replace(DONE, error=UnavailableError("Silent.")), 2, 20.0),
        (replace(DONE, error=UnavailableError("Silent.")), 20, 600.0),
        (replace(DONE, error=UnavailableError("Later.", after=90.0)), 0, 90.0),
        (replace(DONE, failures=(UnavailableError("Later.", after=70.0),)), 0, 70.0),
        (replace(DONE, error=CredentialError("No.")), 0, 5.0),
        (replace(DONE, error=RefusedError("No.")), 0, 5.0),
        (replace(DONE, failures=MANY, performed=5), 0, 5.0),
    ],
)
def test_failure_keeps_all_marks_and_backs_off(result: ExecutionResult, attempt: int, seconds: float) -> None:
    """What Swoogo asks for counts when it is longer."""
    verified = replace(PLANNED, verified={Kind.SESSION})
    failed = settled(
        the_facts(attempt=attempt, commands={RETRY}, verify_before_create={Kind.SESSION}), result, verified
    )
    assert (failed.failed, failed.cleared, failed.retry_in) == (True, {}, seconds)
    assert (failed.run.outcome, failed.commands_done, failed.verified, failed.served) == ("failed", (), frozenset(), ())


@pytest.mark.rule("G1", "G2")
def test_a_few_creates_without_an_answer_hold_up_only_their_own_records() -> None:
    """A speaker may come from a session's copy, so the marks of sessions stay with it."""
    unanswered = replace(DONE, failures=(UnansweredError("x"),), unanswered={"speaker/c1"}, performed=60)
    done = settled(result=unanswered)
    assert (done.failed, done.retry_in, done.cleared) == (False, 120.0, {"sponsor/p1": "3"})
    assert (done.run.outcome, done.run.error) == ("failed", "x")


@pytest.mark.rule("G1")
@pytest.mark.parametrize(
    ("key", "left"),
    [
        ("session/s1", {"contact/c1", "sponsor/p1"}),
        ("location/r1", {"contact/c1", "sponsor/p1"}),
        ("level/gold", {"session/s1", "contact/c1"}),
        ("sponsor/p1", {"session/s1", "contact/c1"}),
    ],
)
def test_an_open_intent_keeps_the_marks_of_what_it_stands_for(key: str, left: set[str]) -> None:
    """Until it has settled; then it is decided."""
    intent = Entry(State.INTENT, at=NOW - 1_000)
    waits = replace(PLANNED, plan=replace(PLANNED.plan, wait_until=NOW + 119_000))
    done = settled(result=replace(DONE, ledger={key: intent}), planned=waits)
    assert (done.retry_in, {*done.cleared}) == (119.0, left)
    old = settled(result=replace(DONE, ledger={key: replace(intent, at=NOW - 120_000)}), planned=waits)
    assert old.cleared == MARKS


@pytest.mark.parametrize(
    ("result", "planned", "seconds"),
    [
        (replace(DONE, images_in=1.0), PLANNED, 1.0),
        (replace(DONE, image_failed=True), PLANNED, 600.0),
        (DONE, replace(PLANNED, wait_until=NOW + 9_000), 9.0),
        (DONE, replace(PLANNED, wait_until=NOW - 9_000), 0.0),
        (replace(DONE, images_in=5.0, image_failed=True), replace(PLANNED, wait_until=NOW + 9_000), 5.0),
    ],
)
def test_whatever_waits_first_says_when_the_event_is_due_again(
    result: ExecutionResult, planned: Planned, seconds: float
) -> None:
    done = settled(result=result, planned=planned)
    assert (done.retry_in, done.failed, done.cleared) == (seconds, False, MARKS)


@pytest.mark.rule("O3", "R6", "G6")
@pytest.mark.parametrize(
    ("request_", "left", "verified"),
    [
        (SyncRequest("r"), set(), {Kind.SESSION}),
        (SyncRequest("r", "agenda"), {"sponsor/p1"}, {Kind.SESSION}),
        (SyncRequest("r", "sponsors"), {"session/s1", "contact/c1"}, {Kind.SESSION}),
        (SyncRequest("r", "agenda", session_ids=("s1",)), set(MARKS), set()),
    ],
)
def test_a_manual_sync_leaves_what_is_outside_of_its_scope_to_the_next_push(
    request_: SyncRequest, left: set[str], verified: set[Kind]
) -> None:
    facts = the_facts(ManualSync(request_), commands={RETRY}, verify_before_create={Kind.SESSION})
    done = settled(facts, planned=replace(PLANNED, verified={Kind.SESSION}))
    assert (MARKS.keys() - done.cleared.keys(), done.verified, done.served) == (left, verified, ASKED)
    assert done.commands_done == ((RETRY,) if request_ == SyncRequest("r") else ())


@pytest.mark.rule("C5")
def test_a_sync_that_comes_again_is_not_served_yet() -> None:
    waits = replace(PLANNED, wait_until=NOW + 9_000)
    assert settled(the_facts(ManualSync(SyncRequest("r"))), planned=waits).served == ()


@pytest.mark.rule("M4", "X1")
@pytest.mark.parametrize(("in_force", "error"), [(True, "Silent."), (False, PAIR_ENDED)])
def test_a_run_that_stopped_because_its_pair_ended_says_so(in_force: bool, error: str) -> None:
    """M4, X1; a run that did all says nothing of it."""
    stopped = settled(result=replace(DONE, error=UnavailableError("Silent.")), at=replace(AT, in_force=in_force))
    assert (stopped.run.error, stopped.run.pair_ended) == (error, not in_force)
    assert not settled(at=replace(AT, in_force=False)).run.pair_ended


IMAGE: Final = SetImage(Kind.SPEAKER, "speaker/c1", "https://cdn.example.org/ada.jpg", {})


@pytest.mark.rule("C4", "G1")
@pytest.mark.parametrize(
    ("cause", "continuous", "result", "outside", "retry", "rest"),
    [
        (ManualSync(SyncRequest("r", "sponsors")), True, DONE, (IMAGE,), None, 5.0),
        (ManualSync(SyncRequest("r", "sponsors")), False, DONE, (IMAGE,), None, None),
        (ManualSync(SyncRequest("r")), True, replace(DONE, images_in=1.0), (), None, 1.0),
        (ManualSync(SyncRequest("r")), False, replace(DONE, images_in=1.0), (), 1.0, None),
        (Changes(), True, replace(DONE, images_in=1.0), (), 1.0, None),
    ],
    ids=["left out", "left out, by hand only", "late", "late, by hand only", "late in changes"],
)
def test_changes_go_on_with_images_that_a_manual_sync_leaves(
    cause: Cause, continuous: bool, result: ExecutionResult, outside: tuple[SetImage, ...], retry: float, rest: float
) -> None:
    """What is outside of its scope may have no mark, and the push has used up the event's due moment."""
    facts = replace(the_facts(cause), mapping=replace(a_mapping(), continuous=continuous))
    done = settled(facts, result, replace(PLANNED, plan=replace(PLANNED.plan, outside=outside)))
    assert (done.retry_in, done.rest_in) == (retry, rest)


@pytest.mark.rule("N2")
@pytest.mark.parametrize(("outside", "stands"), [((IMAGE,), True), ((), False)])
def test_an_issue_of_an_image_stands_while_a_scope_leaves_the_image_out(
    outside: tuple[SetImage, ...], stands: bool
) -> None:
    waiting = Issue("speaker/c1", Code.IMAGE_WAITING, field="photo_url")
    facts = replace(the_facts(ManualSync(SyncRequest("r", "sponsors"))), former={waiting.id: waiting})
    done = settled(facts, planned=replace(PLANNED, plan=replace(PLANNED.plan, outside=outside)))
    assert (waiting.id in done.issues) is stands
