"""`dlq`: undecodable records: listed, shown, put back where they came from, or discarded (G1)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.dead_letters import DeadLetterQueue, Letter
from consumer.entrypoints.console.exit_codes import Exit, say
from consumer.entrypoints.console.output import counted, iso, moment, out, paragraph, plain, print_json
from consumer.entrypoints.console.prompts import confirmed
from consumer.entrypoints.console.table import Column, Fit, print_table
from consumer.settings import Settings
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


def list_letters(settings: Settings, *, limit: int, topic: str | None, as_json: bool) -> Exit:
    """Open dead letters, oldest first. Raises UnavailableError, ConfigurationError."""
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


def show_letter(settings: Settings, name: str, *, as_json: bool) -> Exit:
    """One dead letter with its headers and bytes. Raises UnavailableError, ConfigurationError."""
    chosen = _chosen(settings, name)
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


def replay_letters(settings: Settings, name: str | None, *, sure: bool, as_json: bool) -> Exit:
    """Put letters back on the topic they came from; None: all. Raises UnavailableError, ConfigurationError."""
    chosen = _chosen(settings, name)
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


def discard_letters(settings: Settings, name: str | None, *, sure: bool, as_json: bool) -> Exit:
    """Mark letters as dealt with; None: all. Raises UnavailableError, ConfigurationError."""
    chosen = _chosen(settings, name)
    if not chosen:
        return Exit.FAILED
    question = f"Discard {counted(len(chosen), 'dead letter')}? What they hold is not synced."
    if not sure and not confirmed(question):
        return Exit.FAILED
    asyncio.run(DeadLetterQueue(settings.kafka).settle(chosen, "discarded", put_back=False))
    _told(SettledDocument(discarded=_names(chosen)), as_json=as_json)
    return Exit.OK


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
