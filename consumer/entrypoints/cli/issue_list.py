"""Issues on a terminal."""

from __future__ import annotations

from collections import Counter
from typing import Final

from rich.console import Console

from consumer.domain.issues.issue import Effect
from consumer.entrypoints.cli.output import paragraph
from consumer.entrypoints.documents.issues import IssueRow
from consumer.entrypoints.documents.words import plain


def show_issues(console: Console, issues: tuple[IssueRow, ...], *, everything: bool = False) -> None:
    """Issues as operators read them, grouped by code, those of records left out first."""
    counts = Counter(issue.code for issue in issues)
    shown: Counter[str] = Counter()
    for issue in issues:
        if not shown[issue.code]:
            style, effect = _EFFECTS[issue.effect]
            console.print(f"Issue {issue.code} ({counts[issue.code]:,}): {effect}", style=style)
        shown[issue.code] += 1
        if everything or shown[issue.code] <= _SENTENCES:
            paragraph(console, f"    {plain(issue.operator)}")
        elif shown[issue.code] == _SENTENCES + 1:
            console.print(f"    … and {counts[issue.code] - _SENTENCES:,} more (--all lists them)", style="dim")


_EFFECTS: Final = {
    Effect.LEFT_OUT.value: ("yellow", "left out"),
    Effect.PARTIAL.value: ("yellow", "synced in part"),
    Effect.COMPLETE.value: ("dim", "synced"),
}
_SENTENCES: Final = 5
"""Sentences of one code shown unless all are asked for."""
