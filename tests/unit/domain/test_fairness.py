"""Places go round between credentials, and within one to what has waited longest."""

from __future__ import annotations

import pytest

from consumer.domain.pacing.pace import share_out

CASES = {
    "in turn, the first of each first": ({"a": "123", "b": "45"}, {}, 4, 8, "a1 b4 a2 b5"),
    "no more than a credential may have": ({"a": "1234", "b": "5"}, {}, 4, 2, "a1 b5 a2"),
    "who has places already comes later": ({"a": "12", "b": "34"}, {"a": 1}, 2, 8, "b3 a1"),
    "who has all its places gets none": ({"a": "12", "b": "34"}, {"a": 2}, 4, 2, "b3 b4"),
    "a queue that is short ends": ({"a": "", "b": "3"}, {}, 4, 8, "b3"),
    "no place, nothing": ({"a": "1"}, {}, 0, 8, ""),
    "nothing waits": ({}, {"a": 1}, 4, 8, ""),
}


@pytest.mark.parametrize(("waiting", "taken", "places", "each", "expected"), CASES.values(), ids=CASES)
def test_places_are_shared_out(
    waiting: dict[str, str], taken: dict[str, int], places: int, each: int, expected: str
) -> None:
    chosen = share_out(waiting, taken, places, each)
    assert [credential + first for credential, first in chosen] == expected.split()
