"""`status` on a terminal."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Final

from rich.console import Console
from rich.table import Table

from consumer.domain.sentences import reason_words
from consumer.entrypoints.console.completeness import rebuilding, runs_lost
from consumer.entrypoints.console.exits import Exit, say
from consumer.entrypoints.console.opened import opened
from consumer.entrypoints.console.output import ago, counted, lasting, out, plain, print_json
from consumer.entrypoints.console.plan_view import show_issues
from consumer.entrypoints.console.running import RunningDocument, replicas_sentence, waiting_sentences
from consumer.entrypoints.console.status_document import (
    EventDocument,
    EventRow,
    KindNumbers,
    RunDocument,
    StatusDocument,
    read_event,
    read_status,
)
from consumer.settings import Settings

_KEYS_SHOWN: Final = 10
_SHORT: Final = {"completed_with_issues": "with issues"}
_STYLES: Final = {
    "completed": "green",
    "completed_with_issues": "yellow",
    "failed": "red",
    "running": "cyan",
    "broken_off": "red",
}


def show_status(settings: Settings, *, as_json: bool) -> Exit:
    """All events. Raises UnavailableError, ConfigurationError."""

    async def read() -> tuple[StatusDocument, int]:
        async with opened(settings) as stores:
            return await read_status(stores), stores.clock.now()

    document, now = asyncio.run(read())
    if as_json:
        print_json(document)
        return Exit.FINE
    if document.rebuild:
        out().print(rebuilding(document.rebuild))
    if document.events:
        out().print(events_table(document, now))
    else:
        out().print("Nothing was recorded yet.")
    for row in document.events:
        if row.waits_for:
            out().print(f"{plain(row.event_id)} {row.waits_for}.", style="yellow", soft_wrap=True)
    if document.lost:
        out().print(runs_lost(document.lost), style="dim", soft_wrap=True)
    show_running(out(), document.running, now)
    return Exit.FINE


def show_running(console: Console, running: RunningDocument, now: int) -> None:
    """Who runs, and what waits on Kafka."""
    style = "dim" if running.alive else "red"
    console.print(replicas_sentence(running, now), style=style, soft_wrap=True)
    for sentence in waiting_sentences(running, now):
        console.print(sentence, style="yellow", soft_wrap=True)


def show_event(settings: Settings, event_id: str, *, runs: int, everything: bool, as_json: bool) -> Exit:
    """One event. Raises UnavailableError, ConfigurationError."""

    async def read() -> tuple[EventDocument | None, int]:
        async with opened(settings) as stores:
            return await read_event(stores, event_id, runs), stores.clock.now()

    document, now = asyncio.run(read())
    if document is None:
        say(f"Nothing was ever recorded for event {plain(event_id)}, and it was never mapped.")
        return Exit.NO
    if as_json:
        print_json(document)
    else:
        print_event(out(), document, now, everything=everything)
    return Exit.FINE


def events_table(document: StatusDocument, now: int) -> Table:
    """One line an event. Times are relative to `now` (ms)."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    # Ids are for copying: they are never cut.
    table.add_column("event", overflow="fold")
    table.add_column("Swoogo", justify="right", min_width=7)
    for title in ("dirty", "due"):
        table.add_column(title, justify="right")
    table.add_column("last run")
    table.add_column("credits", justify="right")
    table.add_column("left", justify="right")
    for row in document.events:
        run = row.last_run
        table.add_row(
            plain(row.event_id),
            str(row.swoogo_event_id) if row.mapped else "not mapped",
            f"{row.dirty:,}" if row.dirty else "-",
            due(row),
            f"{_SHORT.get(run.outcome, run.outcome)} {ago(run.started_ms, now)}" if run else "never",
            f"{run.credits:,}" if run else "-",
            "-" if row.credits_left is None else f"{row.credits_left:,}",
            style=None if row.mapped else "dim",
        )
    return table


def due(row: EventRow) -> str:
    """When an event is pushed, in a word or two."""
    if row.working:
        return "working"
    if row.due_in is None:
        return "-"
    return "now" if row.due_in == 0 else f"in {lasting(row.due_in)}"


