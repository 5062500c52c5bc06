"""The clock that all replicas share, whatever their systems' clocks do."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from consumer.adapters.clock import SystemClock

pytestmark = pytest.mark.rule("G2", "G4")

NOW = 1_780_300_800 * 10**9
SECOND = 10**9


@dataclass
class Machine:
    """Its clocks, in ns: one that only goes forward, and by how much the other is ahead of the truth."""

    ticks: int = 7 * SECOND
    off: int = 0

    def clock(self) -> SystemClock:
        return SystemClock(lambda: self.ticks, lambda: NOW + self.ticks + self.off)


def test_a_step_of_the_systems_clock_moves_nothing() -> None:
    machine = Machine()
    clock = machine.clock()
    before = clock.now()
    machine.off = 600 * SECOND
    machine.ticks += 2 * SECOND
    assert clock.now() == before + 2_000


@pytest.mark.parametrize("off", [-600, -1, 0, 1, 600])
def test_it_is_set_by_a_clock_that_knows_better(off: int) -> None:
    machine = Machine(off=off * SECOND)
    clock = machine.clock()
    moment = machine.ticks
    moved = clock.set_by(NOW + moment, moment, moment)
    assert (moved, clock.now()) == (-off * SECOND, (NOW + moment) // 10**6)


@pytest.mark.parametrize(
    ("off", "moved"),
    [(0, 0), (5, 0), (-5, 0), (8, -3), (-8, 3)],
    ids=["right", "may be right", "may be right, behind", "ahead for sure", "behind for sure"],
)
def test_an_answer_that_took_long_moves_it_by_no_more_than_it_proves(off: int, moved: int) -> None:
    """A process may be stopped for minutes between question and answer; told half-way within ten seconds here."""
    machine = Machine(off=off * SECOND)
    clock = machine.clock()
    asked = machine.ticks
    machine.ticks += 10 * SECOND
    assert clock.set_by(NOW + asked + 5 * SECOND, asked, machine.ticks) == moved * SECOND
