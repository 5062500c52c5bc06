"""Every metric of the service, declared once: name, type, unit, labels, what it means and what to do about it.

The site's page of metrics is generated from here (`tools.metrics_docs`), and dashboards and alerts
are tested against it. Labels are bounded: topics, credentials (by the first digits of their hash, `OTHER` beyond so
many), and words that are listed here or in the domain. Never an event, a record, a person or a secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, Literal

PREFIX: Final = "swoogo_sync_"
OTHER: Final = "other"
"""Stands for every credential beyond those that have a series of their own."""

_FRESHNESS: Final = (1.0, 2, 5, 10, 15, 20, 30, 45, 60, 70, 90, 120, 180, 300, 600, 1800, 3600, 14_400)
"""Fine around the default goal of 70 seconds: a quiet period of 10 and 60 more."""
_CALL: Final = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2.5, 5, 10, 20)
_PUSH: Final = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600)
_SIZE: Final = (1.0, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)

Type = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        short: its name without the prefix; a counter's ends in `_total`.
        unit: what is counted or measured.
        meaning: one sentence.
        action: what to do when it is not as it should be.
        labels: label -> what its values are.
        known: values of the only label that exist from the start with 0, so that a rate sees the first one.
        buckets: upper bounds, of a histogram.
        scope: whether each process reports its own share (`process`: add them up) or all report the same (`all`: take
            the largest).
    """

    short: str
    unit: str
    meaning: str
    action: str
    labels: Mapping[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    scope: Literal["process", "all"] = "process"

    @property
    def name(self) -> str:
        """As it is scraped."""
        return PREFIX + self.short

    @property
    def type(self) -> Type:
        """As Prometheus has it."""
        return "counter" if self.short.endswith("_total") else "histogram" if self.buckets else "gauge"


_TOPIC: Final = {"topic": "an input topic"}
_CREDENTIAL: Final = {"credential": "first 8 digits of the hash of a consumer key"}
_TRIGGER: Final = {"trigger": "manual, changes or reconcile"}
_KINDS: Final = "session, speaker, sponsor, location, track or level"

# --- Is it fresh?
CHANGE_TO_SWOOGO: Final = Metric(
    "change_to_swoogo_seconds",
    "seconds",
    "Time from a change in Sessionboard (its own timestamp) until Swoogo confirmed it, waiting for credits included.",
    "Look at the oldest due age and the consumer lag for where changes wait, then at calls and credits.",
    {"kind": _KINDS},
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
    "Events: known (anything recorded), continuous (synced by themselves) and failing (their last push failed).",
    "Any failing for long: `swoogo-sync status` names them.",
    {"state": "known, continuous or failing"},
    scope="all",
)
RECONCILE_AGE: Final = Metric(
    "reconcile_age_seconds",
    "seconds",
    "Time since the last reconcile of the continuously synced event for which it is longest ago.",
    "More than twice SWOOGO_SYNC_RECONCILE__INTERVAL: too few credits for so many events, or pushes that fail.",
    scope="all",
)

# --- Record
CONSUMER_LAG: Final = Metric(
    "consumer_lag_records",
    "records",
    "Records of a topic behind the committed offsets of the consumer group.",
    "Growing: look at /livez of each replica, then at record_batches_total and at Redis.",
    _TOPIC,
    scope="all",
)
HELD_BACK: Final = Metric(
    "consumer_held_back_records",
    "records",
    "Records of a topic that cannot be read yet: they lie after the start of a producer's open transaction.",
    "Look at consumer_held_back_seconds.",
    _TOPIC,
    scope="all",
)
HELD_BACK_SECONDS: Final = Metric(
    "consumer_held_back_seconds",
    "seconds",
    "How long the same open transaction has held records of a topic back; as long as this process has seen it.",
    "More than 15 minutes, the broker's transaction.max.timeout.ms: the transaction hangs; see the runbook.",
    _TOPIC,
    scope="all",
)
RECORDS: Final = Metric(
    "records_total",
    "records",
    "Records read from Kafka: news, known (old, or superseded in its batch), ignored (not for this service), dead.",
    "Dead ones: see dead_letters_total.",
    {**_TOPIC, "result": "news, known, ignored or dead"},
)
RECORD_BATCHES: Final = Metric(
    "record_batches_total",
    "batches",
    "Batches from Kafka: recorded, or failed and read again.",
    "Failures: the log line record.waiting or record.broken says why; most often Redis does not answer.",
    {**_TOPIC, "outcome": "recorded or failed"},
)
DEAD_LETTERS: Final = Metric(
    "dead_letters_total",
    "records",
    "Undecodable records, sent to the dead-letter topic.",
    "Read them there; headers say where they came from and why. Tell the publisher of the topic.",
    {**_TOPIC, "reason": "code of the reason, see for-publishers.md"},
)
OPEN_LETTERS: Final = Metric(
    "dead_letters_open",
    "records",
    "Dead letters that were neither replayed nor discarded, whichever process wrote them and however long ago.",
    "`swoogo-sync dlq list` says what each needs; what they hold is not in Swoogo.",
    _TOPIC,
    scope="all",
)

# --- Webhooks
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
    buckets=_CALL,
)

