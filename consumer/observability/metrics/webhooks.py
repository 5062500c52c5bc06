"""Metrics of Swoogo's webhooks, as the service receives them."""

from __future__ import annotations

from typing import Final

from consumer.observability.metrics.metric import CALL_BUCKETS, Metric

WEBHOOK_DELIVERIES: Final = Metric(
    "webhook_deliveries_total",
    "deliveries",
    "Deliveries of Swoogo's webhooks: accepted, known (came before), unmapped (of an event that is not mapped) or "
    "ignored (nothing of ours, or our own call).",
    "None for days while people edit in Swoogo: see the runbook of webhooks. Reconciles find everything all the same.",
    {"outcome": "accepted, known, unmapped or ignored"},
    known=("accepted", "known", "unmapped", "ignored"),
)
WEBHOOK_REJECTED: Final = Metric(
    "webhook_rejected_total",
    "requests",
    "Requests that were not taken: secret (401), rate (429), size (413), slow (408), unusable (400), redis (503).",
    "Many with secret: somebody guesses, or a rotation left a secret behind. See the runbook of webhooks.",
    {"reason": "secret, rate, size, slow, unusable or redis"},
    known=("secret", "rate", "size", "slow", "unusable", "redis"),
)
WEBHOOK_LAG: Final = Metric(
    "webhook_lag_seconds",
    "seconds",
    "Time from a delivery until what it said was looked at, and drift or a deletion noted.",
    "Above 30: look at the oldest due age, then at calls and credits.",
    buckets=CALL_BUCKETS,
)
