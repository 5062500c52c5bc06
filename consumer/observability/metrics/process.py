"""Metrics of a process: its loop, its clock, its rebuild, its log."""

from __future__ import annotations

from typing import Final

from consumer.observability.metrics.metric import Metric

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
    "Above a minute: that server does not answer, or (events) no replica has the housekeeping; these gauges are old.",
    {"source": "redis, events, credits, circuits, letters or kafka"},
)
BUILD: Final = Metric(
    "build_info",
    "always 1",
    "What runs.",
    "Two versions for long: a rollout stands still.",
    {"version": "of swoogo-sync", "python": "version", "role": "all, ingest, sync or webhooks"},
)
