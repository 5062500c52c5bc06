"""Metrics of the calls to Swoogo, their credits and circuits."""

from __future__ import annotations

from typing import Final

from consumer.observability.metrics.metric import CALL_BUCKETS, KINDS, TRIGGER, Metric

_CREDENTIAL: Final = {"credential": "first 8 digits of the hash of a consumer key"}

CALLS: Final = Metric(
    "calls_total",
    "calls",
    "What was asked of Swoogo and what came of it; a call repeated after a blip or a 429 counts once.",
    "unavailable: look whether Swoogo is down; refused: see issues; credential: see the status topic.",
    {
        "operation": "create, update, link, unlink, upload, delete, list, survey or look",
        "kind": KINDS + " or event",
        "outcome": "applied, refused, missing, unanswered, unavailable, credential, lease_lost, stopped or broken",
    },
)
CALL_SECONDS: Final = Metric(
    "call_duration_seconds",
    "seconds",
    "How long a call took with its repeats, without the time waited for credits.",
    "Slower than usual: Swoogo is; pushes take longer, nothing else happens.",
    {"operation": "as of calls_total"},
    buckets=CALL_BUCKETS,
)
CREDITS_LEFT: Final = Metric(
    "credits_left",
    "credits",
    "Credits that a credential could spend now, without the reserve. Only credentials this process used lately.",
    "Near 0 for long: fewer events or reconciles per credential, or a higher limit agreed with Swoogo.",
    _CREDENTIAL,
    scope="all",
)
CREDITS_SPENT: Final = Metric(
    "credits_spent_total",
    "credits",
    "Credits taken, those given back (429, nothing sent) not counted.",
    "Mostly reconcile: lower SWOOGO_SYNC_RECONCILE__SHARE or lengthen its interval.",
    {**_CREDENTIAL, **TRIGGER},
)
CREDITS_WAITED: Final = Metric(
    "credits_waited_seconds_total",
    "seconds",
    "Time pushes waited for credits: of the calls of a push that wait side by side the longest counts.",
    "As credits_left.",
    _CREDENTIAL,
)
THROTTLED: Final = Metric(
    "throttled_total",
    "answers",
    "429 answers: Swoogo counted more than we did.",
    "Something else uses the same credential, or the limit is lower than SWOOGO_SYNC_SWOOGO__CREDIT_LIMIT.",
    _CREDENTIAL,
)
CIRCUIT_STATE: Final = Metric(
    "circuit_state",
    "state",
    "Circuit of a credential: 0 closed (calls go out), 1 trying one call, 2 open (calls wait).",
    "Open: Swoogo fails for this credential; it closes by itself after a call that works.",
    _CREDENTIAL,
)
