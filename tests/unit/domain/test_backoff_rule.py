"""When an event is due, and how long to wait after trouble."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.pacing.backoff import retry_delay
from tests.support.fakes.debounce import due_at

QUIET, MOST = 100, 1000


@pytest.mark.rule("C4")
@pytest.mark.parametrize(
    ("now", "first_change", "hold", "due"),
    [
        (0, 0, 0, 100),
        (50, 0, 0, 150),
        (899, 0, 0, 999),
        (900, 0, 0, 1000),
        (901, 0, 0, 1000),
        (5000, 0, 0, 1000),
        (5000, 4950, 0, 5100),
        (0, 0, 99, 100),
        (0, 0, 500, 500),
        (5000, 0, 6000, 6000),
    ],
)
def test_event_is_due_after_the_quiet_period_or_the_max_wait(now: int, first_change: int, hold: int, due: int) -> None:
    """And never before a failure's back-off is over."""
    assert due_at(now, first_change, QUIET, MOST, hold) == due


@pytest.mark.rule("C4")
@given(gaps=st.lists(st.integers(0, 3 * QUIET), min_size=1, max_size=60))
def test_every_change_is_pushed_after_a_quiet_period_and_within_the_max_wait(gaps: list[int]) -> None:
    """Whatever the rhythm of edits, no push comes in the middle of a burst unless the max wait has passed."""
    now = 0
    first: int | None = None
    due = newest = 0
    for gap in gaps:
        now += gap
        if first is not None and due <= now:  # pushed meanwhile
            assert due == min(newest + QUIET, first + MOST)
            first = None
        first = now if first is None else first
        newest = now
        due = due_at(now, first, QUIET, MOST)
        assert now <= due <= first + MOST
        assert due <= now + QUIET


@pytest.mark.rule("C4")
@given(
    changes=st.lists(st.integers(0, 10_000), min_size=1),
    quiet=st.integers(0, 5000),
    more=st.integers(0, 5000),
    hold=st.integers(0, 20_000),
)
def test_a_later_change_never_makes_an_event_due_earlier(changes: list[int], quiet: int, more: int, hold: int) -> None:
    """And a hold is kept."""
    ordered = sorted(changes)
    dues = [due_at(now, ordered[0], quiet, quiet + more, hold) for now in ordered]
    assert dues == sorted(dues)
    assert min(dues) >= hold


@pytest.mark.rule("G1")
@pytest.mark.parametrize(
    ("attempt", "jitter", "seconds"),
    [
        (1, 1.0, 2.0),
        (1, 0.0, 1.0),
        (2, 1.0, 4.0),
        (3, 0.5, 6.0),
        (5, 1.0, 32.0),
        (6, 1.0, 60.0),
        (6, 0.0, 30.0),
        (10_000, 1.0, 60.0),
    ],
)
def test_the_delay_doubles_up_to_a_cap_and_is_spread_over_its_upper_half(
    attempt: int, jitter: float, seconds: float
) -> None:
    """A failed push is tried again for ever, at a bearable rate; a long outage overflows nothing."""
    assert retry_delay(attempt, first=2.0, most=60.0, jitter=jitter) == pytest.approx(seconds)
