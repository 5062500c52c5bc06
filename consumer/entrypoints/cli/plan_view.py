"""`plan` on a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from consumer.domain.issues.sentences import reason_words
from consumer.domain.planning.eligibility import Reason
from consumer.domain.records.identity import Kind
from consumer.entrypoints.cli.arguments import Actor, AsJson, Event, Everything, Sure
from consumer.entrypoints.cli.arguments import Reason as Why
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.issue_list import show_issues
from consumer.entrypoints.cli.output import out, paragraph, print_json, shown_ids
from consumer.entrypoints.cli.table import Columns, number, print_table, without_empty
from consumer.entrypoints.documents.plan import PlanDocument, read_plan
from consumer.entrypoints.documents.planned import FieldChange, Planned
from consumer.entrypoints.documents.session import in_session
from consumer.entrypoints.documents.words import counted, lasting, plain
from consumer.settings import load_settings

_SHOWN: Final = 40
"""Operations, records or sentences shown unless all are asked for."""
_VALUE: Final = 60
_STYLES: Final = {
    "create": "green",
    "adopt": "cyan",
    "update": "yellow",
    "link": "blue",
    "image": "magenta",
    "delete": "red",
}
_VERBS: Final = {"link": "change the associations of", "image": "upload the image of"}
"""Of actions that are no verbs."""


def plan_event(
    event: Event,
    *,
    latency: Annotated[
        float, typer.Option(min=0.0, max=60.0, help="Seconds Swoogo takes for a call, to estimate the time.")
    ] = 0.2,
    everything: Everything = False,
    approve: Annotated[
        bool, typer.Option("--approve", help="Ask whether exactly this is to be sent, as the command approve does.")
    ] = False,
    reason: Why = "",
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Show what a sync would do now, field by field, without doing it.

    Reads Redis only. Exit code 1 when the event is not mapped. With --approve the codes, and the JSON, of approve.
    """
    document, _ = in_session(load_settings(), lambda stores: read_plan(stores, event, latency))
    if as_json and not approve:
        print_json(document)
    if not document.mapped:
        say(f"Event {plain(document.event_id)} is not mapped to a Swoogo event, so there is nothing to plan.")
        return Exit.FAILED
    if not as_json:
        show_plan(out(), document, everything=everything)
    if approve:
        from consumer.entrypoints.cli.control import approve as order

        return order(document.event_id, document.plan_id, reason=reason, actor=actor, sure=sure, as_json=as_json)
    return Exit.OK


def show_plan(console: Console, document: PlanDocument, *, everything: bool = False) -> None:
    """The plan for people: what it would do, then in detail, then what is wrong; without `everything` lists are cut."""
    limit = None if everything else _SHOWN
    mode = "" if document.continuous else "; continuous sync is off: only a manual sync would do this"
    paragraph(console, f"Event {plain(document.event_id)} -> Swoogo event {document.swoogo_event_id}{mode}")
    paragraph(console, _does(document), style="bold")
    if document.looks:
        kinds = ", ".join(f"{kind}s" for kind in document.looks)
        paragraph(
            console,
            f"First looked up in Swoogo: {kinds}. What is found there is adopted instead of created.",
            style="cyan",
        )
    _print_summary(console, document)
    _print_held(console, document)
    records = {each.id for each in document.operations}
    ids = shown_ids(
        console, records | {session.id for each in document.operations for session in (*each.add, *each.remove)}
    )
    for operation in document.operations[:limit]:
        _show_operation(console, operation, ids)
    _more(console, len(document.operations), limit, "operation")
    if document.wait_until:
        paragraph(console, _waits(document), style="yellow")
    _show_left_out(console, document, everything=everything)
    show_issues(console, document.issues, everything=everything)


def _does(document: PlanDocument) -> str:
    """What a sync would do, and what it would cost, in a sentence."""
    if not document.operations and not document.looks:
        return "Nothing to send yet." if document.wait_until else "Nothing to send: 0 credits."
    counts = Counter((operation.action, operation.kind) for operation in document.operations)
    parts = []
    for action in _STYLES:
        kinds = [counted(counts[action, kind.value], kind.value) for kind in Kind if counts[action, kind.value]]
        if kinds:
            parts.append(f"{_VERBS.get(action, action)} {', '.join(kinds)}")
    would = f"Would {'; '.join(parts)}: " if parts else ""
    return (
        f"{would}{counted(document.credits, 'credit')} of {document.credits_left:,} left, "
        f"{counted(document.calls, 'call')}, about {lasting(document.seconds)} at {document.latency:g} s a call."
    )


