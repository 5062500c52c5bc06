"""The calls of a run for people: what came of each, what was sent again, and credits over time (N2, K1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from consumer.domain.push.run import MadeCall
from consumer.entrypoints.documents.run import call_counts, call_rows, spending
from tests.support.builders import NOW

pytestmark = pytest.mark.rule("N2")

CALL = MadeCall(NOW, "the update of a session", "PUT", "/sessions/update/7", "session/s1", 1, 162, 200)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "taken"), (201, "taken"), (0, "no_answer"), (429, "throttled"), (422, "refused"), (503, "unavailable")],
)
def test_what_came_of_a_call(status: int, outcome: str) -> None:
    (row,) = call_rows([replace(CALL, status=status)])
    assert (row.outcome, row.again, row.what) == (outcome, False, "update of a session")


def test_only_what_was_not_taken_and_comes_again_was_sent_again() -> None:
    calls = [replace(CALL, status=503), replace(CALL, path="/other", status=503), CALL, CALL]
    rows = call_rows(calls)
    assert [row.again for row in rows] == [True, False, False, False]
    assert call_counts(rows) == {"unavailable": 2, "taken": 2}


@pytest.mark.parametrize(("seconds", "slot"), [(0, 10), (590, 10), (599, 20), (3_000, 60)])
def test_credits_over_time_are_all_there_however_long_it_took(seconds: int, slot: int) -> None:
    rows = call_rows([CALL, replace(CALL, at=NOW + 5_000, credits=10), replace(CALL, at=NOW + 9_999 + seconds * 1000)])
    spent = spending(rows)
    assert len(spent.credits) == 60
    assert sum(spent.credits) == 12
    assert round(spent.slot / 1000) == slot
    assert spent.start <= NOW
