"""`dlq`: undecodable records: listed, shown, put back where they came from, or discarded (G1, U5)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer
from rich.console import Console

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.dead_letters import DeadLetterQueue, Letter
from consumer.domain.errors import ConfigurationError
from consumer.domain.orders.bulk import BulkFilter, Outcome
from consumer.domain.orders.order import OrderKind, Receipt
from consumer.entrypoints.cli.arguments import (
    Actor,
    Again,
    AsJson,
    Code,
    DryRun,
    OlderThan,
    Org,
    Sure,
    Why,
    bulk_filter,
    by,
    events_beginning,
    rounds_allowed,
)
from consumer.entrypoints.cli.exit_codes import Exit, confirmed, say
from consumer.entrypoints.cli.orders import give
from consumer.entrypoints.cli.output import moment, out, paragraph, print_json
from consumer.entrypoints.cli.table import cut, print_rows, prose
from consumer.entrypoints.documents.letters import (
    LettersDocument,
    ResolvedDocument,
    chosen_letters,
    foresee_letters,
    letter_document,
)
from consumer.entrypoints.documents.words import counted, plain
from consumer.settings import Settings, load_settings

Letters = Annotated[str | None, typer.Argument(metavar="ID", help="PARTITION:OFFSET, as dlq list shows it.")]
All = Annotated[bool, typer.Option("--all", help="Every open one.")]
OneEvent = Annotated[
    str,
    typer.Option(
        "--event",
        metavar="EVENT",
        help="Only those of this event; the beginning of its id will do.",
        autocompletion=events_beginning,
    ),
]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest ones.")]


def list_letters(
    *,
    limit: Limit = 50,
    topic: Annotated[str | None, typer.Option(metavar="TOPIC", help="Only those that came from this topic.")] = None,
    code: Code = "",
    org: Org = "",
    event: OneEvent = "",
    older_than: OlderThan = "",
    as_json: AsJson = False,
) -> Exit:
    """List open dead letters: when, where from, why, and what to do."""
    settings = load_settings()
    choice, now = bulk_filter(code, org, event, older_than), SystemClock().now()
    found = asyncio.run(chosen_letters(settings, choice, now, topic=topic))
    shown = tuple(letter_document(each) for each in found[-limit:])
    document = LettersDocument(len(found), shown, settings.bulk.max_rounds)
    if as_json:
        print_json(document)
    elif not found:
        out().print(
            "There are no open dead letters." if choice == BulkFilter() else "No open dead letter is of the kind."
        )
    else:
        print_letters(out(), document, now)
    return Exit.OK


def print_letters(console: Console, document: LettersDocument, now: int, *, foreseen: bool = False) -> None:
    """One line a dead letter, and below what to do, or what a replay would do. Times are relative to `now` (ms)."""
    print_rows(
        console,
        document.letters,
        (
            ("id", lambda each: each.id),
            ("when", lambda each: moment(console, each.at_ms, now)),
            ("from", lambda each: f"{each.topic} {each.partition}:{each.offset}"),
            (cut("key", spare=1), lambda each: each.key),
            ("reason", lambda each: each.reason),
            ("rounds", lambda each: f"{each.rounds} of {document.max_rounds}"),
            (prose("would"), lambda each: each.would) if foreseen else (prose("what to do"), lambda each: each.advice),
        ),
    )
    if older := document.open - len(document.letters):
        console.print(f"… and {older:,} older ones; --limit shows more.", style="dim")


def show_letter(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="PARTITION:OFFSET, as dlq list shows it.")],
    *,
    as_json: AsJson = False,
) -> Exit:
    """Show a dead letter: headers and original bytes, without secrets and e-mail addresses.

    Exit code 1 when there is no such open one.
    """
    settings = load_settings()
    chosen = _chosen(settings, identifier)
    if not chosen:
        return Exit.FAILED
    document = letter_document(chosen[0], whole=True)
    if as_json:
        print_json(document)
        return Exit.OK
    console = out()
    console.print(f"Dead letter {document.id}, {document.reason}", style="bold")
    paragraph(console, f"    {document.error}")
    console.print(f"    from {document.topic} {document.partition}:{document.offset}, {document.at or '-'}")
    paragraph(console, f"    key: {document.key}")
    for header, value in document.headers:
        paragraph(console, f"    header {header}: {value}")
    absent = "(not kept)" if chosen[0].incomplete else "(none)"
    paragraph(console, f"    value: {absent if document.value is None else document.value}")
    paragraph(console, f"    what to do: {document.advice}")
    return Exit.OK


def replay_letters(
    identifier: Letters = None,
    *,
    everything: All = False,
    code: Code = "",
    org: Org = "",
    event: OneEvent = "",
    older_than: OlderThan = "",
    dry_run: DryRun = False,
    again: Again = False,
    why: Why = "",
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Put original records back on the topic they came from, where the service reads them as any other.

    One whose key has a newer record is only marked as resolved. One that was put back and failed as often as it may
    (BULK__MAX_ROUNDS) is left alone without --again. Exit code 1 when there is none, or one cannot be replayed because
    its bytes were not kept.
    """
    settings = load_settings()
    limit = rounds_allowed(settings, again=again, why=why)
    choice = bulk_filter(code, org, event, older_than)
    chosen = _chosen(settings, _which(identifier, choice, everything=everything), choice)
    if not chosen:
        return Exit.FAILED
    foreseen = asyncio.run(foresee_letters(settings, chosen, limit=limit))
    if dry_run:
        shown = tuple(letter_document(each, foreseen=seen) for each, seen in zip(chosen, foreseen, strict=True))
        _show(LettersDocument(len(chosen), shown, settings.bulk.max_rounds), as_json=as_json)
        return Exit.OK

    def those(*outcomes: Outcome) -> list[Letter]:
        return [each for each, seen in zip(chosen, foreseen, strict=True) if seen.outcome in outcomes]

    back, old = those(Outcome.READ, Outcome.FAIL), those(Outcome.NEWER)
    lost, left = those(Outcome.LOST), those(Outcome.EXHAUSTED)
    for each in lost:
        say(f"Dead letter {each.name} cannot be replayed: {each.incomplete or 'its topic is no longer read.'}")
    if (back or old) and not sure:
        also = f"; {counted(len(old), 'letter')} with a newer record of the same key only resolved" if old else ""
        if not confirmed(f"Put {counted(len(back), 'record')} back where they came from{also}?"):
            return Exit.FAILED

    async def resolve() -> Receipt:
        letters = DeadLetterQueue(settings.kafka)
        await letters.resolve(old, "superseded", put_back=False)
        await letters.resolve(back, "replayed", put_back=True)
        return Receipt(at_once=True)

    if back or old:
        names = _names([*back, *old])
        give(settings, OrderKind.REPLAY, choice.event_id, by(actor), why, names, act=resolve)
    document = ResolvedDocument(_names(back), _names(old), refused=_names(lost), exhausted=_names(left))
    _print_outcome(document, as_json=as_json)
    return Exit.FAILED if lost or not (back or old) else Exit.OK


