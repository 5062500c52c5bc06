"""Runs, verdicts and orders as messages of the status topic, in the models of `schemas.status`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Final

from consumer.domain.connections.connection import Announcement
from consumer.domain.issues.issue import Code as IssueCode
from consumer.domain.issues.issue import Effect as IssueEffect
from consumer.domain.issues.record_issues import PublishedIssue, RecordIssues
from consumer.domain.orders.order import GivenOrder, Receipt
from consumer.domain.push.run import Run
from consumer.domain.records.identity import Kind
from consumer.ports import RawRecord
from consumer.ports.rebuild import PublishedRecord
from schemas.issues import RecordIssuesChanged
from schemas.mapping import SyncScope
from schemas.record_issues import Effect, RecordKind
from schemas.status import STATUS_MESSAGES, KindCounts, StatusMessage, Trigger

_COUNTED: Final = {Kind.SESSION: "sessions", Kind.SPEAKER: "speakers", Kind.SPONSOR: "sponsors"}
_POSTPONED: Final = ("postponed", "The sync is tried again by itself.")
_PAIR_ENDED: Final = ("pair_ended", "What is left is synced if the two events are mapped again.")


def sync_message(run: Run, now: datetime) -> StatusMessage:
    """`sync.started`, then `sync.progress` while a run goes on; `sync.completed` or `sync.failed` when it has ended."""
    data: dict[str, object] = {
        "run_id": run.id,
        "trigger": Trigger(run.trigger.value),
        "scope": SyncScope(run.scope),
        "swoogo_event_id": run.swoogo_event_id,
        "started_at": _moment(run.started),
        "requests": run.requests,
    }
    counts = {name: KindCounts(**asdict(run.tally(kind))) for kind, name in _COUNTED.items()}
    action = "sync.started"
    if not run.ended:
        data |= {
            "planned_calls": run.planned_calls,
            "done_calls": min(run.done_calls, run.planned_calls),
            "credits_left": run.credits_left,
            "eta": _moment(run.eta) if run.eta else None,
        }
        if run.done_calls:
            action = "sync.progress"
            data |= {"credits": run.credits, **counts}
    else:
        action = "sync.failed" if run.outcome == "failed" else "sync.completed"
        data |= {
            "ended_at": _moment(run.ended),
            "duration_ms": run.ended - run.started,
            "credits": run.credits,
            "issues": run.issues,
            "records": tuple(_record(run.event_id, each) for each in run.records),
            "more_records": run.more_records,
            **counts,
        }
    if action == "sync.failed":
        code, then = _PAIR_ENDED if run.pair_ended else _POSTPONED
        data |= {"code": code, "sentence": f"{run.error} {then}"}
    return _message(action, data, {"event_id": run.event_id, "org_id": run.org_id}, now)


def verdict_message(announcement: Announcement, now: datetime) -> StatusMessage:
    """`integration.*` and `mapping.*`: accepted, rejected or ended."""
    said = announcement
    data: dict[str, object] = {"code": said.code or said.action.rpartition(".")[2], "sentence": said.sentence}
    if said.action.startswith("integration."):
        return _message(said.action, {**data, "org_id": said.org_id}, {"event_id": None, "org_id": said.org_id}, now)
    data |= {
        "event_id": said.event_id,
        "swoogo_event_id": said.swoogo_event_id,
        "partner": said.partner or None,
        "issues": said.issues,
    }
    return _message(said.action, data, {"event_id": said.event_id, "org_id": said.org_id}, now)


def order_message(given: GivenOrder, org_id: str, now: datetime) -> StatusMessage:
    """`order.given`."""
    order, receipt = given.order, given.receipt or Receipt()
    data: dict[str, object] = {
        "order_id": order.id,
        "kind": order.kind.value,
        "actor": order.actor,
        "reason": order.reason,
        "given_at": _moment(order.at),
        "records": order.keys,
        "done": receipt.done,
        "sentence": receipt.sentence,
    }
    return _message("order.given", data, {"event_id": order.event_id or None, "org_id": org_id or None}, now)


def issues_message(event_id: str, org_id: str, record: RecordIssues, now: datetime) -> RecordIssuesChanged:
    metadata = {
        "action": "record.issues",
        "event_id": event_id,
        "org_id": org_id or None,
        "version": 1,
        "datetime": now,
    }
    return RecordIssuesChanged.model_validate({"data": _record(event_id, record), "metadata": metadata})


def published_record(record: RawRecord) -> PublishedRecord | None:
    """What a record of the issues topic says; None: its key is none of ours.

    A value that cannot be read, as one of a later version, gets a digest that no value has, and is published again.
    """
    event_id, _, key = (record.key or b"").decode(errors="replace").partition("/")
    if not event_id or "/" not in key:
        return None
    if record.value is None:
        return PublishedRecord(event_id, key, "")
    try:
        data = RecordIssuesChanged.model_validate_json(record.value).data
        issues = tuple(
            PublishedIssue(IssueCode(each.code), IssueEffect(each.effect.value), each.field, each.sentence)
            for each in data.issues
        )
    except ValueError:
        return PublishedRecord(event_id, key, "?")
    return PublishedRecord(event_id, key, RecordIssues(key, data.title, issues).digest)


def _record(event_id: str, record: RecordIssues) -> dict[str, object]:
    kind, _, identifier = record.key.partition("/")
    return {
        "event_id": event_id,
        "kind": RecordKind(kind),
        "id": identifier,
        "title": record.title,
        "issues": tuple(
            {
                "code": each.code.value,
                "effect": Effect(each.effect.value),
                "field": each.field,
                "sentence": each.sentence,
            }
            for each in record.issues
        ),
    }


def _message(action: str, data: dict[str, object], metadata: dict[str, object], now: datetime) -> StatusMessage:
    model = STATUS_MESSAGES[action]
    return model.model_validate(
        {"data": data, "metadata": {**metadata, "action": action, "version": 1, "datetime": now}}
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
