"""`runs` and `issues`: past syncs of an event, and what its admin must know now, read from Redis alone (N2)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, TypeVar

import typer
from rich.console import Console

from consumer.domain.issues.issue import Code
from consumer.entrypoints.cli.arguments import AsJson, Event, Everything
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.issue_list import show_issues
from consumer.entrypoints.cli.output import moment, out, paragraph, print_json
from consumer.entrypoints.cli.status_view import outcome_words, print_run, synced_words
from consumer.entrypoints.cli.table import cut, number, print_rows, prose
from consumer.entrypoints.documents.completeness import lost_at, require_complete, runs_lost
from consumer.entrypoints.documents.ids import chosen, known_events, short_ids
from consumer.entrypoints.documents.issues import IssueRow, issue_rows
from consumer.entrypoints.documents.run import (
    RUNS_KEPT,
    CallRow,
    RunDocument,
    RunShown,
    read_run,
    read_runs,
    run_document,
)
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import counted, lasting, plain
from consumer.settings import load_settings

T = TypeVar("T")
_CALLS: Final = 20
"""Calls shown unless all are asked for."""


@dataclass(frozen=True, slots=True)
class RunsDocument:
    """What `runs EVENT --json` prints: ended runs, newest first. `lost`: when those of before were lost with Redis."""

    event_id: str
    runs: tuple[RunDocument, ...]
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class IssuesDocument:
    """What `issues EVENT --json` prints."""

    event_id: str
    issues: tuple[IssueRow, ...]


def list_runs(
    event: Event,
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="How many runs, newest first.")] = 20,
    as_json: AsJson = False,
) -> Exit:
    """List the runs of an event: when, why, what was attempted and synced, credits.

    Of reconciles in a row that found the same and did nothing, the last is listed.

    Exit code 1 when the event is not known.
    """

    async def read(stores: StoreSession, event_id: str) -> tuple[RunsDocument, Mapping[str, str]]:
        found = await read_runs(stores, event_id)
        ended = [run_document(run) for run in found.values() if run.ended][:limit]
        return RunsDocument(event_id, tuple(ended), await lost_at(stores)), short_ids(found)

    answer, now = _of_known_event(event, read)
    if answer is None:
        return Exit.FAILED
    document, short = answer
    if as_json:
        print_json(document)
        return Exit.OK
    if document.runs:
        print_runs(out(), document, short, now)
    else:
        out().print("No run has ended yet.")
    if document.lost:
        paragraph(out(), runs_lost(document.lost))
    return Exit.OK


def show_run(
    event: Event,
    identifier: Annotated[str, typer.Argument(metavar="ID", help="Run id, or the beginning or end of it.")],
    *,
    everything: Everything = False,
    as_json: AsJson = False,
) -> Exit:
    """Show one run: its numbers for each kind, what was wrong with which record at its end, and its calls.

    Exit code 1 when there is no such run.
    """

    async def read(stores: StoreSession, event_id: str) -> tuple[RunShown | None, str]:
        return await read_run(stores, event_id, identifier), event_id

    answer, now = _of_known_event(event, read)
    if answer is None:
        return Exit.FAILED
    shown, event_id = answer
    if shown is None:
        say(f"Event {plain(event_id)} has no run {plain(identifier)}; `runs` lists the last {RUNS_KEPT}.")
        return Exit.FAILED
    if as_json:
        print_json(shown)
    else:
        print_shown(out(), shown, now, everything=everything)
    return Exit.OK


def list_issues(
    event: Event,
    *,
    code: Annotated[str | None, typer.Option(help="Only issues with this code.")] = None,
    as_json: AsJson = False,
) -> Exit:
    """List what is wrong with which record of an event now, each with what to do about it.

    Exit code 1 when the event is not known.
    """
    if code is not None and code not in {each.value for each in Code}:
        say(f"There is no issue code {plain(code)}; there are {', '.join(sorted(Code))}.")
        return Exit.USAGE

    async def read(stores: StoreSession, event_id: str) -> IssuesDocument:
        issues = (await stores.board.issues(event_id)).values()
        chosen = [each for each in issues if code in {None, each.code.value}]
        return IssuesDocument(event_id, issue_rows(event_id, chosen))

    document, _ = _of_known_event(event, read)
    if document is None:
        return Exit.FAILED
    if as_json:
        print_json(document)
    elif document.issues:
        show_issues(out(), document.issues, everything=True)
    else:
        out().print("Nothing needs attention.")
    return Exit.OK


def print_runs(console: Console, document: RunsDocument, short: Mapping[str, str], now: int) -> None:
    """One line a run, then why the newest that failed did. Times are relative to `now` (ms)."""
    ids = {run.id: plain(short[run.id] if console.is_terminal else run.id) for run in document.runs}
    print_rows(
        console,
        document.runs,
        (
            ("run", lambda run: ids[run.id]),
            ("started", lambda run: moment(console, run.started_ms, now)),
            (prose("trigger"), lambda run: run.trigger if run.scope == "all" else f"{run.trigger} {run.scope}"),
            ("outcome", outcome_words),
            (number("took"), lambda run: lasting(run.seconds) if run.seconds is not None else "-"),
            (number("synced"), synced_words),
            (number("issues"), lambda run: f"{sum(run.issues.values()):,}"),
            (number("credits"), lambda run: f"{run.credits:,}"),
        ),
    )
    failed = next((run for run in document.runs if run.error), None)
    if failed:
        paragraph(console, f"{ids[failed.id]} failed: {plain(failed.error)}", style="red")


def print_shown(console: Console, shown: RunShown, now: int, *, everything: bool = False) -> None:
    """One run for people. Times are relative to `now` (ms)."""
    run = shown.run
    paragraph(console, f"Run {plain(run.id)} of event {plain(shown.event_id)}, scope {run.scope}", style="bold")
    paragraph(console, f"Started {run.started or '-'}, ended {run.ended or '-'}")
    print_run(console, run, now)
    show_issues(console, shown.issues, everything=everything)
    if shown.not_listed:
        paragraph(
            console,
            f"… and {shown.not_listed:,} more were known then; `swoogo-sync issues` lists what is so now.",
            style="dim",
        )
    if shown.calls is None and run.credits:
        paragraph(
            console, "The calls of this run are not kept: those of the last 20 runs that made any are.", style="dim"
        )
    elif shown.calls:
        _print_calls(console, shown.calls if everything else shown.calls[-_CALLS:], shown.calls_made)


def _print_calls(console: Console, rows: Sequence[CallRow], made: int) -> None:
    """The newest calls; `made`: how many there were."""
    more = f", the newest {len(rows):,} (--all lists what is kept)" if made > len(rows) else ""
    console.print(f"\n{counted(made, 'call')}{more}:")
    print_rows(
        console,
        rows,
        (
            ("at", lambda row: row.at[11:19] if row.at else "-"),
            (cut("call"), lambda row: row.what),
            (cut("record"), lambda row: plain(row.record) or "-"),
            (cut("request", spare=2), lambda row: f"{row.method} {row.path}"),
            (number("took"), lambda row: f"{row.took:,} ms"),
            (number("credits"), lambda row: f"{row.credits:,}"),
            ("answer", lambda row: f"{row.status or 'none'}{', sent again' if row.again else ''}"),
        ),
        lambda row: None if row.outcome == "taken" else "yellow",
    )


def _of_known_event(event: str, read: Callable[[StoreSession, str], Awaitable[T]]) -> tuple[T | None, int]:
    """What `read` finds of the event that is meant; None, with a sentence, for one never recorded and never mapped.

    Raises UnavailableError, ConfigurationError, AmbiguousIdError.
    """

    async def look(stores: StoreSession) -> T | None:
        await require_complete(stores)
        known = await known_events(stores)
        event_id = chosen(event, known, "event")
        return await read(stores, event_id) if event_id in known else None

    found, now = in_session(load_settings(), look)
    if found is None:
        say(f"Nothing was ever recorded for event {plain(event)}, and it was never mapped.")
    return found, now
