"""`dlq`: undecodable records: listed, shown, put back where they came from, or discarded (G1)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final

import typer
from rich.console import Console

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.dead_letters import DeadLetterQueue, Letter
from consumer.domain.errors import ConfigurationError
from consumer.entrypoints.cli.arguments import AsJson, Sure
from consumer.entrypoints.cli.exit_codes import Exit, say
from consumer.entrypoints.cli.output import moment, out, paragraph, print_json
from consumer.entrypoints.cli.prompts import confirmed
from consumer.entrypoints.cli.table import Column, Fit, print_table
from consumer.entrypoints.documents.words import counted, iso, plain
from consumer.settings import Settings, load_settings
from schemas.dead_letter import Reason

_SHOWN: Final = 4_000
"""Characters of a value that are shown."""
_SECRET: Final = re.compile(
    r'("[^"]*(?:secret|token|password|sealed|consumer_key|authorization)[^"]*"\s*:\s*)"(?:[^"\\]|\\.)*"?', re.IGNORECASE
)
_ADVICE: Final[dict[Reason, str]] = {
    Reason.UNKNOWN_VERSION: "update this service to one that knows the version, then replay it",
    Reason.TOO_LARGE: "raise SWOOGO_SYNC_KAFKA__MAX_RECORD_BYTES, then replay it; or publish a smaller one",
    Reason.UNKNOWN_ACTION: "update this service to one that knows the action, then replay it; or discard it",
}
_USUALLY: Final = "have it published again, then discard it"


Letters = Annotated[
    str | None, typer.Argument(metavar="ID", help="PARTITION:OFFSET, as dlq list shows it.", show_default=False)
]
All = Annotated[bool, typer.Option("--all", help="Every open one.")]


@dataclass(frozen=True, slots=True)
class LetterDocument:
    """One dead letter. `id` is `PARTITION:OFFSET`; `value` and `headers` with `dlq show` alone, secrets withheld."""

    id: str
    at: str | None
    at_ms: int
    topic: str
    partition: int
    offset: int
    key: str
    reason: str
    error: str
    advice: str
    value: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class LettersDocument:
    """What `dlq list --json` prints: the newest open ones. `open`: how many there are in all."""

    open: int
    letters: tuple[LetterDocument, ...]


@dataclass(frozen=True, slots=True)
class SettledDocument:
    """What `dlq replay --json` and `dlq discard --json` print: ids by what became of them."""

    replayed: tuple[str, ...] = ()
    superseded: tuple[str, ...] = ()
    discarded: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


def list_letters(
    *,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the newest ones.")] = 50,
    topic: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="Only those that came from this topic.", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> Exit:
    """List open dead letters: when, where from, why, and what to do."""
    settings = load_settings()
    found = [each for each in _open(settings) if topic in {None, each.origin.origin_topic}]
    document = LettersDocument(len(found), tuple(_document(each) for each in found[-limit:]))
    if as_json:
        print_json(document)
    elif not found:
        out().print("There are no open dead letters.")
    else:
        print_letters(out(), document, SystemClock().now())
    return Exit.OK


def print_letters(console: Console, document: LettersDocument, now: int) -> None:
    """One line a dead letter. Times are relative to `now` (ms)."""
    columns = (
        Column("id"),
        Column("when"),
        Column("from"),
        Column("key", fit=Fit.CUT, spare=1),
        Column("reason"),
        Column("what to do", fit=Fit.WORDS),
    )
    rows = [
        (
            each.id,
            moment(console, each.at_ms, now),
            f"{each.topic} {each.partition}:{each.offset}",
            each.key,
            each.reason,
            each.advice,
        )
        for each in document.letters
    ]
    print_table(console, columns, rows)
    if document.open > len(rows):
        console.print(f"… and {document.open - len(rows):,} older ones; --limit shows more.", style="dim")


def show_letter(
    identifier: Annotated[
        str, typer.Argument(metavar="ID", help="PARTITION:OFFSET, as dlq list shows it.", show_default=False)
    ],
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
    document = _document(chosen[0], whole=True)
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
    identifier: Letters = None, *, everything: All = False, sure: Sure = False, as_json: AsJson = False
) -> Exit:
    """Put original records back on the topic they came from, where the service reads them as any other.

    One whose key has a newer record is only marked as settled. Exit code 1 when there is none, or one cannot be
    replayed because its bytes were not kept.
    """
    settings = load_settings()
    chosen = _chosen(settings, _which(identifier, everything=everything))
    if not chosen:
        return Exit.FAILED
    whole = [each for each in chosen if not each.incomplete]
    for each in chosen:
        if each.incomplete:
            say(f"Dead letter {each.name} cannot be replayed: {each.incomplete}")
    refused = tuple(each.name for each in chosen if each.incomplete)
    old = asyncio.run(DeadLetterQueue(settings.kafka).superseded(whole)) if whole else set[str]()
    back = [each for each in whole if each.name not in old]
    passed_over = [each for each in whole if each.name in old]
    if whole and not sure:
        also = f"; {counted(len(passed_over), 'letter')} with a newer record of the same key only settled"
        question = f"Put {counted(len(back), 'record')} back where they came from{also if passed_over else ''}?"
        if not confirmed(question):
            return Exit.FAILED

    async def settle() -> None:
        letters = DeadLetterQueue(settings.kafka)
        await letters.settle(passed_over, "superseded", put_back=False)
        await letters.settle(back, "replayed", put_back=True)

    asyncio.run(settle())
    _told(SettledDocument(replayed=_names(back), superseded=_names(passed_over), refused=refused), as_json=as_json)
    return Exit.FAILED if refused else Exit.OK


def discard_letters(
    identifier: Letters = None, *, everything: All = False, sure: Sure = False, as_json: AsJson = False
) -> Exit:
    """Mark dead letters as dealt with; what they hold is not synced. Exit code 1 when there is none."""
    settings = load_settings()
    chosen = _chosen(settings, _which(identifier, everything=everything))
    if not chosen:
        return Exit.FAILED
    question = f"Discard {counted(len(chosen), 'dead letter')}? What they hold is not synced."
    if not sure and not confirmed(question):
        return Exit.FAILED
    asyncio.run(DeadLetterQueue(settings.kafka).settle(chosen, "discarded", put_back=False))
    _told(SettledDocument(discarded=_names(chosen)), as_json=as_json)
    return Exit.OK


def _which(identifier: str | None, *, everything: bool) -> str | None:
    """None: all of them. Raises ConfigurationError."""
    if (identifier is None) is not everything:
        raise ConfigurationError("Name one dead letter as PARTITION:OFFSET, or all of them with --all.")
    return identifier


def _open(settings: Settings) -> list[Letter]:
    return asyncio.run(DeadLetterQueue(settings.kafka).open())


def _chosen(settings: Settings, name: str | None) -> list[Letter]:
    found = [each for each in _open(settings) if name in {None, each.name}]
    if not found:
        say("There are no open dead letters." if name is None else f"There is no open dead letter {plain(name)}.")
    return found


def _names(letters: Sequence[Letter]) -> tuple[str, ...]:
    return tuple(each.name for each in letters)


def _told(document: SettledDocument, *, as_json: bool) -> None:
    if as_json:
        print_json(document)
        return
    for what, names in (
        ("put back; the service reads them now", document.replayed),
        ("settled, since newer records of the same keys have been read", document.superseded),
        ("discarded", document.discarded),
    ):
        if names:
            paragraph(out(), f"{counted(len(names), 'dead letter')} {what}.")


def _document(letter: Letter, *, whole: bool = False) -> LetterDocument:
    origin, record = letter.origin, letter.record
    return LetterDocument(
        id=letter.name,
        at=iso(record.timestamp),
        at_ms=record.timestamp,
        topic=origin.origin_topic,
        partition=origin.origin_partition,
        offset=origin.origin_offset,
        key="(none)" if record.key is None else plain(record.key.decode(errors="replace"), 80),
        reason=origin.reason.value,
        error=plain(origin.error),
        advice=letter.incomplete or _ADVICE.get(origin.reason, _USUALLY),
        value=_readable(record.value) if whole else None,
        headers=tuple((plain(name, 80), _readable(value) or "") for name, value in letter.headers) if whole else (),
    )


def _readable(value: bytes | None) -> str | None:
    """Bytes as a safe line: secrets and e-mail addresses withheld, the rest cut."""
    if value is None:
        return None
    return plain(_SECRET.sub(r'\1"(withheld)"', value[: 4 * _SHOWN].decode(errors="replace")), _SHOWN)
