"""`ledger show`: what is known to be in Swoogo, from Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from consumer.domain.ledger import Entry, Ledger
from consumer.domain.pair import Pair
from consumer.domain.record import Kind, id_of, kind_of, readable
from consumer.domain.text import masked
from consumer.entrypoints.console.exits import Exit, say
from consumer.entrypoints.console.opened import opened
from consumer.entrypoints.console.output import iso, out, plain, print_json
from consumer.settings import Settings

_NAME = 48
_VALUE = 60


@dataclass(frozen=True, slots=True)
class EntryDocument:
    """One ledger entry. `pushed`: what was last sent; `seen`: what Swoogo answered; long texts as their length."""

    key: str
    kind: str
    id: str
    state: str
    swoogo_id: int | None
    contact_id: int | None
    natural: str
    pushed: Mapping[str, str]
    seen: Mapping[str, str]
    links: tuple[str, ...]
    changed: str | None

    @property
    def name(self) -> str:
        """What people call the record."""
        person = f"{self.pushed.get('first_name', '')} {self.pushed.get('last_name', '')}".strip()
        return self.pushed.get("name") or person or self.natural


@dataclass(frozen=True, slots=True)
class LedgerDocument:
    """What `ledger show --json` prints."""

    event_id: str
    entries: tuple[EntryDocument, ...]


def show_ledger(settings: Settings, event_id: str, wanted: str | None, *, as_json: bool) -> Exit:
    """The ledger of an event, or the entries that `wanted` names.

    Args:
        settings: where Redis is.
        event_id: the Sessionboard event.
        wanted: a key (`session/ID`), a Sessionboard id or a Swoogo id; None: all.
        as_json: for machines.

    Raises UnavailableError, ConfigurationError.
    """

    async def read() -> tuple[Ledger, Pair | None]:
        async with opened(settings) as stores:
            return await stores.ledger.load(event_id), await stores.pairs.pair(event_id)

    ledger, pair = asyncio.run(read())
    document = ledger_document(event_id, ledger, wanted, era=pair.era if pair else 0)
    if as_json:
        print_json(document)
    if not document.entries:
        say(f"The ledger of event {plain(event_id)} has {f'no {plain(wanted)}' if wanted else 'no entries'}.")
        return Exit.NO
    if not as_json:
        if wanted:
            for entry in document.entries:
                print_entry(out(), entry)
        else:
            out().print(entries_table(document))
    return Exit.FINE


def ledger_document(event_id: str, ledger: Ledger, wanted: str | None, *, era: int = 0) -> LedgerDocument:
    """The entries that are asked for, sorted by key; e-mail addresses masked. Sessions of an earlier era are sealed."""
    found = (item for item in sorted(ledger.items()) if wanted is None or _named(wanted, *item))
    return LedgerDocument(event_id, tuple(_entry(key, entry, era) for key, entry in found))


def _named(wanted: str, key: str, entry: Entry) -> bool:
    return wanted in {key, id_of(key)} or (entry.swoogo_id is not None and wanted == str(entry.swoogo_id))


def _entry(key: str, entry: Entry, era: int) -> EntryDocument:
    sealed = kind_of(key) is Kind.SESSION and entry.sealed(era)
    return EntryDocument(
        key=key,
        kind=kind_of(key).value,
        id=id_of(key),
        state="sealed" if sealed else entry.state.value,
        swoogo_id=entry.swoogo_id,
        contact_id=entry.contact_id,
        natural=masked(entry.natural),
        pushed={name: masked(readable(value)) for name, value in sorted(entry.pushed.items())},
        seen={name: masked(readable(value)) for name, value in sorted(entry.seen.items())},
        links=entry.links,
        changed=iso(entry.at),
    )


def entries_table(document: LedgerDocument) -> Table:
    """One line an entry."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("key", overflow="fold")
    table.add_column("state")
    table.add_column("Swoogo", justify="right", min_width=7)
    table.add_column("name")
    table.add_column("fields", justify="right")
    table.add_column("links", justify="right")
    table.add_column("changed")
    for entry in document.entries:
        table.add_row(
            plain(entry.key),
            entry.state,
            "-" if entry.swoogo_id is None else str(entry.swoogo_id),
            plain(entry.name, _NAME),
            str(len(entry.pushed)),
            str(len(entry.links)) if entry.links else "-",
            entry.changed or "-",
            style=None if entry.state == "applied" else "yellow",
        )
    return table


def print_entry(console: Console, entry: EntryDocument) -> None:
    """One entry, field by field."""
    where = "not in Swoogo yet" if entry.swoogo_id is None else f"Swoogo {entry.swoogo_id}"
    contact = f" (contact {entry.contact_id})" if entry.contact_id else ""
    console.print(f"{plain(entry.key)}  {entry.state}  {where}{contact}", style="bold", soft_wrap=True)
    console.print(f"    recognised by: {plain(entry.natural, _VALUE)}", soft_wrap=True)
    console.print(f"    changed: {entry.changed or '-'}")
    for name in sorted({*entry.pushed, *entry.seen}):
        pushed, seen = entry.pushed.get(name), entry.seen.get(name)
        text = "not sent" if pushed is None else plain(pushed, _VALUE) or "(empty)"
        if seen is not None and seen != pushed:
            text += f"  [Swoogo answered: {plain(seen, _VALUE) or '(empty)'}]"
        console.print(f"    {name}: {text}", soft_wrap=True)
    for session in entry.links:
        console.print(f"    on session {plain(session)}", soft_wrap=True)
