"""A field's value as pages show it: one bounded text without markup."""

from __future__ import annotations

from typing import Final

from consumer.domain.records.text import without_markup

HIDDEN: Final = "•••"
"""Stands for what people are called where the viewer is not to know (K4)."""
_TIMES: Final = frozenset({"start_time", "end_time"})


def shown_value(field: str, value: str, limit: int) -> str:
    """Cut to `limit` characters; of a whole minute without its seconds."""
    # A tag parts words: of two paragraphs the last and the first do not run into each other.
    text = " ".join(without_markup(value.replace("<", " <")).split()) if value.startswith("<") else value
    if field in _TIMES and text.endswith(":00"):
        text = text[:-3]
    return text if len(text) <= limit else text[: limit - 1] + "…"
