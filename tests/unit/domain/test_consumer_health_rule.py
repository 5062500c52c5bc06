"""A consumer that is dead or lost is told from one that is idle, busy, or in the middle of a rebalance."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from consumer.domain.consumer_health import GRACE, SILENCE, ConsumerSnapshot, away, trouble, waiting

pytestmark = pytest.mark.rule("G1")

NOW: Final = 10_000.0
PATIENCE: Final = 300.0
WELL: Final = ConsumerSnapshot(ended="", joined=True, polled=NOW, heard=NOW)


def test_a_consumer_that_reads_has_no_trouble() -> None:
    assert away(WELL) == waiting("t", WELL, None, NOW) == trouble("t", WELL, None, NOW, PATIENCE) == ""


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(replace(WELL, heard=None), id="all partitions are other members'"),
        pytest.param(replace(WELL, heard=NOW - SILENCE), id="idle"),
        pytest.param(replace(WELL, polled=NOW - PATIENCE, heard=NOW - PATIENCE), id="busy with a batch"),
    ],
)
def test_quiet_is_not_away(seen: ConsumerSnapshot) -> None:
    assert away(seen) == trouble("t", seen, None, NOW, PATIENCE) == ""


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (replace(WELL, joined=False), "not in its group"),
        (replace(WELL, failed="UnsupportedCodecError"), "reading fails with UnsupportedCodecError"),
        (replace(WELL, heard=NOW - SILENCE - 1), "does not answer its fetches"),
    ],
)
def test_absent_consumer_is_first_not_ready_and_then_lost(seen: ConsumerSnapshot, reason: str) -> None:
    """A rebalance is over within the grace; readiness is red within 30 seconds of a broker that says nothing."""
    assert reason in away(seen)
    assert waiting("t", seen, NOW - GRACE, NOW) == ""
    assert reason in waiting("t", seen, NOW - GRACE - 1, NOW)
    assert trouble("t", seen, NOW - PATIENCE, NOW, PATIENCE) == ""
    lost = trouble("topic", seen, NOW - PATIENCE - 1, NOW, PATIENCE)
    assert lost.startswith("The consumer of topic is lost for 301 seconds: ")
    assert reason in lost
    assert SILENCE + GRACE <= 30


def test_what_ended_is_dead_at_once() -> None:
    seen = replace(WELL, ended="group membership")
    assert trouble("t", seen, None, NOW, PATIENCE) == "The consumer of t is dead: its group membership ended."
    assert waiting("t", seen, None, NOW) == "The consumer of t does not read: its group membership ended."


def test_a_consumer_that_asks_for_nothing_is_stuck() -> None:
    seen = replace(WELL, polled=NOW - PATIENCE - 1, heard=NOW - PATIENCE - 1)
    assert "has not asked for records for 301 seconds" in trouble("t", seen, None, NOW, PATIENCE)
