"""Few rows in which every two values of two options meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

Row = dict[str, str]


def pairwise(options: Mapping[str, Sequence[str]]) -> list[Row]:
    """Rows with one value for each option, the same ones every time.

    Option by option: every row gets the value that meets most others for the first time, and what has not met then
    goes into rows that leave it open, or into rows of its own.
    """
    names = sorted(options, key=lambda name: -len(options[name]))
    rows: list[Row] = [dict(zip(names, values, strict=False)) for values in product(*(options[n] for n in names[:2]))]
    for at, name in enumerate(names[2:], 2):
        apart = {(other, theirs, value) for other in names[:at] for theirs in options[other] for value in options[name]}
        used = dict.fromkeys(options[name], 0)
        for row in rows:
            met = {value: {(other, theirs, value) for other, theirs in row.items()} & apart for value in options[name]}
            row[name] = max(options[name], key=lambda value: (len(met[value]), -used[value]))
            used[row[name]] += 1
            apart -= met[row[name]]
        for other, theirs, value in sorted(apart):
            _place(rows, {other: theirs, name: value})
    return [{name: row.get(name, options[name][0]) for name in options} for row in rows]


def _place(rows: list[Row], pair: Row) -> None:
    """Into the first row that says nothing else."""
    for row in rows:
        if all(row.get(name, value) == value for name, value in pair.items()):
            row |= pair
            return
    rows.append(pair)
