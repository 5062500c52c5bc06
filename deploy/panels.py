"""What the dashboard shows: four questions in flow order, each a row of panels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from consumer.observability import metrics
from consumer.observability.metrics import Metric


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
                (metrics.CHANGES,),
                (("late", "max(swoogo_sync:changes_missed:ratio_rate1h{$scope}) or vector(0)"),),
                "percentunit",
                "stat",
                4,
                0.01,
            ),
            Panel(
                "Waiting for a worker",
                (metrics.OLDEST_DUE_AGE,),
                (("oldest", _largest(metrics.OLDEST_DUE_AGE)),),
                "s",
                "stat",
                4,
                120,
            ),
            Panel(
                "Events whose pushes fail",
                (metrics.EVENTS,),
                (("failing", _largest(metrics.EVENTS, where=',state="failing"')),),
                "short",
                "stat",
                4,
                1,
            ),
            Panel(
                "Oldest change not in Swoogo",
                (metrics.OLDEST_UNPUSHED_AGE,),
                (("oldest", _largest(metrics.OLDEST_UNPUSHED_AGE)),),
                "s",
                "stat",
                4,
                900,
            ),
            Panel(
                "Longest without a reconcile",
                (metrics.RECONCILE_AGE,),
                (("age", _largest(metrics.RECONCILE_AGE)),),
                "s",
                "stat",
                4,
                10_800,
            ),
            Panel(
                "Replicas",
                (metrics.BUILD,),
                (("{{version}} {{role}}", f"count by (version, role) ({metrics.BUILD.name}{{$scope}})"),),
                "short",
                "stat",
                4,
            ),
            Panel(
                "From a change to Swoogo",
                (metrics.CHANGE_TO_SWOOGO, metrics.FRESHNESS_TARGET),
                (
                    ("half", _quantile(0.5, metrics.CHANGE_TO_SWOOGO)),
                    ("99 %", _quantile(0.99, metrics.CHANGE_TO_SWOOGO)),
                    ("goal", _largest(metrics.FRESHNESS_TARGET)),
                ),
                "s",
                width=12,
            ),
            Panel(
                "Changes in Swoogo, by the goal",
                (metrics.CHANGES,),
                (("{{slo}}", _sum(metrics.CHANGES, "slo")),),
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
                (metrics.CONSUMER_LAG, metrics.HELD_BACK),
                (
                    ("{{topic}}", "max by (topic) (swoogo_sync:consumer_lag_records:max{$scope})"),
                    ("{{topic}}, in an open transaction", _largest(metrics.HELD_BACK, "topic")),
                ),
            ),
            Panel(
                "Records read",
                (metrics.RECORDS,),
                (("{{topic}} {{result}}", _sum(metrics.RECORDS, "topic, result")),),
                "ops",
            ),
            Panel(
                "Held back by an open transaction",
                (metrics.HELD_BACK_SECONDS,),
                (("{{topic}}", _largest(metrics.HELD_BACK_SECONDS, "topic")),),
                "s",
            ),
            Panel(
                "Due and not worked on",
                (metrics.DUE, metrics.CHANGES_WAITING),
                (
                    ("{{subject}}", _largest(metrics.DUE, "subject")),
                    ("changes", _largest(metrics.CHANGES_WAITING)),
                ),
            ),
            Panel(
                "Pushes running",
                (metrics.PUSHES_RUNNING,),
                (("{{pod}}{{instance}}", f"sum by (pod, instance) ({metrics.PUSHES_RUNNING.name}{{$scope}})"),),
            ),
            Panel(
                "Push, 99 %",
                (metrics.PUSH_SECONDS,),
                (("99 %", _quantile(0.99, metrics.PUSH_SECONDS)), ("half", _quantile(0.5, metrics.PUSH_SECONDS))),
                "s",
            ),
            Panel(
                "Waited for credits (seconds a second)",
                (metrics.CREDITS_WAITED,),
                (("{{credential}}", _sum(metrics.CREDITS_WAITED, "credential")),),
            ),
        ),
    ),
    (
        "What fails?",
        (
            Panel(
                "Calls by outcome",
                (metrics.CALLS,),
                (("{{outcome}}", _sum(metrics.CALLS, "outcome")),),
                "ops",
            ),
            Panel(
                "Pushes by outcome",
                (metrics.PUSHES,),
                (("{{outcome}}", _sum(metrics.PUSHES, "outcome")),),
                "ops",
            ),
            Panel(
                "Batches that failed",
                (metrics.RECORD_BATCHES,),
                (("{{topic}}", _sum(metrics.RECORD_BATCHES, "topic", ',outcome="failed"')),),
                "ops",
            ),
            Panel(
                "Dead letters",
                (metrics.DEAD_LETTERS,),
                (
                    (
                        "{{topic}} {{reason}}",
                        f"sum by (topic, reason) (increase({metrics.DEAD_LETTERS.name}{{$scope}}[1h]))",
                    ),
                ),
            ),
            Panel(
                "Dead letters that are open",
                (metrics.OPEN_LETTERS,),
                (("{{topic}}", _largest(metrics.OPEN_LETTERS, "topic")),),
                limit=1,
            ),
            Panel(
                "Published in the wrong order",
                (metrics.OLDER_CHANGES,),
                (("{{what}}", f"sum by (what) (increase({metrics.OLDER_CHANGES.name}{{$scope}}[1h]))"),),
            ),
            Panel("Issues that stand", (metrics.ISSUES,), (("{{code}}", _largest(metrics.ISSUES, "code")),)),
            Panel(
                "Parked, creates open, not on the changelog",
                (metrics.PARKED, metrics.INTENTS_OPEN, metrics.UNLOGGED),
                (
                    ("parked", _largest(metrics.PARKED)),
                    ("creates open", _largest(metrics.INTENTS_OPEN)),
                    ("not on the changelog", _largest(metrics.UNLOGGED)),
                ),
            ),
            Panel(
                "Checks of the probes that fail",
                (metrics.PROBE_FAILING,),
                (("{{probe}} {{check}}", f"{_largest(metrics.PROBE_FAILING, 'probe, check')} > 0"),),
            ),
            Panel(
                "Circuits and refused answers",
                (metrics.CIRCUIT_STATE, metrics.THROTTLED),
                (
                    ("{{credential}}", _largest(metrics.CIRCUIT_STATE, "credential")),
                    ("429 {{credential}}", _sum(metrics.THROTTLED, "credential")),
                ),
            ),
            Panel(
                "Ledger read back",
                (metrics.REBUILDING, metrics.REBUILD_PROGRESS),
                (("progress", _largest(metrics.REBUILD_PROGRESS)), ("running", _largest(metrics.REBUILDING))),
                "percentunit",
            ),
        ),
    ),
    (
        "What does it cost?",
        (
            Panel(
                "Credits left",
                (metrics.CREDITS_LEFT,),
                (("{{credential}}", f"min by (credential) ({metrics.CREDITS_LEFT.name}{{$scope}})"),),
            ),
            Panel(
                "Credits spent in ten minutes",
                (metrics.CREDITS_SPENT,),
                (("{{trigger}}", f"sum by (trigger) (increase({metrics.CREDITS_SPENT.name}{{$scope}}[10m]))"),),
            ),
            Panel(
                "Records by result",
                (metrics.PUSH_OPERATIONS,),
                (("{{result}}", _sum(metrics.PUSH_OPERATIONS, "result")),),
                "ops",
            ),
            Panel(
                "Operations in a plan, 99 %",
                (metrics.PLAN_OPERATIONS,),
                (("99 %", _quantile(0.99, metrics.PLAN_OPERATIONS)),),
            ),
            Panel("A call, 99 %", (metrics.CALL_SECONDS,), (("99 %", _quantile(0.99, metrics.CALL_SECONDS)),), "s"),
            Panel(
                "Edited or deleted by people in Swoogo",
                (metrics.DRIFT,),
                (("{{what}}", f"sum by (what) (increase({metrics.DRIFT.name}{{$scope}}[1h]))"),),
            ),
            Panel(
                "Swoogo's webhooks",
                (metrics.WEBHOOK_DELIVERIES, metrics.WEBHOOK_REJECTED, metrics.WEBHOOK_LAG),
                (
                    ("{{outcome}}", _sum(metrics.WEBHOOK_DELIVERIES, "outcome")),
                    ("rejected: {{reason}}", _sum(metrics.WEBHOOK_REJECTED, "reason")),
                    ("seconds until looked at, 99 %", _quantile(0.99, metrics.WEBHOOK_LAG)),
                ),
            ),
            Panel(
                "Event loop and figures",
                (metrics.LOOP_LAG, metrics.LOOK_AGE),
                (
                    ("longest hold-up", _largest(metrics.LOOP_LAG)),
                    ("age of {{source}}", _largest(metrics.LOOK_AGE, "source")),
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
