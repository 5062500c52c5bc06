"""REPORT what a push was to each record, and its calls, in one write (N2)."""

from __future__ import annotations

from consumer.domain.push.push_report import PushReport
from consumer.domain.push.timeline import happenings
from consumer.ports.status import Timeline


async def note_report(timeline: Timeline, report: PushReport) -> None:
    """Nothing is written where nothing happened. Raises LeaseLostError, UnavailableError."""
    happened = happenings(report)
    if happened or report.calls.total:
        await timeline.note(report.facts.lease, report.run.id, happened, report.calls)
