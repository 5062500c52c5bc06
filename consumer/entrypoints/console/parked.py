"""`parked`: changes that Swoogo understood and refused; listed, and tried once more on request (R5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from consumer.domain.ledger_commands import Action, LedgerCommand
from consumer.domain.sentences import for_operator
from consumer.domain.text import masked
from consumer.entrypoints.console.exits import Exit, say
from consumer.entrypoints.console.opened import opened
from consumer.entrypoints.console.orders import ask_for
from consumer.entrypoints.console.output import counted, iso, out, plain, print_json
from consumer.settings import Settings


@dataclass(frozen=True, slots=True)
class ParkedRow:
    """One refused change. `key`: as issues name it; `since`: None where that was not kept."""

    event_id: str
    key: str
    code: str
    field: str
    sentence: str
    since: str | None


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


def list_parked(settings: Settings, event_id: str | None, *, as_json: bool) -> Exit:
    """What is parked, of one event or of all. Raises UnavailableError, ConfigurationError."""
    document = ParkedDocument(tuple(asyncio.run(_parked(settings, event_id))))
    if as_json:
        print_json(document)
    elif not document.parked:
        out().print("Nothing is parked.")
    else:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        for column in ("event", "record", "issue", "field", "since", "in words"):
            table.add_column(column, overflow="fold")
        for row in document.parked:
            table.add_row(
                plain(row.event_id), plain(row.key), row.code, row.field or "-", row.since or "-", plain(row.sentence)
            )
        out().print(table)
    return Exit.FINE


def retry_parked(settings: Settings, event_id: str, keys: Sequence[str], *, as_json: bool) -> Exit:
    """Have refused changes tried once more at the next push. Raises UnavailableError, ConfigurationError."""
    rows = asyncio.run(_parked(settings, event_id))
    chosen = tuple(dict.fromkeys(row.key for row in rows if not keys or {row.key, row.key.partition("#")[0]} & {*keys}))
    if not chosen:
        say(f"Event {plain(event_id)} has nothing parked{' under these keys' if keys else ''}; `parked list` shows it.")
        return Exit.NO
    at_once = asyncio.run(ask_for(settings, event_id, [LedgerCommand(Action.RETRY, key) for key in chosen]))
    if as_json:
        print_json(RetryDocument(event_id, chosen, at_once))
    else:
        when = "now" if at_once else "with the next sync"
        out().print(f"{counted(len(chosen), 'refused change')} will be tried once more {when}.", soft_wrap=True)
    return Exit.FINE


async def _parked(settings: Settings, event_id: str | None) -> list[ParkedRow]:
    async with opened(settings) as stores:
        events = (event_id,) if event_id else await stores.inbox.events()
        return [
            ParkedRow(event, issue.key, issue.code.value, issue.field, masked(for_operator(issue)), iso(issue.at))
            for event in events
            for issue in sorted((await stores.board.issues(event)).values(), key=lambda each: each.key)
            if issue.parked
        ]
