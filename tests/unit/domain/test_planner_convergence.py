"""PLAN over a long life: random edits, lost answers and dead workers, always ending where the rules say.

The expected state is `sandbox.conference.expected`, a second reading of the specification that shares no code with
the planner; resources reach the planner through the same models as on Kafka.
"""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from tests.unit.domain.conference_life import ConferenceLife, DoubtfulError


@pytest.mark.rule(
    "E1",
    "E2",
    "E3",
    "E4",
    "E5",
    "E6",
    "E7",
    "S1",
    "S2",
    "S3",
    "S4",
    "S5",
    "S6",
    "S7",
    "S8",
    "P2",
    "P5",
    "R1",
    "R2",
    "R3",
    "R4",
    "D1",
    "G2",
    "G3",
)
@settings(max_examples=150, deadline=None)
@given(chance=st.randoms(use_true_random=True))
def test_whatever_happens_swoogo_ends_where_the_rules_say(chance: Random) -> None:
    """And once there, nothing is sent."""
    event = ConferenceLife(chance)
    try:
        event.live()
    except DoubtfulError:
        reject()


@pytest.mark.rule("G2")
@pytest.mark.parametrize("seed", [10332, 10587, 10742])
def test_lost_create_beside_a_session_made_by_hand_is_an_issue(seed: int) -> None:
    """Same name, date and start. Seeds in which that happens, found by the test above."""
    event = ConferenceLife(Random(seed))
    event.live()
    assert event.asked
