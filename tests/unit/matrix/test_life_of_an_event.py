"""Every life of an event up to four steps long comes to what the specification says.

All 14,641 sequences of four steps are lived from an event that is mapped and synced, as a disconnect takes four steps
to show what it sealed. From an event that was never mapped all of three steps are lived, and of four steps those that
ask for a mapping: without one nothing is ever synced (M5). Every shorter sequence is the beginning of some of them and
is checked there. Sequences with a common beginning share it: the world is copied where they part.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Final

import pytest
import structlog

from tests.support.copies import Copies
from tests.unit.matrix.oracle import OPERATIONS, Oracle
from tests.unit.matrix.service import Life, a_life

LONGEST: Final = 4
ASKS: Final = {"map", "map_elsewhere"}
BEGINNINGS: Final = [
    *(pytest.param((), first, id=f"unmapped-{first}") for first in OPERATIONS if first != "map"),
    *(pytest.param(("map",), first, id=f"mapped-{first}") for first in OPERATIONS),
]
"""What begins unmapped with `map` is a beginning of what begins mapped."""


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Iterator[None]:
    """Some 15,000 pushes would each write a line."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.mark.rule("C4", "M1", "M2", "M3", "M4", "M5", "E3", "S7", "R1", "R2", "R3", "D2", "X1", "X2")
@pytest.mark.parametrize("second", OPERATIONS)
@pytest.mark.parametrize(("start", "first"), BEGINNINGS)
async def test_every_life_that_begins_so_comes_to_what_the_specification_says(
    start: tuple[str, ...], first: str, second: str
) -> None:
    """On in-memory ports, against an oracle that knows no plan."""
    life, oracle = await a_life(), Oracle()
    lived: list[str] = []
    for operation in (*start, first, second):
        lived.append(operation)
        await _live(life, oracle, lived)
    await _branch(life, oracle, lived, LONGEST - 2)


async def _branch(life: Life, oracle: Oracle, lived: list[str], steps: int) -> None:
    """Every way on from here."""
    here = Copies((life, oracle))
    ways = [each for each in OPERATIONS if steps > 1 or not ASKS.isdisjoint((*lived, each))]
    for operation in ways:
        # Nothing goes on from the world itself: it takes the last way.
        there, knows = (life, oracle) if operation == ways[-1] else here.one()
        await _live(there, knows, [*lived, operation])
        if steps > 1:
            await _branch(there, knows, [*lived, operation], steps - 1)


async def _live(life: Life, oracle: Oracle, lived: list[str]) -> None:
    getattr(oracle, lived[-1])()
    await getattr(life, lived[-1])()
    assert await life.differences(oracle) == [], " -> ".join(lived)