def discard_letters(
    identifier: Letters = None,
    *,
    everything: All = False,
    code: Code = "",
    org: Org = "",
    event: OneEvent = "",
    older_than: OlderThan = "",
    dry_run: DryRun = False,
    why: Why = "",
    actor: Actor = "",
    sure: Sure = False,
    as_json: AsJson = False,
) -> Exit:
    """Mark dead letters as dealt with; what they hold is not synced. Exit code 1 when there is none."""
    settings = load_settings()
    choice = bulk_filter(code, org, event, older_than)
    chosen = _chosen(settings, _which(identifier, choice, everything=everything), choice)
    if not chosen:
        return Exit.FAILED
    if dry_run:
        shown = tuple(replace(letter_document(each), outcome="discard", would="Be left unsynced") for each in chosen)
        _show(LettersDocument(len(chosen), shown, settings.bulk.max_rounds), as_json=as_json)
        return Exit.OK
    question = f"Discard {counted(len(chosen), 'dead letter')}? What they hold is not synced."
    if not sure and not confirmed(question):
        return Exit.FAILED

    async def resolve() -> Receipt:
        await DeadLetterQueue(settings.kafka).resolve(chosen, "discarded", put_back=False)
        return Receipt(at_once=True)

    give(settings, OrderKind.DISCARD, choice.event_id, by(actor), why, _names(chosen), act=resolve)
    _print_outcome(ResolvedDocument(discarded=_names(chosen)), as_json=as_json)
    return Exit.OK


def _which(identifier: str | None, choice: BulkFilter, *, everything: bool) -> str | None:
    """None: all that the choice takes. Raises ConfigurationError."""
    if (identifier is not None) + everything + (choice != BulkFilter()) != 1:
        raise ConfigurationError(
            "Name one dead letter as PARTITION:OFFSET, choose by --code, --org, --event or --older-than, or take --all."
        )
    return identifier


def _chosen(settings: Settings, name: str | None, choice: BulkFilter | None = None) -> list[Letter]:
    known = asyncio.run(chosen_letters(settings, choice or BulkFilter(), SystemClock().now()))
    found = [each for each in known if name in {None, each.name}]
    if not found:
        say("There are no open dead letters." if name is None else f"There is no open dead letter {plain(name)}.")
    return found


def _names(letters: Sequence[Letter]) -> tuple[str, ...]:
    return tuple(each.name for each in letters)


def _show(document: LettersDocument, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    print_letters(out(), document, SystemClock().now(), foreseen=True)
    paragraph(out(), "Nothing was done.")


def _print_outcome(document: ResolvedDocument, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    for what, names in (
        ("put back; the service reads them now", document.replayed),
        ("resolved, since newer records of the same keys have been read", document.superseded),
        ("discarded", document.discarded),
        ("failed as often as they may and are left alone; --again --reason TEXT tries them", document.exhausted),
    ):
        if names:
            paragraph(out(), f"{counted(len(names), 'dead letter')} {what}.")