# --- Plan and push
PUSHES: Final = Metric(
    "pushes_total",
    "pushes",
    "Pushes that ended: completed, completed_with_issues, failed (comes again), lease_lost (another worker took over), "
    "stopped (with the service), broken (a defect of ours).",
    "Failing: the log line push.failed has the reason; `swoogo-sync runs EVENT` too.",
    {**_TRIGGER, "outcome": "completed, completed_with_issues, failed, lease_lost, stopped or broken"},
)
PUSH_SECONDS: Final = Metric(
    "push_duration_seconds",
    "seconds",
    "How long a push took, waiting for credits included.",
    "Compare with credits_waited_seconds_total and call_duration_seconds.",
    _TRIGGER,
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
    {"kind": _KINDS, "result": "created, adopted, updated, deleted or failed"},
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

# --- Swoogo
CALLS: Final = Metric(
    "calls_total",
    "calls",
    "What was asked of Swoogo and what came of it; a call repeated after a blip or a 429 counts once.",
    "unavailable: look whether Swoogo is down; refused: see issues; credential: see the status topic.",
    {
        "operation": "create, update, link, unlink, upload, delete, list, survey or look",
        "kind": _KINDS + " or event",
        "outcome": "applied, refused, missing, unanswered, unavailable, credential, lease_lost, stopped or broken",
    },
)
CALL_SECONDS: Final = Metric(
    "call_duration_seconds",
    "seconds",
    "How long a call took with its repeats, without the time waited for credits.",
    "Slower than usual: Swoogo is; pushes take longer, nothing else happens.",
    {"operation": "as of calls_total"},
    buckets=_CALL,
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
    {**_CREDENTIAL, **_TRIGGER},
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

# --- The process
PROBE_FAILING: Final = Metric(
    "probe_failing",
    "0 or 1",
    "1 while a check of a probe finds something wrong.",
    "GET /livez or /readyz says what in words.",
    {"probe": "live, ready or startup", "check": "name of the check"},
)
LOOP_LAG: Final = Metric(
    "event_loop_lag_seconds",
    "seconds",
    "The longest that the event loop kept a timer waiting since the last scrape, at most a minute back.",
    "Above a second: the process has too little CPU; above the heartbeat, Kafka takes its partitions away.",
)
CLOCK_JUMPS: Final = Metric(
    "redis_clock_jumps_total",
    "jumps",
    "How often the clock of the Redis server was set by 5 seconds or more, also by a failover, as this process saw it.",
    "The service copes; give the Redis servers one time (chrony). Forward: calls pause for some minutes.",
    {"direction": "back or forward"},
    known=("back", "forward"),
)
TASKS: Final = Metric(
    "event_loop_tasks",
    "tasks",
    "Tasks of the event loop that are not over; some dozens, and a few more for each push that runs.",
    "Grows for hours while `pushes_running` does not: a leak. Note the version, take the log, restart the process.",
)
DISPATCHER_AGE: Final = Metric(
    "dispatcher_turn_age_seconds",
    "seconds",
    "Time since the dispatcher last looked for work.",
    "Above 30 /livez is red and the process is restarted.",
)
REBUILDING: Final = Metric(
    "ledger_rebuild_running",
    "0 or 1",
    "1 while the ledger is being rebuilt from its changelog; nothing is pushed meanwhile.",
    "See the runbook for a lost Redis.",
    scope="all",
)
REBUILD_PROGRESS: Final = Metric(
    "ledger_rebuild_progress_ratio",
    "share",
    "Share of the changelog that the rebuild in progress has read, 0 to 1; 1 when none is.",
    "Not growing: look whether Kafka answers.",
    scope="all",
)
LOG_LINES_SUPPRESSED: Final = Metric(
    "log_lines_suppressed_total",
    "lines",
    "Log lines held back because the same line had been written a moment before.",
    "Nothing by itself; many mean an outage that logs in storms.",
)
LOOK_AGE: Final = Metric(
    "figures_age_seconds",
    "seconds",
    "Age of the figures that are read from Redis and Kafka for this scrape.",
    "Above a minute: that server does not answer, and the gauges beside it are old.",
    {"source": "redis, due, events, credits, circuits, letters or kafka"},
)
BUILD: Final = Metric(
    "build_info",
    "always 1",
    "What runs.",
    "Two versions for long: a rollout stands still.",
    {"version": "of swoogo-sync", "python": "version", "role": "all, ingest, sync or webhooks"},
)

CATALOGUE: Final = tuple(each for each in tuple(globals().values()) if isinstance(each, Metric))
"""All of the above, in that order."""
_FIRST: Final = {
    "Is it fresh?": CHANGE_TO_SWOOGO,
    "Record": CONSUMER_LAG,
    "Webhooks": WEBHOOK_DELIVERIES,
    "Plan and push": PUSHES,
    "Swoogo": CALLS,
    "The process": PROBE_FAILING,
}
_STARTS: Final = [*map(CATALOGUE.index, _FIRST.values()), len(CATALOGUE)]
SECTIONS: Final[Mapping[str, tuple[Metric, ...]]] = {
    title: CATALOGUE[start:end] for title, (start, end) in zip(_FIRST, pairwise(_STARTS), strict=True)
}
