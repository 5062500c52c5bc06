"""Metrics that say how fresh Swoogo is, and what waits."""

from __future__ import annotations

from typing import Final

from consumer.observability.metrics.metric import KINDS, Metric

_FRESHNESS: Final = (1.0, 2, 5, 10, 15, 20, 30, 45, 60, 70, 90, 120, 180, 300, 600, 1800, 3600, 14_400)
"""Fine around the default goal of 70 seconds: a quiet period of 10 and 60 more."""

CHANGE_TO_SWOOGO: Final = Metric(
    "change_to_swoogo_seconds",
    "seconds",
    "Time from a change in Sessionboard (its own timestamp) until Swoogo confirmed it, waiting for credits included.",
    "Look at the oldest due age and the consumer lag for where changes wait, then at calls and credits.",
    {"kind": KINDS},
    buckets=_FRESHNESS,
)
CHANGES: Final = Metric(
    "changes_total",
    "changes",
    "Changes that reached Swoogo, by the goal: met (within quiet period + 60 s), no_credits (late, but not without the "
    "time waited for credits) or missed.",
    "Share of missed above 1 %: see the runbook of the freshness alert.",
    {"slo": "met, missed or no_credits"},
    known=("met", "missed", "no_credits"),
)
FRESHNESS_TARGET: Final = Metric(
    "freshness_target_seconds",
    "seconds",
    "The goal of changes_total: the quiet period and 60 seconds.",
    "Nothing; it draws the line in a chart.",
    scope="all",
)
OLDEST_DUE_AGE: Final = Metric(
    "oldest_due_age_seconds",
    "seconds",
    "For how long the event or organization that waits longest has been due without a worker; 0 when none is.",
    "Growing: no worker has a free place. Look whether pushes wait for credits, then add replicas.",
    {"subject": "event or org"},
    scope="all",
)
DUE: Final = Metric(
    "due_subjects",
    "events and organizations",
    "How many are due now and not being worked on.",
    "As oldest_due_age_seconds.",
    {"subject": "event or org"},
    scope="all",
)
OLDEST_UNPUSHED_AGE: Final = Metric(
    "oldest_unpushed_change_age_seconds",
    "seconds",
    "Age of the oldest change of a continuously synced event that no push has dealt with; failing events count.",
    "`swoogo-sync status` names the event; `swoogo-sync runs EVENT` why its pushes fail.",
    scope="all",
)
CHANGES_WAITING: Final = Metric(
    "changes_waiting",
    "changes",
    "Recorded changes of continuously synced events that no push has dealt with.",
    "Only growing: as oldest_due_age_seconds.",
    scope="all",
)
EVENTS: Final = Metric(
    "events",
    "events",
    "Events: known (anything recorded), continuous (synced by themselves), failing (their last push failed), archived.",
    "Any failing for long: `swoogo-sync status` names them.",
    {"state": "known, continuous, failing or archived"},
    scope="all",
)
RECONCILE_AGE: Final = Metric(
    "reconcile_age_seconds",
    "seconds",
    "Time since the last reconcile of the continuously synced event for which it is longest ago.",
    "More than twice SWOOGO_SYNC_RECONCILE__INTERVAL: too few credits for so many events, or pushes that fail.",
    scope="all",
)
