"""`parked`: changes that Swoogo understood and refused; listed, and tried once more on request (R5)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from consumer.domain.ledger_commands import Action, LedgerCommand
from consumer.domain.sentences import for_operator
from consumer.domain.text import masked
from consumer.entrypoints.cli.arguments import AnyEvent, AsJson, Event
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.orders import ask_for
from consumer.entrypoints.cli.output import moment, out, paragraph, print_json, shown_ids, shown_keys
from consumer.entrypoints.cli.table import Column, Fit, print_table
from consumer.entrypoints.documents.ids import chosen_keys, whole_event
from consumer.entrypoints.documents.session import open_session
from consumer.entrypoints.documents.words import counted, iso, plain
from consumer.settings import Settings, load_settings


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """One refused change. `key`: as issues name it; `since`: None where that was not kept."""

    event_id: str
    key: str
    code: str
    field: str
    sentence: str
    since: str | None
    since_ms: int


@dataclass(frozen=True, slots=True)
class ParkedDocument:
    """What `parked list --json` prints."""

    parked: tuple[ParkedRow, ...]


@dataclass(frozen=True, slots=True)
class RetryDocument:
    """What `parked retry --json` prints. `at_once`: not only with the next sync."""

    event_id: str
    keys: tuple[str, ...]
    at_once: bool


def list_parked(event: AnyEvent = None, *, as_json: AsJson = False) -> Exit:
    """List refused changes: record, issue, field, since when."""
    _, rows, now = asyncio.run(_parked(load_settings(), event))
    document = ParkedDocument(rows)
    if as_json:
        print_json(document)
    elif not rows:
        out().print("Nothing is parked.")
    else:
        print_parked(out(), document, now)
    return Exit.OK


def print_parked(console: Console, document: ParkedDocument, now: int) -> None:
    """One line a refused change, and its sentence below. Times are relative to `now` (ms)."""
    columns = (
        Column("event"),
        Column("record"),
        Column("issue"),
        Column("field", fit=Fit.CUT, spare=1),
        Column("since"),
        Column("in words", fit=Fit.WORDS),
    )
    events = shown_ids(console, (row.event_id for row in document.parked))
    keys = shown_keys(console, (row.key for row in document.parked))
    rows = [
        (
            events[row.event_id],
            keys[row.key],
            row.code,
            row.field or "-",
            moment(console, row.since_ms, now),
            plain(row.sentence),
        )
        for row in document.parked
    ]
    print_table(console, columns, rows)


def retry_parked(
    event: Event,
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY", help="Keys as parked list shows them; all when left out.", show_default=False),
    ] = None,
    *,
    as_json: AsJson = False,
) -> Exit:
    """Have refused changes tried once more: now with continuous sync, else with the next sync.

    Exit code 1 when there is nothing of the kind.
    """
    settings = load_settings()
    event_id, rows, _ = asyncio.run(_parked(settings, event))
    parked = dict.fromkeys(row.key for row in rows)
    records = {key.partition("#")[0] for key in parked}
    given = keys or []
    wanted = {*given, *(found for key in given for found in chosen_keys(key, records))}
    chosen = tuple(key for key in parked if not keys or {key, key.partition("#")[0]} & wanted)
    if not chosen:
        say(f"Event {plain(event_id)} has nothing parked{' under these keys' if keys else ''}; `parked list` shows it.")
        return Exit.FAILED
    at_once = asyncio.run(ask_for(settings, event_id, [LedgerCommand(Action.RETRY, key) for key in chosen]))
    if as_json:
        print_json(RetryDocument(event_id, chosen, at_once))
    else:
        when = "now" if at_once else "with the next sync"
        paragraph(out(), f"{counted(len(chosen), 'refused change')} will be tried once more {when}.")
    return Exit.OK


async def _parked(settings: Settings, given: str | None) -> tuple[str, tuple[ParkedRow, ...], int]:
    """The event that is meant ("" for all), what is parked, and the time (ms)."""
    async with open_session(settings) as stores:
        event_id = await whole_event(stores, given) if given else ""
        events = (event_id,) if event_id else sorted(await stores.inbox.events())
        rows = [
            ParkedRow(
                event, issue.key, issue.code.value, issue.field, masked(for_operator(issue)), iso(issue.at), issue.at
            )
            for event in events
            for issue in sorted((await stores.board.issues(event)).values(), key=lambda each: each.key)
            if issue.parked
        ]
        return event_id, tuple(rows), stores.clock.now()
