"""Metrics of plans and pushes, and of what they leave."""

from __future__ import annotations

from typing import Final

from consumer.observability.metrics.metric import KINDS, TRIGGER, Metric

_PUSH: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_SIZE: Final = (1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

PUSHES: Final = Metric(
    "pushes_total",
    "pushes",
    "Pushes that ended: completed, completed_with_issues, failed (comes again), lease_lost (another worker took over), "
    "stopped (with the service), broken (a defect of ours).",
    "Failing: the log line push.failed has the reason; `swoogo-sync runs EVENT` too.",
    {**TRIGGER, "outcome": "completed, completed_with_issues, failed, lease_lost, stopped or broken"},
)
PUSH_SECONDS: Final = Metric(
    "push_duration_seconds",
    "seconds",
    "How long a push took, waiting for credits included.",
    "Compare with credits_waited_seconds_total and call_duration_seconds.",
    TRIGGER,
    buckets=_PUSH,
)
PUSHES_RUNNING: Final = Metric(
    "pushes_running",
    "pushes",
    "Pushes in progress in this process.",
    "At SWOOGO_SYNC_PUSH__MAX_EVENTS while events are due: raise it or add replicas.",
)
PLAN_OPERATIONS: Final = Metric(
    "plan_operations",
    "operations",
    "Operations of one kind in a plan that had any.",
    "Many updates again and again: something changes the same records all the time; see the runs of the event.",
    {"operation": "create, adopt, update, link, image or delete"},
    buckets=_SIZE,
)
PUSH_OPERATIONS: Final = Metric(
    "records_synced_total",
    "records",
    "Records that a push created, adopted, updated or deleted in Swoogo, and those it failed for.",
    "Failures: `swoogo-sync issues EVENT` says which and why.",
    {"kind": KINDS, "result": "created, adopted, updated, deleted or failed"},
)
LEFT_OUT: Final = Metric(
    "records_left_out",
    "records",
    "Records that the last plan of each event left out.",
    "Nothing by itself; `swoogo-sync plan EVENT --all` gives the reason of each.",
    {"kind": "session, speaker or sponsor", "reason": "code of the reason"},
    scope="all",
)
ISSUES: Final = Metric(
    "issues",
    "issues",
    "Issues that stand, by code.",
    "`swoogo-sync issues EVENT` names the records and what to do about each.",
    {"code": "code of the issue"},
    scope="all",
)
PARKED: Final = Metric(
    "parked_records",
    "records",
    "Changes that Swoogo refused; they wait until the record changes or a reconcile tries again.",
    "`swoogo-sync issues EVENT` says why; somebody has to correct them in Sessionboard or Swoogo.",
    scope="all",
)
INTENTS_OPEN: Final = Metric(
    "intents_open",
    "records",
    "Creates that were started and not confirmed, those under way included.",
    "Not back to 0 within minutes: pushes of the event fail; nothing is created twice, see its runs.",
    scope="all",
)
DRIFT: Final = Metric(
    "drift_total",
    "findings",
    "What reconciles found changed by people in Swoogo: edited fields, deleted records.",
    "Nothing by itself; `swoogo-sync issues EVENT` names them. Very many deleted at once: ask the event's admins.",
    {"what": "edited or deleted"},
    known=("edited", "deleted"),
)
OLDER_CHANGES: Final = Metric(
    "older_changes_total",
    "records",
    "Records whose last change on Kafka is older than one before it, with another content; the newer one counts.",
    "Many: the publisher sends in the wrong order, or a clock of its is wrong. `swoogo-sync issues EVENT` names them.",
    {"what": "published_later: the newer one is still known; than_pushed: after a loss of Redis, nothing is sent"},
    known=("published_later", "than_pushed"),
)
UNLOGGED: Final = Metric(
    "ledger_unlogged_entries",
    "entries",
    "Ledger entries that are not on the changelog topic yet.",
    "Not back to 0 within minutes: Kafka takes no writes to the ledger topic.",
    scope="all",
)