def _print_held(console: Console, document: PlanDocument) -> None:
    """What is frozen, and whether the plan may be sent (U1, U2)."""
    for freeze in document.freezes:
        until = f"until {freeze.until}" if freeze.until else "until somebody ends it"
        why = f": {freeze.reason}" if freeze.reason else ""
        paragraph(console, f"Frozen: {freeze.words}, {until}, by {freeze.actor}{why}", style="cyan")
    if document.frozen:
        paragraph(console, f"{counted(len(document.frozen), 'operation')} left behind by that.", style="cyan")
    if document.approval and document.plan_id:
        said = {
            "approved": "A plan is approved and will be sent.",
            "refused": "The plan that was approved before was refused: it is another one now.",
        }.get(document.approval, "Nothing is sent until it is approved.")
        event, plan = plain(document.event_id), document.plan_id
        paragraph(console, f"Plan {plan}. {said} To approve it: swoogo-sync approve {event} {plan}", style="yellow")


def _waits(document: PlanDocument) -> str:
    """What waits for a create that Swoogo did not answer: until then it is open whether it took effect (G2)."""
    held = sum(reasons.get(Reason.WAITING.value, 0) for reasons in document.left_out.values())
    verb = "waits" if held == 1 else "wait"
    what = f"{counted(held, 'record')} {verb} for a create" if held else "A create is"
    return f"{what} without an answer; what Swoogo shows decides after {document.wait_until}."


def _print_summary(console: Console, document: PlanDocument) -> None:
    planned = Counter((operation.kind, operation.action) for operation in document.operations)
    rows = []
    for kind in Kind:
        left_out = sum(document.left_out.get(kind.value, {}).values())
        counts = [planned[kind.value, action] for action in _STYLES]
        row = [*counts, document.unchanged.get(kind.value, 0), left_out]
        if any(row):
            rows.append([f"{kind.value}s", *(f"{count:,}" if count else "-" for count in row)])
    if rows:
        columns: Columns = ["", *(number(title) for title in (*_STYLES, "unchanged", "left out"))]
        print_table(console, *without_empty(columns, rows))


def _show_operation(console: Console, operation: Planned, ids: Mapping[str, str]) -> None:
    line = Text()
    line.append(f"{operation.action:<7}", style=_STYLES[operation.action])
    line.append(f"{operation.kind} {ids[operation.id]}")
    if operation.swoogo_id:
        line.append(f" (Swoogo {operation.swoogo_id})", style="dim")
    if operation.title:
        line.append(f"  {plain(operation.title, _VALUE)}", style="bold")
    paragraph(console, line)
    for change in operation.fields:
        paragraph(console, _field(change, new_only=operation.action == "create"))
    for sign, sessions in (("+", operation.add), ("-", operation.remove)):
        for session in sessions:
            paragraph(console, f"    {sign} session {ids[session.id]}  {plain(session.title, _VALUE)}")


def _field(change: FieldChange, *, new_only: bool) -> Text:
    new = plain(change.new, _VALUE) or "(empty)"
    line = Text(f"    {change.field}: ")
    if not new_only:
        old = "?" if change.old is None else plain(change.old, _VALUE) or "(empty)"
        line.append(old, style="dim").append(" -> ")
    return line.append(new)


def _show_left_out(console: Console, document: PlanDocument, *, everything: bool) -> None:
    for kind, reasons in document.left_out.items():
        words = ", ".join(f"{count:,} {reason_words(reason)}" for reason, count in reasons.items())
        paragraph(console, f"Left out, {kind}s: {words}")
    if everything:
        ids = shown_ids(console, (record.id for record in document.left_out_records))
        for record in document.left_out_records:
            paragraph(console, f"    {record.kind} {ids[record.id]}: {reason_words(record.reason)}")
    elif document.left_out:
        console.print("    --all lists them", style="dim")


def _more(console: Console, count: int, limit: int | None, noun: str) -> None:
    if limit is not None and count > limit:
        console.print(f"… and {counted(count - limit, f'more {noun}')} (--all lists them)", style="dim")
