"""Runs and verdicts as the status topic says them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from consumer.adapters.kafka.status_messages import sync_message, verdict_message
from consumer.domain.connections.connection import Announcement, RejectionCode
from consumer.domain.push.run import PAIR_ENDED, Run, Tally, Trigger
from consumer.domain.records.identity import Kind
from schemas.status import StatusMessage
from tests.support.builders import EVENT, NOW, ORG, SWOOGO_EVENT

WHEN: Final = datetime.fromtimestamp(NOW / 1000, UTC)


def as_json(message: StatusMessage) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(message.encode())
    return value


def a_run(*, ended: int = 0, outcome: str = "completed", error: str = "") -> Run:
    run = Run("run-1", EVENT, Trigger.MANUAL, NOW, ended=ended, outcome=outcome, error=error)
    run.org_id, run.swoogo_event_id = ORG, SWOOGO_EVENT
    run.credits = 12
    run.issues = {"missing_field": 2}
    run.tallies = {
        Kind.SESSION: Tally(created=3, updated=2, unchanged=10, left_out=4, failed=1),
        Kind.SPEAKER: Tally(created=1, adopted=2),
        Kind.LOCATION: Tally(created=5),
    }
    return run


@pytest.mark.rule("N1")
def test_a_sync_that_starts_says_so() -> None:
    """Keyed by event, with what it is about to do and nothing of what it has done."""
    said = as_json(sync_message(a_run(), WHEN))
    assert said["metadata"]["action"] == "sync.started"
    assert (said["metadata"]["event_id"], said["metadata"]["org_id"]) == (EVENT, ORG)
    assert said["data"]["run_id"] == "run-1"
    assert (said["data"]["trigger"], said["data"]["scope"]) == ("manual", "all")
    assert said["data"]["swoogo_event_id"] == SWOOGO_EVENT
    assert "credits" not in said["data"]


@pytest.mark.rule("N1")
def test_a_sync_on_its_way_says_how_far_it_is_and_when_it_should_be_done() -> None:
    """Calls, credits and counts so far; the estimate is a moment, and null while there is none."""
    run = a_run()
    run.planned_calls, run.credits_left, run.eta = 40, 1_200, NOW + 90_000
    begun = as_json(sync_message(run, WHEN))
    assert begun["metadata"]["action"] == "sync.started"
    assert [begun["data"][name] for name in ("planned_calls", "done_calls", "credits_left")] == [40, 0, 1_200]
    assert datetime.fromisoformat(begun["data"]["eta"]).timestamp() * 1000 == NOW + 90_000
    run.done_calls = 7
    said = as_json(sync_message(run, WHEN))
    assert said["metadata"]["action"] == "sync.progress"
    assert (said["data"]["done_calls"], said["data"]["credits"]) == (7, 12)
    assert (said["data"]["sessions"]["attempted"], said["data"]["sessions"]["synced"]) == (6, 5)
    run.eta = 0
    assert as_json(sync_message(run, WHEN))["data"]["eta"] is None


@pytest.mark.rule("N1", "N2")
@pytest.mark.parametrize("outcome", ["completed", "completed_with_issues"])
def test_a_sync_that_ends_says_what_was_attempted_and_what_was_synced(outcome: str) -> None:
    """Sessions, speakers and sponsors; rooms and tracks are not counted among them."""
    said = as_json(sync_message(a_run(ended=NOW + 1500, outcome=outcome), WHEN))
    data = said["data"]
    assert said["metadata"]["action"] == "sync.completed"
    assert (data["duration_ms"], data["credits"], data["issues"]) == (1500, 12, {"missing_field": 2})
    assert (data["sessions"]["attempted"], data["sessions"]["synced"]) == (6, 5)
    assert (data["sessions"]["unchanged"], data["sessions"]["left_out"], data["sessions"]["failed"]) == (10, 4, 1)
    assert (data["speakers"]["attempted"], data["speakers"]["adopted"]) == (3, 2)
    assert data["sponsors"]["attempted"] == 0


@pytest.mark.rule("N1")
def test_a_sync_that_failed_says_why_and_that_it_is_tried_again() -> None:
    """One sentence for a person."""
    run = a_run(ended=NOW + 1, outcome="failed", error="Swoogo did not answer.")
    said = as_json(sync_message(run, WHEN))
    assert said["metadata"]["action"] == "sync.failed"
    assert said["data"]["code"] == "postponed"
    assert said["data"]["sentence"] == "Swoogo did not answer. The sync is tried again by itself."
    assert said["data"]["sessions"]["failed"] == 1


@pytest.mark.rule("M4", "X1", "N1")
def test_a_sync_whose_pair_ended_says_so_and_promises_no_other_try() -> None:
    """The same end as any sync that stopped early, under a code of its own."""
    run = a_run(ended=NOW + 1, outcome="failed", error=PAIR_ENDED)
    run.pair_ended = True
    said = as_json(sync_message(run, WHEN))
    assert (said["metadata"]["action"], said["data"]["code"]) == ("sync.failed", "pair_ended")
    assert "tried again" not in said["data"]["sentence"]


@pytest.mark.rule("M2", "M6")
@pytest.mark.parametrize(
    ("code", "told"), [(RejectionCode.EVENT_ALREADY_MAPPED.value, "event_already_mapped"), ("", "accepted")]
)
def test_a_verdict_about_a_pair_names_both_events(code: str, told: str) -> None:
    """The code of a refusal, or that it was accepted."""
    action = "mapping.rejected" if code else "mapping.accepted"
    said = as_json(verdict_message(Announcement(action, ORG, "A sentence.", code, EVENT, SWOOGO_EVENT), WHEN))
    assert said["metadata"]["action"] == action
    assert said["metadata"]["event_id"] == EVENT
    assert said["data"]["code"] == told
    assert (said["data"]["sentence"], said["data"]["swoogo_event_id"]) == ("A sentence.", SWOOGO_EVENT)


@pytest.mark.rule("C3")
def test_a_verdict_about_an_integration_belongs_to_the_organization() -> None:
    """It is about no event."""
    announcement = Announcement("integration.rejected", ORG, "Refused.", "credentials_refused")
    said = as_json(verdict_message(announcement, WHEN))
    assert (said["metadata"]["event_id"], said["metadata"]["org_id"]) == (None, ORG)
    assert (said["data"]["org_id"], said["data"]["code"]) == (ORG, "credentials_refused")
