"""What the dashboard shows: four questions in flow order, each a row of panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from consumer.observability.metrics import freshness, process, pushing, recording, swoogo, webhooks
from consumer.observability.metrics.metric import Metric


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel.

    Attributes:
        title: the question it answers.
        about: metrics it draws; their meaning and what to do become its description.
        queries: legend and expression of each line; `$scope` stands for the labels that the page's variables choose.
        unit: as Grafana names it.
        kind: a number, or lines over time.
        width: of 24 columns.
        limit: value above which it turns red.
    """

    title: str
    about: tuple[Metric, ...]
    queries: tuple[tuple[str, str], ...]
    unit: str = "short"
    kind: Literal["stat", "timeseries"] = "timeseries"
    width: int = 8
    limit: float | None = None


def _sum(metric: Metric, by: str, where: str = "") -> str:
    return f"sum by ({by}) (rate({metric.name}{{$scope{where}}}[$__rate_interval]))"


def _largest(metric: Metric, by: str = "", where: str = "") -> str:
    group = f" by ({by})" if by else ""
    return f"max{group} ({metric.name}{{$scope{where}}})"


def _quantile(share: float, metric: Metric) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({metric.name}_bucket{{$scope}}[$__rate_interval])))"


ROWS: Final[tuple[tuple[str, tuple[Panel, ...]], ...]] = (
    (
        "Is it fresh?",
        (
            Panel(
                "Late changes, last hour (goal: below 1 %)",
                (freshness.CHANGES,),
                (("late", "max(swoogo_sync:changes_missed:ratio_rate1h{$scope}) or vector(0)"),),
                "percentunit",
                "stat",
                4,
                0.01,
            ),
            Panel(
                "Waiting for a worker",
                (freshness.OLDEST_DUE_AGE,),
                (("oldest", _largest(freshness.OLDEST_DUE_AGE)),),
                "s",
                "stat",
                4,
                120,
            ),
            Panel(
                "Events whose pushes fail",
                (freshness.EVENTS,),
                (("failing", _largest(freshness.EVENTS, where=',state="failing"')),),
                "short",
                "stat",
                4,
                1,
            ),
            Panel(
                "Oldest change not in Swoogo",
                (freshness.OLDEST_UNPUSHED_AGE,),
                (("oldest", _largest(freshness.OLDEST_UNPUSHED_AGE)),),
                "s",
                "stat",
                4,
                900,
            ),
            Panel(
                "Longest without a reconcile",
                (freshness.RECONCILE_AGE,),
                (("age", _largest(freshness.RECONCILE_AGE)),),
                "s",
                "stat",
                4,
                10_800,
            ),
            Panel(
                "Replicas",
                (process.BUILD,),
                (("{{version}} {{role}}", f"count by (version, role) ({process.BUILD.name}{{$scope}})"),),
                "short",
                "stat",
                4,
            ),
            Panel(
                "From a change to Swoogo",
                (freshness.CHANGE_TO_SWOOGO, freshness.FRESHNESS_TARGET),
                (
                    ("half", _quantile(0.5, freshness.CHANGE_TO_SWOOGO)),
                    ("99 %", _quantile(0.99, freshness.CHANGE_TO_SWOOGO)),
                    ("goal", _largest(freshness.FRESHNESS_TARGET)),
                ),
                "s",
                width=12,
            ),
            Panel(
                "Changes in Swoogo, by the goal",
                (freshness.CHANGES,),
                (("{{slo}}", _sum(freshness.CHANGES, "slo")),),
                "ops",
                width=12,
            ),
        ),
    ),
    (
        "Where does it wait?",
        (
            Panel(
                "Records not read yet",
                (recording.CONSUMER_LAG, recording.HELD_BACK),
                (
                    ("{{topic}}", "max by (topic) (swoogo_sync:consumer_lag_records:max{$scope})"),
                    ("{{topic}}, in an open transaction", _largest(recording.HELD_BACK, "topic")),
                ),
            ),
            Panel(
                "Records read",
                (recording.RECORDS,),
                (("{{topic}} {{result}}", _sum(recording.RECORDS, "topic, result")),),
                "ops",
            ),
            Panel(
                "Held back by an open transaction",
                (recording.HELD_BACK_SECONDS,),
                (("{{topic}}", _largest(recording.HELD_BACK_SECONDS, "topic")),),
                "s",
            ),
            Panel(
                "Due and not worked on",
                (freshness.DUE, freshness.CHANGES_WAITING),
                (
                    ("{{subject}}", _largest(freshness.DUE, "subject")),
                    ("changes", _largest(freshness.CHANGES_WAITING)),
                ),
            ),
            Panel(
                "Pushes running",
                (pushing.PUSHES_RUNNING,),
                (("{{pod}}{{instance}}", f"sum by (pod, instance) ({pushing.PUSHES_RUNNING.name}{{$scope}})"),),
            ),
            Panel(
                "Push, 99 %",
                (pushing.PUSH_SECONDS,),
                (("99 %", _quantile(0.99, pushing.PUSH_SECONDS)), ("half", _quantile(0.5, pushing.PUSH_SECONDS))),
                "s",
            ),
            Panel(
                "Waited for credits (seconds a second)",
                (swoogo.CREDITS_WAITED,),
                (("{{credential}}", _sum(swoogo.CREDITS_WAITED, "credential")),),
            ),
        ),
    ),
    (
        "What fails?",
        (
            Panel(
                "Calls by outcome",
                (swoogo.CALLS,),
                (("{{outcome}}", _sum(swoogo.CALLS, "outcome")),),
                "ops",
            ),
            Panel(
                "Pushes by outcome",
                (pushing.PUSHES,),
                (("{{outcome}}", _sum(pushing.PUSHES, "outcome")),),
                "ops",
            ),
            Panel(
                "Batches that failed",
                (recording.RECORD_BATCHES,),
                (("{{topic}}", _sum(recording.RECORD_BATCHES, "topic", ',outcome="failed"')),),
                "ops",
            ),
            Panel(
                "Dead letters",
                (recording.DEAD_LETTERS,),
                (
                    (
                        "{{topic}} {{reason}}",
                        f"sum by (topic, reason) (increase({recording.DEAD_LETTERS.name}{{$scope}}[1h]))",
                    ),
                ),
            ),
            Panel(
                "Dead letters that are open",
                (recording.OPEN_LETTERS,),
                (("{{topic}}", _largest(recording.OPEN_LETTERS, "topic")),),
                limit=1,
            ),
            Panel(
                "Published in the wrong order",
                (pushing.OLDER_CHANGES,),
                (("{{what}}", f"sum by (what) (increase({pushing.OLDER_CHANGES.name}{{$scope}}[1h]))"),),
            ),
            Panel("Issues that stand", (pushing.ISSUES,), (("{{code}}", _largest(pushing.ISSUES, "code")),)),
            Panel(
                "Parked, creates open, not on the changelog",
                (pushing.PARKED, pushing.INTENTS_OPEN, pushing.UNLOGGED),
                (
                    ("parked", _largest(pushing.PARKED)),
                    ("creates open", _largest(pushing.INTENTS_OPEN)),
                    ("not on the changelog", _largest(pushing.UNLOGGED)),
                ),
            ),
            Panel(
                "Checks of the probes that fail",
                (process.PROBE_FAILING,),
                (("{{probe}} {{check}}", f"{_largest(process.PROBE_FAILING, 'probe, check')} > 0"),),
            ),
            Panel(
                "Circuits and refused answers",
                (swoogo.CIRCUIT_STATE, swoogo.THROTTLED),
                (
                    ("{{credential}}", _largest(swoogo.CIRCUIT_STATE, "credential")),
                    ("429 {{credential}}", _sum(swoogo.THROTTLED, "credential")),
                ),
            ),
            Panel(
                "Ledger read back",
                (process.REBUILDING, process.REBUILD_PROGRESS),
                (("progress", _largest(process.REBUILD_PROGRESS)), ("running", _largest(process.REBUILDING))),
                "percentunit",
            ),
        ),
    ),
    (
        "What does it cost?",
        (
            Panel(
                "Credits left",
                (swoogo.CREDITS_LEFT,),
                (("{{credential}}", f"min by (credential) ({swoogo.CREDITS_LEFT.name}{{$scope}})"),),
            ),
            Panel(
                "Credits spent in ten minutes",
                (swoogo.CREDITS_SPENT,),
                (("{{trigger}}", f"sum by (trigger) (increase({swoogo.CREDITS_SPENT.name}{{$scope}}[10m]))"),),
            ),
            Panel(
                "Records by result",
                (pushing.PUSH_OPERATIONS,),
                (("{{result}}", _sum(pushing.PUSH_OPERATIONS, "result")),),
                "ops",
            ),
            Panel(
                "Operations in a plan, 99 %",
                (pushing.PLAN_OPERATIONS,),
                (("99 %", _quantile(0.99, pushing.PLAN_OPERATIONS)),),
            ),
            Panel("A call, 99 %", (swoogo.CALL_SECONDS,), (("99 %", _quantile(0.99, swoogo.CALL_SECONDS)),), "s"),
            Panel(
                "Edited or deleted by people in Swoogo",
                (pushing.DRIFT,),
                (("{{what}}", f"sum by (what) (increase({pushing.DRIFT.name}{{$scope}}[1h]))"),),
            ),
            Panel(
                "Swoogo's webhooks",
                (webhooks.WEBHOOK_DELIVERIES, webhooks.WEBHOOK_REJECTED, webhooks.WEBHOOK_LAG),
                (
                    ("{{outcome}}", _sum(webhooks.WEBHOOK_DELIVERIES, "outcome")),
                    ("rejected: {{reason}}", _sum(webhooks.WEBHOOK_REJECTED, "reason")),
                    ("seconds until looked at, 99 %", _quantile(0.99, webhooks.WEBHOOK_LAG)),
                ),
            ),
            Panel(
                "Event loop and figures",
                (process.LOOP_LAG, process.LOOK_AGE),
                (
                    ("longest hold-up", _largest(process.LOOP_LAG)),
                    ("age of {{source}}", _largest(process.LOOK_AGE, "source")),
                ),
                "s",
            ),
            Panel(
                "Memory",
                (),
                (
                    (
                        "{{pod}}{{instance}}",
                        'sum by (pod, instance) (process_resident_memory_bytes{$scope,job=~"$job"})',
                    ),
                ),
                "bytes",
            ),
            Panel(
                "Processor",
                (),
                (
                    (
                        "{{pod}}{{instance}}",
                        'sum by (pod, instance) (rate(process_cpu_seconds_total{$scope,job=~"$job"}[5m]))',
                    ),
                ),
            ),
        ),
    ),
)
