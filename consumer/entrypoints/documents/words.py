"""How figures and texts are said to people, alike in the commands and on the pages.

Guarantees: what comes from Sessionboard or Swoogo cannot steer what shows it (control characters become spaces), and
e-mail addresses are masked.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from consumer.domain.records.text import masked

# Controls, line separators, marks that turn the reading direction, lone surrogates.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+")

UNPRINTED: Final = MappingProxyType({"unprinted": True})
"""Marks a field of a document that pages draw, and that `--json` leaves out."""


def builtin(value: Any) -> Any:
    """A document as mappings, lists and plain values, for JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        printed = (each for each in dataclasses.fields(value) if "unprinted" not in each.metadata)
        return {field.name: builtin(getattr(value, field.name)) for field in printed}
    if isinstance(value, Mapping):
        return {str(key): builtin(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [builtin(item) for item in value]
    return value


def plain(text: str, limit: int | None = None) -> str:
    """A text as one safe line, masked, and cut to `limit` characters."""
    line = masked(_CONTROL.sub(" ", text)).strip()
    return line if limit is None or len(line) <= limit else line[: limit - 1] + "…"


def iso(moment: int | None) -> str | None:
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
