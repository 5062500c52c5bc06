"""`ledger show`: what is known to be in Swoogo, from Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console

from consumer.adapters.digest_keys import digests_of
from consumer.domain.planning.rekeying import revealed
from consumer.domain.records.identity import NOT_KEPT, Kind, id_of, kind_of, readable
from consumer.domain.records.ledger import Entry, Ledger
from consumer.domain.records.text import masked
from consumer.entrypoints.cli.arguments import ID_FORMS, AsJson, Event
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.output import moment, out, paragraph, print_json, shown_ids, shown_keys
from consumer.entrypoints.cli.table import cut, number, print_rows
from consumer.entrypoints.documents.ids import chosen_keys, whole_event
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import iso, plain
from consumer.services.plan_input import rules_of
from consumer.settings import load_settings

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
    changed_ms: int

    @property
    def name(self) -> str:
        """What people call the record."""
        held = {name: "" if value == NOT_KEPT else value for name, value in self.pushed.items()}
        person = f"{held.get('first_name', '')} {held.get('last_name', '')}".strip()
        return held.get("name") or person or self.natural


@dataclass(frozen=True, slots=True)
class LedgerDocument:
    """What `ledger show --json` prints."""

    event_id: str
    entries: tuple[EntryDocument, ...]


def show_ledger(
    event: Event,
    identifier: Annotated[str | None, typer.Argument(metavar="ID", help=ID_FORMS)] = None,
    *,
    as_json: AsJson = False,
) -> Exit:
    """Show what was pushed: Swoogo id, state, fields and associations. E-mail addresses are masked.

    Of people only digests are kept: a value that Sessionboard still has is shown, another one is not.

    Exit code 1 when there is nothing.
    """
    settings = load_settings()
    digests = digests_of(settings.keys)

    async def read(stores: StoreSession) -> LedgerDocument:
        event_id = await whole_event(stores, event)
        ledger, pair = await asyncio.gather(stores.ledger.load(event_id), stores.pairs.pair(event_id))
        held, rules = await stores.inbox.load(event_id), rules_of(settings.push, settings.swoogo, digests)
        ledger = revealed(ledger, held.snapshot, rules.limits, digests)
        return ledger_document(event_id, ledger, identifier, era=pair.era if pair else 0)

    document, now = in_session(settings, read)
    if as_json:
        print_json(document)
    if not document.entries:
        missing = f"no {plain(identifier)}" if identifier else "no entries"
        say(f"The ledger of event {plain(document.event_id)} has {missing}.")
        return Exit.FAILED
    if not as_json:
        if identifier:
            for entry in document.entries:
                print_entry(out(), entry)
        else:
            print_entries(out(), document, now)
    return Exit.OK


def ledger_document(event_id: str, ledger: Ledger, wanted: str | None, *, era: int = 0) -> LedgerDocument:
    """The entries that are asked for, sorted by key; e-mail addresses masked. Sessions of an earlier era are sealed.

    Raises AmbiguousIdError: `wanted` is the beginning of several.
    """
    keys = ledger.keys() if wanted is None else named_keys(ledger, wanted)
    return LedgerDocument(event_id, tuple(_entry(key, ledger[key], era) for key in sorted(keys)))


def named_keys(ledger: Ledger, wanted: str) -> frozenset[str]:
    """The keys that a key, a Sessionboard id, the beginning of either, or a Swoogo id names.

    Raises AmbiguousIdError.
    """
    whole = (key for key, entry in ledger.items() if wanted in {key, id_of(key), str(entry.swoogo_id or "-")})
    return frozenset(whole) or chosen_keys(wanted, ledger)


def _entry(key: str, entry: Entry, era: int) -> EntryDocument:
    sealed = kind_of(key) is Kind.SESSION and entry.sealed(era)
    return EntryDocument(
        key=key,
        kind=kind_of(key).value,
        id=id_of(key),
        state="sealed" if sealed else entry.state.value,
        swoogo_id=entry.swoogo_id,
        contact_id=entry.contact_id,
        natural=masked(readable(entry.natural)),
        pushed={name: masked(readable(value)) for name, value in sorted(entry.pushed.items())},
        seen={name: masked(readable(value)) for name, value in sorted(entry.seen.items())},
        links=entry.links,
        changed=iso(entry.at),
        changed_ms=entry.at,
    )


def print_entries(console: Console, document: LedgerDocument, now: int) -> None:
    """One line an entry. Times are relative to `now` (ms)."""
    keys = shown_keys(console, (entry.key for entry in document.entries))
    print_rows(
        console,
        document.entries,
        (
            ("key", lambda entry: keys[entry.key]),
            ("state", lambda entry: entry.state),
            (number("Swoogo"), lambda entry: "-" if entry.swoogo_id is None else str(entry.swoogo_id)),
            (cut("name"), lambda entry: plain(entry.name, _NAME)),
            (number("fields", spare=2), lambda entry: str(len(entry.pushed))),
            (number("links", spare=1), lambda entry: str(len(entry.links)) if entry.links else "-"),
            ("changed", lambda entry: moment(console, entry.changed_ms, now)),
        ),
        lambda entry: None if entry.state == "applied" else "yellow",
    )


def print_entry(console: Console, entry: EntryDocument) -> None:
    where = "not in Swoogo yet" if entry.swoogo_id is None else f"Swoogo {entry.swoogo_id}"
    contact = f" (contact {entry.contact_id})" if entry.contact_id else ""
    paragraph(console, f"{plain(entry.key)}  {entry.state}  {where}{contact}", style="bold")
    paragraph(console, f"    recognised by: {plain(entry.natural, _VALUE)}")
    console.print(f"    changed: {entry.changed or '-'}")
    for name in sorted({*entry.pushed, *entry.seen}):
        pushed, seen = entry.pushed.get(name), entry.seen.get(name)
        text = "not sent" if pushed is None else plain(pushed, _VALUE) or "(empty)"
        if seen is not None and seen != pushed:
            text += f"  [Swoogo answered: {plain(seen, _VALUE) or '(empty)'}]"
        paragraph(console, f"    {name}: {text}")
    ids = shown_ids(console, entry.links)
    for session in entry.links:
        paragraph(console, f"    on session {ids[session]}")
