"""How answers leave a command: for people through rich, for machines as one JSON document.

Guarantees: what comes from Sessionboard or Swoogo cannot steer the terminal (control characters become spaces),
e-mail addresses are masked, and output that is no terminal has no colours and a fixed width.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import Final

from rich.console import Console
from rich.text import Text

from consumer.domain.records.identity import id_of
from consumer.entrypoints.documents.ids import short_ids
from consumer.entrypoints.documents.words import ago, builtin, iso, plain

_FILE_WIDTH: Final = 160
"""Columns where the output is no terminal: wide enough that ids and sentences stay on one line."""
_NARROWEST: Final = 20


def out() -> Console:
    return _sized(Console(markup=False, emoji=False, highlight=False))


def err() -> Console:
    """Standard error, for progress."""
    return _sized(Console(markup=False, emoji=False, highlight=False, stderr=True))


def _sized(console: Console) -> Console:
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    return console


def paragraph(console: Console, text: str | Text, *, style: str | None = None) -> None:
    """Print sentences: on a terminal they break at words, below their own indentation; else they are one line."""
    line = Text(text) if isinstance(text, str) else text
    if style:
        line.stylize(style)
    if not console.is_terminal:
        console.print(line, soft_wrap=True)
        return
    indent = " " * (len(line.plain) - len(line.plain.lstrip()))
    line = line[len(indent) :]
    for part in line.wrap(console, max(console.width - len(indent), _NARROWEST)):
        part.rstrip()
        console.print(Text(indent).append_text(part), soft_wrap=True)


def moment(console: Console, at: int, now: int) -> str:
    """When something was (both ms): how long ago on a terminal, the date where the text is kept; "-" for 0."""
    if not at:
        return "-"
    return ago(at, now) if console.is_terminal else str(iso(at))


def print_json(document: object) -> None:
    """One JSON document and nothing else; ASCII, so that no terminal or locale can trip over it."""
    sys.stdout.write(json.dumps(builtin(document), indent=2) + "\n")


def shown_ids(console: Console, known: Iterable[str]) -> Mapping[str, str]:
    """Each id as it is printed: short on a terminal, whole where the text is kept; safe either way."""
    ids = set(known)
    short = short_ids(ids) if console.is_terminal else {each: each for each in ids}
    return {each: plain(text) for each, text in short.items()}


def shown_keys(console: Console, known: Iterable[str]) -> Mapping[str, str]:
    """Keys (`session/ID`, `speaker/ID#headshot`) as they are printed, as `shown_ids`."""
    parts = {key: (key[: -len(id_of(key))], *id_of(key).partition("#")) for key in known if id_of(key)}
    ids = shown_ids(console, (identifier for _, identifier, _, _ in parts.values()))
    return {key: kind + ids[identifier] + plain(mark + rest) for key, (kind, identifier, mark, rest) in parts.items()}
