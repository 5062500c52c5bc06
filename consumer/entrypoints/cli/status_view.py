"""`status` on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Annotated, Final

import typer
from rich.console import Console

from consumer.domain.issues.sentences import reason_words
from consumer.domain.records.identity import id_of
from consumer.entrypoints.cli.arguments import AnyEvent, AsJson, Everything
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.issue_list import show_issues
from consumer.entrypoints.cli.output import out, paragraph, print_json, shown_ids
from consumer.entrypoints.cli.table import Columns, cut, number, print_rows, print_table, without_empty
from consumer.entrypoints.documents.attention import Attention
from consumer.entrypoints.documents.completeness import rebuilding, runs_lost
from consumer.entrypoints.documents.rows import EventRow
from consumer.entrypoints.documents.run import KindNumbers, RunDocument
from consumer.entrypoints.documents.running import RunningDocument, replicas_sentence, waiting_sentences
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.status import EventDocument, StatusDocument, read_event, read_status
from consumer.entrypoints.documents.words import ago, counted, lasting, plain
from consumer.settings import load_settings

_KEYS_SHOWN: Final = 10
_NAME: Final = 40
_SHORT: Final = {"completed_with_issues": "with issues", "broken_off": "broken off"}
_STYLES: Final = {
    "completed": "green",
    "completed_with_issues": "yellow",
    "failed": "red",
    "running": "cyan",
    "broken_off": "red",
}


def status(
    event: AnyEvent = None,
    *,
    runs: Annotated[int, typer.Option(min=1, max=100, help="How many runs of the event.")] = 5,
    everything: Everything = False,
    as_json: AsJson = False,
) -> Exit:
    """Show all events, or one in detail: runs, issues, changes.

    Exit code 1 when the event is not known.
    """

    async def read(stores: StoreSession) -> StatusDocument | EventDocument | None:
        return await read_status(stores) if event is None else await read_event(stores, event, runs)

    document, now = in_session(load_settings(), read)
    if document is None:
        say(f"Nothing was ever recorded for event {plain(event or '')}, and it was never mapped.")
        return Exit.FAILED
    if as_json:
        print_json(document)
    elif isinstance(document, StatusDocument):
        print_status(out(), document, now)
    else:
        print_event(out(), document, now, everything=everything)
    return Exit.OK


def print_status(console: Console, document: StatusDocument, now: int) -> None:
    """All events, and what runs. Times are relative to `now` (ms)."""
    if document.rebuild:
        paragraph(console, rebuilding(document.rebuild))
    if document.events:
        print_events(console, document, now)
    else:
        console.print("Nothing was recorded yet.")
    if document.lost:
        paragraph(console, runs_lost(document.lost), style="dim")
    show_running(console, document.running, now)
    attention = document.attention
    if document.running.kafka:  # which has said already that Kafka does not answer
        attention = replace(attention, why="")
    if not document.rebuild:
        print_attention(console, attention, [row.event_id for row in document.events])


def show_running(console: Console, running: RunningDocument, now: int) -> None:
    """Who runs, and what waits on Kafka."""
    paragraph(console, replicas_sentence(running, now), style="dim" if running.alive else "red")
    for sentence in waiting_sentences(running, now):
        paragraph(console, sentence, style="yellow")


def print_events(console: Console, document: StatusDocument, now: int) -> None:
    """One line an event. Times are relative to `now` (ms)."""
    ids = shown_ids(console, (row.event_id for row in document.events))

    def last_run(row: EventRow) -> str:
        return f"{outcome_words(row.last_run)} {ago(row.last_run.started_ms, now)}" if row.last_run else "never"

    print_rows(
        console,
        document.events,
        (
            ("event", lambda row: ids[row.event_id]),
            (cut("name", spare=1), lambda row: plain(row.name, _NAME)),
            ("state", lambda row: row.state.words),
            (number("Swoogo", spare=2), lambda row: str(row.swoogo_event_id) if row.mapped else "not mapped"),
            (number("changes"), lambda row: f"{row.dirty:,}" if row.dirty else "-"),
            (number("due"), due),
            ("last run", last_run),
            (number("credits", spare=2), lambda row: f"{row.last_run.credits:,}" if row.last_run else "-"),
            (number("left"), lambda row: "-" if row.credits_left is None else f"{row.credits_left:,}"),
        ),
        lambda row: None if row.mapped else "dim",
    )


def due(row: EventRow) -> str:
    """When an event is pushed, in a word or two."""
    if row.working:
        return "working"
    if row.archived and row.due_in is None:
        return "archived"
    if row.due_in is None:
        return "-"
    return "now" if row.due_in == 0 else f"in {lasting(row.due_in)}"


def print_event(console: Console, document: EventDocument, now: int, *, everything: bool = False) -> None:
    row = document.event
    name = f" {plain(row.name)}" if row.name else ""
    pair = f"Swoogo event {row.swoogo_event_id}" if row.mapped else "not mapped"
    paragraph(console, f"Event {plain(row.event_id)}{name} -> {pair}", style="bold")
    accepted = document.sessions.get("accepted", 0)
    there = f"; {document.sessions['live']:,} of {counted(accepted, 'accepted session')} in Swoogo" if accepted else ""
    hands = f", {counted(row.hands, 'issue')} to act on" if row.hands else ""
    console.print(f"{row.state.words}{hands}{there}")
    if row.archived:
        console.print(f"archived since {row.archived}; a change brings it back")
    if row.mapped:
        mode = "on" if row.continuous else "off (only manual syncs)"
        console.print(f"Continuous sync {mode}; credits left {row.credits_left:,}")
    pending = sum(len(keys) for keys in document.pending.values())
    console.print(f"{counted(pending, 'change')} not pushed; due: {due(row)}")
    for source, keys in document.pending.items():
        shown = keys if everything else keys[:_KEYS_SHOWN]
        more = f" … and {len(keys) - len(shown):,} more (--all)" if len(keys) > len(shown) else ""
        ids = shown_ids(console, (id_of(key) for key in keys))
        paragraph(console, f"    {source}s: {', '.join(ids[id_of(key)] for key in shown)}{more}")
    if row.survey_in is not None:
        often = f" (every {lasting(row.survey_every)})" if row.survey_every else ""
        when = "now" if row.survey_in == 0 else f"in {lasting(row.survey_in)}"
        console.print(f"Next reconcile {when}{often}")
    if row.failures:
        console.print(f"Failed in a row: {row.failures:,}", style="red")
    if row.last_run and row.last_run.outcome == "running":
        run = row.last_run
        ahead = f", about {lasting((run.eta_ms - now) / 1000)} to go" if run.eta_ms > now else ""
        paragraph(
            console,
            f"Running since {ago(run.started_ms, now)}: call {run.done_calls:,} of {run.planned_calls:,}{ahead}",
        )
    elif row.last_run and row.last_run.outcome == "broken_off":
        console.print(f"The sync of {ago(row.last_run.started_ms, now)} was broken off and never ended.")
    if document.runs:
        print_run(console, document.runs[0], now)
        if len(document.runs) > 1:
            console.print("before that", style="italic")
            _print_history(console, document.runs[1:], now)
    else:
        console.print("No run has ended yet.")
    show_issues(console, document.issues, everything=everything)
    print_attention(console, document.attention, [row.event_id])


def print_run(console: Console, run: RunDocument, now: int) -> None:
    began = ago(run.started_ms, now)
    when = f"started {began}" if run.seconds is None else f"took {lasting(run.seconds)}, {began}"
    outcome = run.outcome.replace("_", " ")
    paragraph(
        console,
        f"Sync ({run.trigger}) {outcome}: {when}, {counted(run.credits, 'credit')}, "
        f"{counted(run.links, 'association')} changed",
        style=_STYLES.get(run.outcome),
    )
    if run.error:
        paragraph(console, f"    {plain(run.error)}", style="red")
    _print_kinds(console, run)
    left_out: dict[str, list[str]] = {}
    for reason, count in run.reasons.items():
        kind, _, why = reason.partition(":")
        left_out.setdefault(kind, []).append(f"{count:,} {reason_words(why)}")
    for kind, words in left_out.items():
        paragraph(console, f"    left out, {kind}s: {', '.join(words)}")


def outcome_words(run: RunDocument) -> str:
    """The outcome in a word or two: `completed`, `with issues`."""
    return _SHORT.get(run.outcome, run.outcome)


def synced_words(run: RunDocument) -> str:
    """`271 of 272`: synced and attempted (N1); "-" where nothing was to be done."""
    return _of(sum(each.synced for each in run.kinds.values()), sum(each.attempted for each in run.kinds.values()))


def _of(synced: int, attempted: int) -> str:
    return f"{synced:,} of {attempted:,}" if attempted else "-"


def _print_kinds(console: Console, run: RunDocument) -> None:
    """Synced of attempted for each kind, and what became of the rest."""
    names = [column.name for column in fields(KindNumbers) if column.name not in {"attempted", "synced"}]
    rows = [
        [
            f"{kind}s",
            _of(numbers.synced, numbers.attempted),
            *(f"{value:,}" if (value := getattr(numbers, name)) else "-" for name in names),
        ]
        for kind, numbers in run.kinds.items()
    ]
    if rows:
        columns: Columns = ["", number("synced"), *(number(name.replace("_", " ")) for name in names)]
        print_table(console, *without_empty(columns, rows))


def _print_history(console: Console, runs: tuple[RunDocument, ...], now: int) -> None:
    print_rows(
        console,
        runs,
        (
            ("started", lambda run: ago(run.started_ms, now)),
            ("trigger", lambda run: run.trigger),
            ("outcome", outcome_words),
            (number("synced"), synced_words),
            (number("credits"), lambda run: f"{run.credits:,}"),
        ),
    )


def print_attention(console: Console, attention: Attention, known: Sequence[str]) -> None:
    """A sentence and what to type for each; `known`: the events, whose ids are short on a terminal."""
    ids = shown_ids(console, known)
    if attention.needs:
        console.print("Needs an operator:", style="bold yellow")
    for need in attention.needs:
        event = ids.get(need.event_id, plain(need.event_id))
        sentence = need.sentence.replace(f"Event {need.event_id} ", f"Event {event} ", 1)
        paragraph(console, f"  {plain(sentence)}", style="yellow")
        if need.command:
            paragraph(console, f"      swoogo-sync {need.command.replace('EVENT', event)}")
    if attention.why:
        paragraph(console, f"Whether there are dead letters is not known: {plain(attention.why)}", style="yellow")
    elif not attention.needs and attention.dead_letters is not None:
        console.print("Nothing needs an operator.", style="dim")
