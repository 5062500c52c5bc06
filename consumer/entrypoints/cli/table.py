"""Tables for people: ids and numbers stay whole, sentences break at words, names are cut, no line is too long.

Where the output is no terminal, each row is one line, however long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from consumer.entrypoints.cli.output import paragraph

_LEAST: Final = {"words": 24, "cut": 14}
"""Columns that a sentence or a name needs to be readable."""
_GAPS: Final = (2, 1)
T = TypeVar("T")


class Fit(Enum):
    """What becomes of a value that is too wide."""

    WHOLE = "whole"
    WORDS = "words"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        spare: above 0, it is left out where there is no room for all, the highest first.
    """

    title: str
    right: bool = False
    fit: Fit = Fit.WHOLE
    spare: int = 0


Columns = Sequence[Column | str]
"""In order; a title alone is a column whose values stay whole."""


def number(title: str, spare: int = 0) -> Column:
    return Column(title, right=True, spare=spare)


def cut(title: str, spare: int = 0) -> Column:
    """A column of names, which may be cut."""
    return Column(title, fit=Fit.CUT, spare=spare)


def prose(title: str, spare: int = 0) -> Column:
    """A column of sentences, which may break at words."""
    return Column(title, fit=Fit.WORDS, spare=spare)


def print_rows(
    console: Console,
    items: Sequence[T],
    cells: Sequence[tuple[Column | str, Callable[[T], str]]],
    style: Callable[[T], str | None] = lambda _: None,
) -> None:
    """Print a row for each item. `cells`: each column with what it says of an item; `style`: of the item's row."""
    rows = [[cell(each) for _, cell in cells] for each in items]
    print_table(console, [column for column, _ in cells], rows, [style(each) for each in items])


def print_table(
    console: Console, titles: Columns, rows: Sequence[Sequence[str]], styles: Sequence[str | None] = ()
) -> None:
    """Print rows below their headings; a heading row of empty titles is left out.

    `console`: where to. `rows`: of each, a cell a column; safe lines, see `output.plain`. `styles`: of each row; none
    when left out.
    """
    columns = [Column(each) if isinstance(each, str) else each for each in titles]
    drawn = _layout(columns, rows, console.width if console.is_terminal else None)
    if drawn is None:
        _stacked(console, columns, rows, styles)
        return
    shown, widths, gap = drawn
    head = [columns[index].title for index in shown]
    for place, row in enumerate([head, *([row[index] for index in shown] for row in rows)]):
        if place == 0 and not any(row):
            continue
        style = "bold" if place == 0 else styles[place - 1] if styles else None
        cells = [
            _cell(console, text, width, columns[index].fit)
            for text, width, index in zip(row, widths, shown, strict=True)
        ]
        for line in range(max(map(len, cells))):
            texts = [cell[line] if line < len(cell) else "" for cell in cells]
            aligned = (_aligned(*each) for each in zip(texts, widths, (columns[i].right for i in shown), strict=True))
            console.print((" " * gap).join(aligned).rstrip(), style=style, soft_wrap=True)


def without_empty(columns: Columns, rows: Sequence[Sequence[str]]) -> tuple[Columns, list[list[str]]]:
    """Columns, and the rows of these, that have more than a dash in any row."""
    kept = [index for index in range(len(columns)) if any(row[index] not in {"", "-"} for row in rows)]
    return [columns[index] for index in kept], [[row[index] for index in kept] for row in rows]


def _layout(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], width: int | None
) -> tuple[list[int], list[int], int] | None:
    """Which columns are shown, how wide each, and the gap between them; None where not even the least fits."""
    natural = [max(map(cell_len, (column.title, *(row[i] for row in rows)))) for i, column in enumerate(columns)]
    shown = list(range(len(columns)))
    if width is None:
        return shown, natural, _GAPS[0]
    while shown:
        for gap in _GAPS:
            widths = _shrunk(
                [natural[i] for i in shown],
                [_least(columns, rows, i, natural[i]) for i in shown],
                width - gap * (len(shown) - 1),
            )
            if widths is not None:
                return shown, widths, gap
        spare = max(shown, key=lambda i: columns[i].spare)
        if not columns[spare].spare:
            return None
        shown.remove(spare)
    return None


def _least(columns: Sequence[Column], rows: Sequence[Sequence[str]], index: int, natural: int) -> int:
    column = columns[index]
    if column.fit is Fit.WHOLE:
        return natural
    least = max(_LEAST[column.fit.value], cell_len(column.title))
    if column.fit is Fit.WORDS:
        words = (cell_len(word) for row in rows for word in row[index].split())
        least = max(least, *words) if rows else least
    return min(natural, least)


def _shrunk(natural: Sequence[int], least: Sequence[int], room: int) -> list[int] | None:
    """Widths that fit: the widest give first. None where the least is too much."""
    if sum(least) > room:
        return None
    widths = list(natural)
    while sum(widths) > room:
        widest = max((i for i in range(len(widths)) if widths[i] > least[i]), key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _cell(console: Console, text: str, width: int, fit: Fit) -> list[str]:
    if cell_len(text) <= width:
        return [text]
    if fit is Fit.WORDS:
        return [line.plain.rstrip() for line in Text(text).wrap(console, width)]
    cut = Text(text)
    cut.truncate(width, overflow="ellipsis")
    return [cut.plain]


def _aligned(text: str, width: int, right: bool) -> str:  # noqa: FBT001 - one of a row of three
    filling = " " * max(width - cell_len(text), 0)
    return filling + text if right else text + filling


def _stacked(
    console: Console, columns: Sequence[Column], rows: Iterable[Sequence[str]], styles: Sequence[str | None]
) -> None:
    """A narrow terminal: each row as lines of `heading: value`."""
    for place, row in enumerate(rows):
        style = styles[place] if styles else None
        for index, (column, text) in enumerate(zip(columns, row, strict=True)):
            if text:
                title = f"{column.title}: " if column.title else ""
                paragraph(console, f"{'  ' if index else ''}{title}{text}", style=style)
