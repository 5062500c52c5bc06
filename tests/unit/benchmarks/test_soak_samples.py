"""The verdict of a soak: what goes on growing is told from what warms up and from what swings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.soak_samples import Sample, trends


def samples(resident: Callable[[int], float]) -> list[Sample]:
    """An hour of looks; only memory moves."""
    return [Sample(at * 10.0, resident(at), 30, 1, 30, 40, 2.0) for at in range(360)]


@pytest.mark.parametrize(
    ("resident", "flat"),
    [
        (lambda at: 90.0, True),
        (lambda at: 90.0 + 40 * (at % 2), True),
        (lambda at: 60.0 + min(at, 80), True),
        (lambda at: 90.0 + at / 10, False),
        (lambda at: 90.0 if at < 180 else 130.0, False),
    ],
    ids=["still", "swings", "warms up", "leaks", "steps up"],
)
def test_memory_that_goes_on_growing_is_told(resident: Callable[[int], float], flat: bool) -> None:
    verdicts = {each.name: each.flat for each in trends(samples(resident))}
    assert verdicts.pop("resident memory, MB") is flat
    assert all(verdicts.values())
