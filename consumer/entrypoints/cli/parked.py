"""`parked`: changes that Swoogo understood and refused; listed, and tried once more on request (R5, U5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import typer
from rich.console import Console

from consumer.domain.errors import ConfigurationError
from consumer.domain.orders.bulk import BulkFilter, Foreseen
from consumer.entrypoints.cli.arguments import (
    Actor,
    Again,
    AnyEvent,
    AsJson,
    Code,
    DryRun,
    OlderThan,
    Org,
    Sure,
    Why,
    bulk_filter,
    by,
    rounds_allowed,
)
from consumer.entrypoints.cli.exit_codes import Exit, confirmed, say
from consumer.entrypoints.cli.output import moment, out, paragraph, print_json, shown_ids, shown_keys
from consumer.entrypoints.cli.table import cut, print_rows, prose
from consumer.entrypoints.documents.ids import chosen_keys, whole_event
from consumer.entrypoints.documents.parked import Parked, ParkedDocument, find_parked, foresee_parked, parked_document
from consumer.entrypoints.documents.session import StoreSession, in_session
from consumer.entrypoints.documents.words import counted, plain
from consumer.services.orders import Orders, retry_many
from consumer.settings import load_settings


@dataclass(frozen=True, slots=True)
class Retried:
    """What was asked to be retried of one event. `at_once`: not only with the next sync."""

    event_id: str
    keys: tuple[str, ...]
    at_once: bool


@dataclass(frozen=True, slots=True)
class RetryDocument:
    """What `parked retry --json` prints. `exhausted`: left alone, as they failed as often as they may."""

    events: tuple[Retried, ...]
    exhausted: int = 0


Keys = Annotated[
    list[str] | None, typer.Argument(metavar="KEY", help="Keys as parked list shows them; all when left out.")
]
All = Annotated[bool, typer.Option("--all", help="Those of every event.")]


def list_parked(
    event: AnyEvent = None, *, code: Code = "", org: Org = "", older_than: OlderThan = "", as_json: AsJson = False
) -> Exit:
    """List refused changes: record, issue, field, since when."""
    settings = load_settings()
    choice = bulk_filter(code, org, event or "", older_than)
    (found, _), now = in_session(settings, lambda stores: _looked(stores, choice, (), None))
    document = parked_document(found, settings.bulk.max_rounds)
    if as_json:
        print_json(document)
    elif not found:
        out().print("Nothing is parked." if choice == BulkFilter() else "Nothing of the kind is parked.")
    else:
        print_parked(out(), document, now)
    return Exit.OK


def print_parked(console: Console, document: ParkedDocument, now: int, *, foreseen: bool = False) -> None:
    """One line a refused change, and below its sentence, or what a retry would do. Times are relative to `now` (ms)."""
    events = shown_ids(console, (row.event_id for row in document.parked))
    keys = shown_keys(console, (row.key for row in document.parked))
    print_rows(
        console,
        document.parked,
        (
            ("event", lambda row: events[row.event_id]),
            ("record", lambda row: keys[row.key]),
            ("issue", lambda row: row.code),
            (cut("field", spare=1), lambda row: row.field or "-"),
            ("since", lambda row: moment(console, row.since_ms, now)),
            ("rounds", lambda row: f"{row.rounds} of {document.max_rounds}"),
            (prose("would do" if foreseen else "in words"), lambda row: plain(row.would if foreseen else row.sentence)),
        ),
    )


def retry_parked(
    event: AnyEvent = None,
    keys: Keys = None,
    *,
    code: Code = "",
    org: Org = "",
    older_than: OlderThan = "",
    everything: All = False,
    dry_run: DryRun = False,
    again: Again = False,
    why: Why = "",
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Try refused changes once more: now with continuous sync, else with the next sync.

    Those of one event, or of all that the options choose. What was retried and refused as often as it may be
    (BULK__MAX_ROUNDS) is left alone without --again. Exit code 1 when there is nothing of the kind, or the answer was
    no.
    """
    settings = load_settings()
    if not (event or code or org or older_than or everything):
        raise ConfigurationError("Name an event, choose by --code, --org or --older-than, or take --all.")
    limit = rounds_allowed(settings, again=again, why=why)
    choice = bulk_filter(code, org, event or "", older_than)
    rounds = limit if dry_run else None
    (found, foreseen), now = in_session(settings, lambda stores: _looked(stores, choice, keys or (), rounds))
    if not found:
        where = f"Event {plain(event)} has" if event else "There is"
        say(f"{where} nothing parked{' under these keys' if keys else ''}; `parked list` shows it.")
        return Exit.FAILED
    if dry_run:
        _show(parked_document(found, settings.bulk.max_rounds, foreseen), foreseen, now, as_json=as_json)
        return Exit.OK
    wanted = [each for each in found if each.issue.rounds < limit]
    left = len(found) - len(wanted)
    events = {each.event_id for each in wanted}
    where = "" if len(events) == 1 else f" of {counted(len(events), 'event')}"
    if (
        wanted
        and not event
        and not sure
        and not confirmed(f"Try {counted(len(wanted), 'refused change')}{where} again?")
    ):
        return Exit.FAILED
    retried, _ = in_session(settings, lambda stores: _retry(stores.orders, wanted, by(actor), why))
    document = RetryDocument(retried, left)
    if as_json:
        print_json(document)
    else:
        _print_outcome(document)
    return Exit.OK if wanted else Exit.FAILED


def _show(document: ParkedDocument, foreseen: Sequence[Foreseen], now: int, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    print_parked(out(), document, now, foreseen=True)
    sent = sum(each.ordered for each in foreseen)
    total = counted(document.credits, "credit")
    paragraph(out(), f"A retry would send {counted(sent, 'change')} of {len(foreseen)}, for {total}. Nothing was done.")


def _print_outcome(document: RetryDocument) -> None:
    for at_once, when in ((True, "now"), (False, "with the next sync")):
        events = [each for each in document.events if each.at_once is at_once]
        if count := sum(len(each.keys) for each in events):
            paragraph(out(), f"{counted(count, 'refused change')} will be tried once more {when}.")
    if document.exhausted:
        failed = counted(document.exhausted, "change")
        say(f"{failed} failed as often as they may and are left alone; --again --reason TEXT tries them once more.")


async def _retry(orders: Orders, wanted: Iterable[Parked], actor: str, reason: str) -> tuple[Retried, ...]:
    by_event: dict[str, dict[str, None]] = defaultdict(dict)
    for each in wanted:
        by_event[each.event_id][each.issue.key] = None
    chosen = {each: tuple(keys) for each, keys in by_event.items()}
    given = await retry_many(orders, chosen, actor=actor, reason=reason)
    return tuple(Retried(event_id, tuple(keys), given[event_id].at_once) for event_id, keys in by_event.items())


async def _looked(
    stores: StoreSession, choice: BulkFilter, keys: Sequence[str], limit: int | None
) -> tuple[list[Parked], tuple[Foreseen, ...]]:
    """What is parked and meant, and with a `limit` of rounds what a retry of each would do now."""
    if choice.event_id:
        choice = replace(choice, event_id=await whole_event(stores, choice.event_id))
    found = await find_parked(stores, choice)
    if keys:
        records = {each.issue.record for each in found}
        wanted = {*keys, *(known for key in keys for known in chosen_keys(key, records))}
        found = [each for each in found if {each.issue.key, each.issue.record} & wanted]
    return found, () if limit is None else await foresee_parked(stores, found, limit)
