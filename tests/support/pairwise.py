"""Few rows in which every two values of two options meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

Row = dict[str, str]
Pair = tuple[tuple[str, str], tuple[str, str]]
_SEEDS = 40


def pairwise(options: Mapping[str, Sequence[str]]) -> list[Row]:
    """Rows with one value for each option, chosen greedily; the same ones every time."""
    names = list(options)
    open_pairs: set[Pair] = {
        ((one, first), (other, second))
        for one, other in combinations(names, 2)
        for first in options[one]
        for second in options[other]
    }
    rows: list[Row] = []
    while open_pairs:
        seeds = sorted(open_pairs)[:_SEEDS]
        row = max((_row(seed, options, open_pairs) for seed in seeds), key=lambda each: _covered(each, open_pairs))
        open_pairs -= set(_pairs(row, names))
        rows.append(row)
    return rows


def _row(seed: Pair, options: Mapping[str, Sequence[str]], open_pairs: set[Pair]) -> Row:
    """A row that begins with two values and goes on with what meets most others for the first time."""
    names, row = list(options), dict(seed)
    for name in names:
        if name not in row:
            gains = {value: _gain(row, name, value, names, open_pairs) for value in options[name]}
            row[name] = max(gains, key=gains.__getitem__)
    return {name: row[name] for name in names}


def _covered(row: Row, open_pairs: set[Pair]) -> int:
    return sum(1 for pair in _pairs(row, list(row)) if pair in open_pairs)


def _gain(row: Row, name: str, value: str, names: Sequence[str], open_pairs: set[Pair]) -> int:
    return sum(1 for pair in _pairs({**row, name: value}, names) if pair in open_pairs)


def _pairs(row: Row, names: Sequence[str]) -> list[Pair]:
    known = [(name, row[name]) for name in names if name in row]
    return list(combinations(known, 2))
