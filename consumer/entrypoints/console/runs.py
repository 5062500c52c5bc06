"""`runs` and `issues`: past syncs of an event, and what its admin must know now, read from Redis alone (N2)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from consumer.domain.issue import Code
from consumer.domain.run import Run
from consumer.entrypoints.console.completeness import lost_at, require_complete, runs_lost
from consumer.entrypoints.console.exits import Exit, say
from consumer.entrypoints.console.opened import Opened, opened
from consumer.entrypoints.console.output import lasting, out, plain, print_json
from consumer.entrypoints.console.plan_document import IssueRow, issue_rows
from consumer.entrypoints.console.plan_view import show_issues
from consumer.entrypoints.console.status_document import RunDocument, known_events, run_document
from consumer.entrypoints.console.status_view import print_run
from consumer.settings import Settings

_RUNS_KEPT = 100

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RunsDocument:
    """What `runs EVENT --json` prints: ended runs, newest first. `lost`: when those of before were lost with Redis."""

    event_id: str
    runs: tuple[RunDocument, ...]
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class RunShown:
    """What `runs show --json` prints.

    Attributes:
        issues: what was known at the end of the run; the first ones only, `not_listed` says how many more.
    """

    event_id: str
    run: RunDocument
    issues: tuple[IssueRow, ...]
    not_listed: int = 0


@dataclass(frozen=True, slots=True)
class IssuesDocument:
    """What `issues EVENT --json` prints."""

    event_id: str
    issues: tuple[IssueRow, ...]


def list_runs(settings: Settings, event_id: str, *, limit: int, as_json: bool) -> Exit:
    """The newest runs of an event. Raises UnavailableError, ConfigurationError."""

    async def read(stores: Opened) -> RunsDocument:
        ended = await stores.board.runs(event_id, limit)
        return RunsDocument(event_id, tuple(run_document(run) for run in ended), await lost_at(stores))

    document = _of_known_event(settings, event_id, read)
    if document is None:
        return Exit.NO
    if as_json:
        print_json(document)
    elif document.runs:
        print_runs(out(), document)
    else:
        out().print("No run has ended yet.")
    if document.lost and not as_json:
        out().print(runs_lost(document.lost), soft_wrap=True)
    return Exit.FINE


def show_run(settings: Settings, event_id: str, wanted: str, *, everything: bool, as_json: bool) -> Exit:
    """One run, also the one in progress; `wanted` is its id or the end of it.

    Raises UnavailableError, ConfigurationError.
    """

    async def read(stores: Opened) -> tuple[list[RunShown], int]:
        current = await stores.board.current(event_id)
        found = {run.id: run for run in await stores.board.runs(event_id, _RUNS_KEPT)}
        if current:
            found.setdefault(current.id, current)
        held = (await stores.inbox.waiting(event_id)).held
        return [_shown(run, held=held) for run in found.values() if run.id.endswith(wanted)], stores.clock.now()

    answer = _of_known_event(settings, event_id, read)
    if answer is None:
        return Exit.NO
    found, now = answer
    if len(found) != 1:
        several = f"{len(found)} runs of event {plain(event_id)} end in {plain(wanted)}; give more of the id."
        say(several if found else f"Event {plain(event_id)} has no run {plain(wanted)}; `runs` lists the last 100.")
        return Exit.NO
    if as_json:
        print_json(found[0])
    else:
        print_shown(out(), found[0], now, everything=everything)
    return Exit.FINE


def list_issues(settings: Settings, event_id: str, *, code: str | None, as_json: bool) -> Exit:
    """Issues of an event, all of them. Raises UnavailableError, ConfigurationError."""
    if code is not None and code not in {each.value for each in Code}:
        say(f"There is no issue code {plain(code)}; there are {', '.join(sorted(Code))}.")
        return Exit.USAGE

    async def read(stores: Opened) -> IssuesDocument:
        issues = (await stores.board.issues(event_id)).values()
        return IssuesDocument(event_id, issue_rows(each for each in issues if code in {None, each.code.value}))

    document = _of_known_event(settings, event_id, read)
    if document is None:
        return Exit.NO
    if as_json:
        print_json(document)
    elif document.issues:
        show_issues(out(), document.issues, everything=True)
    else:
        out().print("Nothing needs attention.")
    return Exit.FINE


def print_runs(console: Console, document: RunsDocument) -> None:
    """One line a run, then why the newest that failed did."""
    console.print(runs_table(document))
    failed = next((run for run in document.runs if run.error), None)
    if failed:
        console.print(f"{plain(failed.id)} failed: {plain(failed.error)}", style="red", soft_wrap=True)


def runs_table(document: RunsDocument) -> Table:
    """One line a run."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    # Ids are for copying: they are never cut.
    for column in ("run", "started", "trigger", "scope", "outcome"):
        table.add_column(column, overflow="fold")
    for column in ("took", "attempted", "synced", "issues", "credits"):
        table.add_column(column, justify="right")
    for run in document.runs:
        table.add_row(
            plain(run.id),
            run.started or "",
            run.trigger,
            run.scope,
            run.outcome,
            lasting(run.seconds) if run.seconds is not None else "-",
            f"{sum(numbers.attempted for numbers in run.kinds.values()):,}",
            f"{sum(numbers.synced for numbers in run.kinds.values()):,}",
            f"{sum(run.issues.values()):,}",
            f"{run.credits:,}",
        )
    return table


def print_shown(console: Console, shown: RunShown, now: int, *, everything: bool = False) -> None:
    """One run for people. Times are relative to `now` (ms)."""
    run = shown.run
    console.print(f"Run {plain(run.id)} of event {plain(shown.event_id)}, scope {run.scope}", style="bold")
    console.print(f"Started {run.started or '-'}, ended {run.ended or '-'}")
    print_run(console, run, now)
    show_issues(console, shown.issues, everything=everything)
    if shown.not_listed:
        console.print(
            f"… and {shown.not_listed:,} more were known then; `swoogo-sync issues` lists what is so now.", style="dim"
        )


def _shown(run: Run, *, held: bool) -> RunShown:
    return RunShown(
        run.event_id,
        run_document(run, held=held),
        issue_rows(run.told),
        not_listed=max(sum(run.issues.values()) - len(run.told), 0),
    )


def _of_known_event(settings: Settings, event_id: str, read: Callable[[Opened], Awaitable[T]]) -> T | None:
    """What `read` finds; None, with a sentence, for an event that was never recorded and never mapped."""

    async def look() -> T | None:
        async with opened(settings) as stores:
            await require_complete(stores)
            return await read(stores) if event_id in await known_events(stores) else None

    found = asyncio.run(look())
    if found is None:
        say(f"Nothing was ever recorded for event {plain(event_id)}, and it was never mapped.")
    return found
