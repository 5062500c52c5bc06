"""Who gets the credits of a credential when several want them; two replicas, on the test's own time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.domain.push.run import Trigger
from consumer.ports import Lease, event_subject
from consumer.settings import SwoogoSettings
from tests.contract.bench import a_work
from tests.support.fakes import FakeClock
from tests.support.fakes.server_time import FakeServerTime
from tests.support.machines import as_asked
from tests.support.server_time import TimedServer

pytestmark = [pytest.mark.integration, pytest.mark.rule("G5")]

USABLE, RESERVE, WINDOW = 20, 5, 3.0
LONGEST_NAP: Final = 1_100
SETTINGS: Final = SwoogoSettings.model_construct(
    credit_limit=USABLE + RESERVE, credit_window=WINDOW, credit_reserve=RESERVE
)
LEASE: Final = Lease(event_subject("one"), 1, "op")


@dataclass
class Call:
    """Credits wanted at a moment, by one of two replicas, for a call that takes so long; ms from the start."""

    at: int
    cost: int
    trigger: Trigger
    takes: int
    replica: int
    granted: int = field(default=-1, compare=False)
    answered: int = field(default=-1, compare=False)

    def waits(self, at: int) -> bool:
        """Whether it has asked before and has not been let through before."""
        return self.at < at < self.granted


calls = st.lists(
    st.builds(
        Call,
        at=st.integers(0, 6_000),
        cost=st.sampled_from([1, 1, 10]),
        trigger=st.sampled_from(Trigger),
        takes=st.sampled_from([0, 200, 1_900]),
        replica=st.integers(0, 1),
    ),
    min_size=6,
    max_size=12,
)


class Times(FakeClock):
    """Naps are spread as drawn."""

    def __init__(self, jitters: Sequence[float]) -> None:
        super().__init__(auto=True)
        self._jitters = cycle(jitters)

    def jitter(self) -> float:
        return next(self._jitters)


async def serve(clock: FakeClock, budgets: Sequence[RedisBudget], wanted: Sequence[Call]) -> None:
    start = clock.now()

    async def caller(call: Call) -> None:
        await clock.sleep(call.at / 1000)
        budget = budgets[call.replica]
        grant = await budget.permit(a_work(LEASE, call.trigger), call.cost, 2.0)
        call.granted = clock.now() - start
        await clock.sleep(call.takes / 1000)
        call.answered = clock.now() - start
        await budget.spent(grant)

    await asyncio.gather(*map(caller, wanted))


def played(server: TimedServer, wanted: Sequence[Call], jitters: Sequence[float]) -> None:
    """Let all of them be served."""
    clock = Times(jitters)
    server.forget(clock)
    leases = Leases()
    leases.hold(LEASE, clock.now() + 3_600_000, leases.ticks(), 3_600_000)
    # What goes over the wire is not what waits here; `surveys` alone would need a client.
    time = FakeServerTime(clock)
    budgets = [RedisBudget(server.redis, Keys("test"), server.scripts, leases, clock, SETTINGS, time) for _ in "ab"]
    server.run(serve(clock, budgets, wanted))


@given(calls, st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=3))
@as_asked(15)
def test_credits_go_by_priority_and_never_over_the_limit(
    server: TimedServer, wanted: list[Call], jitters: list[float]
) -> None:
    """Manual, changes, reconcile; a list of ten credits before single ones of the same kind; all are served in time."""
    check(server, wanted, jitters)


def check(server: TimedServer, wanted: Sequence[Call], jitters: Sequence[float]) -> None:
    played(server, wanted, jitters)
    for call in wanted:
        for other in wanted:
            assert not (other.waits(call.granted) and other.trigger.priority < call.trigger.priority), (
                f"{call} got what {other} waited for"
            )
            late = other.trigger is call.trigger and call.cost < other.cost and call.at > other.at
            assert not (late and other.waits(call.granted)), f"{other} starves behind {call}"
    window = WINDOW * 1000
    for start in (call.answered for call in wanted):
        # Swoogo may have counted a call at any moment from its permit to its answer.
        spent = sum(each.cost for each in wanted if each.granted < start + window and each.answered >= start)
        assert spent <= USABLE
    windows = sum(call.cost for call in wanted) // USABLE + 2
    longest = windows * (window * 62 / 60 + 1_900 + 2 * LONGEST_NAP)
    assert all(call.granted - call.at <= longest for call in wanted)