def print_event(console: Console, document: EventDocument, now: int, *, everything: bool = False) -> None:
    """Everything about one event."""
    row = document.event
    name = f" {plain(row.name)}" if row.name else ""
    pair = f"Swoogo event {row.swoogo_event_id}" if row.mapped else "not mapped"
    console.print(f"Event {plain(row.event_id)}{name} -> {pair}", style="bold", soft_wrap=True)
    if row.mapped:
        mode = "on" if row.continuous else "off (only manual syncs)"
        console.print(f"Continuous sync {mode}; credits left {row.credits_left:,}")
    pending = sum(len(keys) for keys in document.pending.values())
    console.print(f"{counted(pending, 'change')} not pushed; due: {due(row)}")
    for source, keys in document.pending.items():
        shown = keys if everything else keys[:_KEYS_SHOWN]
        more = f" … and {len(keys) - len(shown):,} more (--all)" if len(keys) > len(shown) else ""
        names = ", ".join(plain(key.partition("/")[2]) for key in shown)
        console.print(f"    {source}s: {names}{more}", soft_wrap=True)
    if row.waits_for:
        console.print(f"It {row.waits_for}.", style="yellow", soft_wrap=True)
    if row.survey_in is not None:
        often = f" (every {lasting(row.survey_every)})" if row.survey_every else ""
        when = "now" if row.survey_in == 0 else f"in {lasting(row.survey_in)}"
        console.print(f"Next reconcile {when}{often}")
    if row.failures:
        console.print(f"Failed in a row: {row.failures:,}", style="red")
    if row.last_run and row.last_run.outcome == "running":
        run = row.last_run
        ahead = f", about {lasting((run.eta_ms - now) / 1000)} to go" if run.eta_ms > now else ""
        console.print(
            f"Running since {ago(run.started_ms, now)}: call {run.done_calls:,} of {run.planned_calls:,}{ahead}"
        )
    elif row.last_run and row.last_run.outcome == "broken_off":
        console.print(f"The sync of {ago(row.last_run.started_ms, now)} was broken off and never ended.")
    if document.runs:
        print_run(console, document.runs[0], now)
        if len(document.runs) > 1:
            console.print(_history(document.runs[1:], now))
    else:
        console.print("No run has ended yet.")
    show_issues(console, document.issues, everything=everything)


def print_run(console: Console, run: RunDocument, now: int) -> None:
    """The numbers of one run (N1)."""
    began = ago(run.started_ms, now)
    when = f"started {began}" if run.seconds is None else f"took {lasting(run.seconds)}, {began}"
    console.print(
        f"Sync ({run.trigger}) {run.outcome}: {when}, {counted(run.credits, 'credit')}, "
        f"{counted(run.links, 'association')} changed",
        style=_STYLES.get(run.outcome),
    )
    if run.error:
        console.print(f"    {plain(run.error)}", style="red", soft_wrap=True)
    if run.kinds:
        console.print(run_table(run))
    left_out: dict[str, list[str]] = {}
    for reason, count in run.reasons.items():
        kind, _, why = reason.partition(":")
        left_out.setdefault(kind, []).append(f"{count:,} {reason_words(why)}")
    for kind, words in left_out.items():
        console.print(f"    left out, {kind}s: {', '.join(words)}", soft_wrap=True)


def run_table(run: RunDocument) -> Table:
    """Attempted and synced per kind, and what became of the rest."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("")
    columns = [column.name for column in dataclasses.fields(KindNumbers)]
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right")
    for kind, numbers in run.kinds.items():
        values = [getattr(numbers, column) for column in columns]
        table.add_row(f"{kind}s", *(f"{value:,}" if value else "-" for value in values))
    return table


def _history(runs: tuple[RunDocument, ...], now: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), title="before that", title_justify="left")
    for column in ("started", "trigger", "outcome"):
        table.add_column(column)
    for column in ("attempted", "synced", "credits"):
        table.add_column(column, justify="right")
    for run in runs:
        table.add_row(
            ago(run.started_ms, now),
            run.trigger,
            run.outcome,
            f"{sum(numbers.attempted for numbers in run.kinds.values()):,}",
            f"{sum(numbers.synced for numbers in run.kinds.values()):,}",
            f"{run.credits:,}",
        )
    return table
