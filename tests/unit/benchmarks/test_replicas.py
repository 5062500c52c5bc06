"""What the benchmark of replicas reads from the sandbox's journal."""

from __future__ import annotations

import pytest

from benchmarks.replicas import Create, Load, jain


@pytest.mark.parametrize(("shares", "index"), [([3, 3, 3], 1.0), ([9, 0, 0], 1 / 3), ([2, 1], 0.9)])
def test_jains_index_is_1_when_all_have_the_same(shares: list[int], index: float) -> None:
    assert jain(shares) == pytest.approx(index)


def test_a_load_shows_an_event_pushed_twice_at_once_and_who_waited() -> None:
    creates = [Create(0.0, "a", "1"), Create(0.02, "a", "2"), Create(0.05, "a", "1"), Create(0.06, "b", "3")]
    assert Load(2, creates, 0.0).least == pytest.approx(1.0)
    assert Load(2, creates, 0.0).fairness(2) == 0.5
    twice = [*creates, Create(0.07, "b", "3")]
    assert Load(2, twice, 0.0).least == pytest.approx(0.2)
