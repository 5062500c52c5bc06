"""Every two values meet, in about as few rows as there can be."""

from __future__ import annotations

from itertools import combinations, product

from tests.support.pairwise import pairwise


def test_every_two_values_meet_in_few_rows() -> None:
    options = {f"two{number}": ("a", "b") for number in range(20)} | {f"three{number}": "xyz" for number in range(3)}
    rows = pairwise(options)
    for one, other in combinations(options, 2):
        assert {(row[one], row[other]) for row in rows} == set(product(options[one], options[other]))
    assert all(list(row) == list(options) for row in rows)
    assert len(rows) <= 14
