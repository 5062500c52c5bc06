"""A terminal of a given width, and what is shown on it."""

from __future__ import annotations

from io import StringIO

from rich.console import Console


def screen(width: int, *, terminal: bool = False) -> tuple[Console, StringIO]:
    shown = StringIO()
    console = Console(
        file=shown,
        width=width,
        markup=False,
        emoji=False,
        highlight=False,
        force_terminal=terminal,
        color_system="auto",
    )
    return console, shown
