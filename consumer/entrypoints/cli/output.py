"""How answers leave a command: for people through rich, for machines as one JSON document.

Guarantees: what comes from Sessionboard or Swoogo cannot steer the terminal (control characters become spaces),
e-mail addresses are masked, and output that is no terminal has no colours and a fixed width.
"""

from __future__ import annotations

import dataclasses
import json
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from consumer.domain.text import masked

_FILE_WIDTH: Final = 160
"""Columns where the output is no terminal: wide enough that ids and sentences stay on one line."""
_NARROWEST: Final = 20

# Controls, line separators, marks that turn the reading direction, lone surrogates.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")


def out() -> Console:
    """Standard output."""
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
    sys.stdout.write(json.dumps(_builtin(document), indent=2) + "\n")


def _builtin(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _builtin(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _builtin(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_builtin(item) for item in value]
    return value


def plain(text: str, limit: int | None = None) -> str:
    """A text as one safe line, masked, and cut to `limit` characters."""
    line = masked(_CONTROL.sub(" ", text)).strip()
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def iso(moment: int) -> str | None:
    """Ms since the epoch as `2026-06-01T09:00:00+00:00`; None when there is none."""
    return datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="seconds") if moment else None


def lasting(seconds: float) -> str:
    """Seconds for people: `0.4 s`, `34 s`, `12 min`, `3 h`, `2 d`."""
    if seconds < 1:
        return f"{seconds:.1f} s"
    for limit, size, unit in ((120, 1, "s"), (7_200, 60, "min"), (172_800, 3_600, "h")):
        if seconds < limit:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86_400:.0f} d"


def ago(moment: int, now: int) -> str:
    """How long before `now` (both ms) something was."""
    return f"{lasting(max(now - moment, 0) / 1000)} ago"


def counted(number: int, noun: str) -> str:
    """`1 change`, `2 changes`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
