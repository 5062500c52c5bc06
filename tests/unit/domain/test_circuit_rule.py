"""When the circuit of a credential opens, who makes the probe, and what closes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.domain.pacing.circuit import Circuit, CircuitRule, Passage, failed, passage, probing, succeeded

pytestmark = pytest.mark.rule("G5")

RULE = CircuitRule(failures=3, within=60_000, first=10.0, most=40.0, probe=5_000)
T = 1_000_000


def after(steps: Sequence[str], every: int = 1_000) -> Circuit:
    """`f`: a failure, `s`: a success, an event id: a 403 about it; one step a second."""
    circuit = Circuit()
    for number, step in enumerate(steps):
        now = T + number * every
        if step == "s":
            circuit = succeeded(circuit)
        else:
            circuit = failed(circuit, now, RULE, 1.0, forbidden="" if step == "f" else step)
    return circuit


@pytest.mark.parametrize(
    ("steps", "open_"),
    [
        ("", False),
        ("ff", False),
        ("fff", True),
        ("ffsff", False),
        ("ffsfff", True),
        (("e1", "e1", "e1", "e1", "e1"), False),
        (("e1", "e1", "e2"), True),
        (("e1", "e2"), False),
        (("e1", "e1", "f"), True),
        (("e1", "e2", "s", "e1", "e1", "e1"), False),
    ],
)
def test_some_failures_in_a_row_open_it(steps: Sequence[str], open_: bool) -> None:
    """403s of one event may be about this event alone; those of two are about the credential."""
    assert after(steps).open is open_


def test_failures_far_apart_are_not_in_a_row() -> None:
    assert after("fff", every=60_000).open
    assert not after("fffff", every=60_001).open


def test_it_stays_open_for_longer_each_time_up_to_a_cap() -> None:
    circuit, pauses = after("fff"), []
    now = circuit.failed_at
    for _ in range(5):
        pauses.append((circuit.until - now) / 1000)
        now = circuit.until
        circuit = failed(probing(circuit, now, RULE), now, RULE, 1.0)
    assert pauses == [10, 20, 40, 40, 40]
    assert circuit.since == after("fff").since
    assert succeeded(circuit) == Circuit()
    assert (failed(after("ff"), T + 3_000, RULE, 0.0).until - T - 3_000) / 1000 == 5


def test_calls_that_were_under_way_when_it_opened_do_not_make_it_longer() -> None:
    circuit = after("fff")
    assert failed(circuit, T + 5_000, RULE, 1.0) == circuit


def test_one_at_a_time_makes_the_probe() -> None:
    circuit = after("fff")
    assert passage(Circuit(), T) is Passage.GO
    assert passage(circuit, circuit.until - 1) is Passage.WAIT
    assert passage(circuit, circuit.until) is Passage.PROBE
    assert passage(circuit, circuit.until - 1, at_once=True) is Passage.PROBE
    under_way = probing(circuit, circuit.until, RULE)
    assert passage(under_way, circuit.until, at_once=True) is Passage.WAIT
    assert under_way.wait(circuit.until) == 5.0
    assert passage(under_way, circuit.until + 5_000) is Passage.PROBE, "its caller has died"
    assert passage(succeeded(under_way), circuit.until) is Passage.GO


@given(st.lists(st.sampled_from(["fail", "succeed", "admit", "pass"]), max_size=60), st.floats(0, 1))
def test_whatever_happens_nobody_waits_longer_than_the_cap(steps: list[str], jitter: float) -> None:
    """No history leaves a circuit that no one may ever probe, and a success always closes it."""
    circuit, now = Circuit(), T
    for step in steps:
        now += 1_500
        if step == "fail":
            circuit = failed(circuit, now, RULE, jitter)
        elif step == "succeed":
            circuit = succeeded(circuit)
        elif step == "admit" and passage(circuit, now) is Passage.PROBE:
            circuit = probing(circuit, now, RULE)
        assert 0 <= circuit.wait(now) <= 40.0
        later = now + round(circuit.wait(now) * 1000) + 1
        assert passage(circuit, later) in {Passage.GO, Passage.PROBE}
        assert not succeeded(circuit).open
    assert replace(circuit, by="another") != circuit
