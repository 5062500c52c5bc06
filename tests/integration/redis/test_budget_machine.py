"""The scripts of the budget, held against a count of single calls by histories that Hypothesis draws.

The model knows calls, not slots: what each costs, when it began, and when it was answered. Beside it stands Swoogo,
which counts a call at some moment between the two, and must never have counted more than the limit in any window.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final, cast

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.adapters.redis.budget import read_credits
from tests.support.fakes import FakeClock
from tests.support.machines import play
from tests.support.server_time import TimedServer

pytestmark = [pytest.mark.integration, pytest.mark.rule("G4", "G5", "G6")]

CREDITS, FENCES = "{c}:credits", "{c}:fences"
LIMIT, RESERVE, WINDOW, SLOTS = 25, 5, 6_000, 60
WIDTH: Final = WINDOW // SLOTS
DEADLINE: Final = 500
LONGEST_NAP: Final = 1_000
"""After which a waiting call asks again, and up to a tenth later."""
CROWD: Final = 100
"""Fences from which on those that ended are thrown away."""

lost = st.booleans()
subjects = st.sampled_from(["event/one", "event/one", "event/two"])
moments = st.sampled_from([1, WIDTH, 3 * WIDTH, DEADLINE, LONGEST_NAP, WINDOW, WINDOW + WIDTH])
lasting = st.sampled_from([300, DEADLINE, 4_000, 60_000, 60_000])
epochs = st.sampled_from([1, 1, 1, 2])


@dataclass
class Call:
    """A permit that was given. Moments are ms; `slot`: the one it is charged to, None when its credits are back."""

    number: int
    cost: int
    began: int
    slot: int | None
    answered: int | None = None
    killed: bool = False

    @property
    def open(self) -> bool:
        return self.slot is not None and self.answered is None and not self.killed


class BudgetMachine(RuleBasedStateMachine):
    """One credential."""

    def __init__(self, server: TimedServer) -> None:
        super().__init__()
        self.server = server
        self.clock = FakeClock()
        server.forget(self.clock)
        self.calls: list[Call] = []
        self.fences: dict[str, tuple[int, int]] = {}
        self.waiting: dict[int, int] = {}
        self.hold = self.foreign = self.foreign_until = self.doubt = self.probe = 0
        self.asked = 0
        self.seen = self.behind = 0

    @property
    def now(self) -> int:
        """The credits' own time: the server's, which is never seen to go back."""
        return max(self.clock.now() + self.behind, self.seen)

    def noted(self) -> None:
        """A script saw the time."""
        self.seen = self.now
        self.behind = self.seen - self.clock.now()

    @property
    def slot(self) -> int:
        return self.now // WIDTH

    def used(self) -> int:
        """Credits of calls that may still count with Swoogo."""
        counted = (call.cost for call in self.calls if call.slot is not None and call.slot >= self.slot - SLOTS)
        return sum(counted) + (self.foreign if self.foreign_until > self.now else 0)

    @initialize(crowded=st.booleans())
    def others_were_here(self, crowded: bool) -> None:
        """Fences that ended a while ago, and two in force."""
        for subject in ("event/one", "event/two"):
            self.fence(subject, 1, 60_000, reply_lost=False)
        if crowded:
            for number in range(CROWD):
                self.fence(f"event/past-{number}", 1, -1_000, reply_lost=False)

    @rule(milliseconds=moments)
    def time_goes_by(self, milliseconds: int) -> None:
        # A call ends by its deadline; a worker that stood still for longer sends nothing any more.
        for call in self.calls:
            if call.open and self.clock.ms + milliseconds > call.began + DEADLINE:
                self.settle(call, "spent", reply_lost=False)
        self.clock.ms += milliseconds

    @rule(milliseconds=st.sampled_from([1, WIDTH, WINDOW, 3_600_000]))
    def the_clock_is_set_back(self, milliseconds: int) -> None:
        """Redis failed over to a server that is behind; nothing happens in less time for that."""
        self.clock.off -= milliseconds

    @rule(subject=subjects, epoch=epochs, lasts=lasting, reply_lost=lost)
    def fence(self, subject: str, epoch: int, lasts: int, reply_lost: bool) -> None:
        """G4: a claim or a renewal."""
        until = self.clock.now() + lasts
        self.server.reply_lost = reply_lost
        taken = self.server.run(self.server.scripts.set_fence(FENCES, subject=subject, epoch=epoch, until=until))
        known, ends = self.fences.get(subject, (0, 0))
        if epoch >= known:
            assert taken
        elif ends >= self.clock.now():
            assert not taken, "an older claim got past a newer one that is in force"
        if taken:
            self.fences[subject] = (epoch, until)

    @rule(
        subject=subjects,
        epoch=epochs,
        cost=st.sampled_from([1, 1, 10]),
        priority=st.integers(0, 2),
        times=st.integers(1, 4),
        reply_lost=lost,
    )
    def ask(self, subject: str, epoch: int, cost: int, priority: int, times: int, reply_lost: bool) -> None:
        """G4, G5: granted exactly when the lease is right and there is room."""
        for _ in range(times):
            self.ask_once(subject, epoch, cost, priority, reply_lost=reply_lost)

    def ask_once(self, subject: str, epoch: int, cost: int, priority: int, *, reply_lost: bool) -> None:
        self.asked += 1
        self.server.reply_lost = reply_lost
        verdict, value = self.permit(self.asked, subject, epoch, cost, priority)
        assert verdict == self.verdict(subject, epoch, cost, priority)
        if verdict in {0, 1}:
            self.noted()
        if verdict == 1:
            self.calls.append(Call(self.asked, cost, self.clock.ms, self.slot))
            if self.doubt > self.now:
                self.probe = self.now + DEADLINE + 1_000
        elif verdict == 0:
            assert 0 < value <= max(WINDOW + 2 * WIDTH, self.hold - self.now, self.foreign_until - self.now)
            rank, nap = _rank(cost, priority), min(value, LONGEST_NAP)
            self.waiting[rank] = max(self.waiting.get(rank, 0), self.now + ceil(nap * 11 / 10) + 500)

    def permit(self, number: int, subject: str, epoch: int, cost: int, priority: int) -> tuple[int, int]:
        return self.server.run(
            self.server.scripts.take_permit(
                [CREDITS, FENCES, f"{{c}}:grant:{number}"],
                subject=subject,
                epoch=epoch,
                deadline=DEADLINE,
                cost=cost,
                priority=priority,
                limit=LIMIT - RESERVE,
                window=WINDOW,
                slots=SLOTS,
                expected=self.clock.now(),
                late=0,
            )
        )

    def verdict(self, subject: str, epoch: int, cost: int, priority: int) -> int:
        known, until = self.fences.get(subject, (0, 0))
        if known != epoch or until <= self.clock.now():
            return -1
        if until < self.clock.now() + DEADLINE:
            return -2
        behind = any(end > self.now for rank, end in self.waiting.items() if rank < _rank(cost, priority))
        asking = self.doubt > self.now and self.probe > self.now
        return int(not (behind or asking or self.hold > self.now or self.used() + cost > LIMIT - RESERVE))

    @precondition(lambda self: any(call.open for call in self.calls))
    @rule(
        data=st.data(),
        what=st.sampled_from(["spent", "spent", "spent", "returned", "throttled"]),
        remaining=st.none() | st.integers(0, LIMIT),
        reset=st.sampled_from([100, 1_000, WINDOW]),
        reply_lost=lost,
    )
    def answer(self, data: st.DataObject, what: str, remaining: int | None, reset: int, reply_lost: bool) -> None:
        call = data.draw(st.sampled_from([each for each in self.calls if each.open]))
        self.settle(call, what, remaining if what == "spent" else None, reset, reply_lost=reply_lost)

    def settle(self, call: Call, what: str, remaining: int | None = None, reset: int = 0, *, reply_lost: bool) -> None:
        self.server.reply_lost = reply_lost
        self.server.run(
            self.server.scripts.settle_permit(
                CREDITS,
                f"{{c}}:grant:{call.number}",
                cost=call.cost,
                what=what,
                remaining=-1 if remaining is None else remaining,
                reset=reset,
                limit=LIMIT,
                window=WINDOW,
                slots=SLOTS,
            )
        )
        self.noted()
        call.slot, call.answered = (self.slot, self.clock.ms) if what == "spent" else (None, None)
        if what == "throttled":
            self.hold = max(self.hold, self.now + reset)
        if self.doubt:
            self.doubt, self.probe = (
                (0, 0) if remaining is not None else (self.doubt, self.doubt if what == "spent" else 0)
            )
        if remaining is not None:
            standing = self.foreign if self.foreign_until > self.now else 0
            foreign = LIMIT - (self.used() - standing) - remaining
            if foreign > standing:
                self.foreign, self.foreign_until = foreign, self.now + reset
            if self.hold <= self.now:
                assert self.left() <= max(remaining - RESERVE, 0), "Swoogo said that less is left"

    @precondition(lambda self: self.calls)
    @rule(data=st.data())
    def ask_again_for_what_was_given(self, data: st.DataObject) -> None:
        """A permit whose answer came late is asked for once more, and charged once."""
        call = data.draw(st.sampled_from(self.calls))
        if self.clock.ms < call.began + WINDOW:
            before = self.left()
            assert self.permit(call.number, "event/one", 9, call.cost, 2) == (1, 0)
            assert self.left() == before

    @precondition(lambda self: any(call.open for call in self.calls))
    @rule(data=st.data())
    def kill(self, data: st.DataObject) -> None:
        """No one settles it any more; it can have been sent in the slot in which it began."""
        data.draw(st.sampled_from([each for each in self.calls if each.open])).killed = True

    @precondition(lambda self: self.asked > 0 and self.doubt <= self.now)
    @rule(reply_lost=lost)
    def lose_count(self, reply_lost: bool) -> None:
        """G6: Redis was rebuilt; whatever was spent before is not known to the count."""
        self.server.reply_lost = reply_lost
        self.server.run(self.server.scripts.invalidate_credits(CREDITS, window=WINDOW))
        self.noted()
        self.doubt, self.probe = self.now + WINDOW, 0

    def left(self) -> int:
        self.server.follow()
        fields = cast("dict[bytes, bytes]", self.server.looking.hgetall(CREDITS))
        return read_credits(fields, self.server.clock.now(), LIMIT - RESERVE, WINDOW).left or 0

    @invariant()
    def what_is_left_is_what_the_calls_left(self) -> None:
        barred = self.hold > self.now or self.doubt > self.now
        assert self.left() == (0 if barred else max(LIMIT - RESERVE - self.used(), 0))

    @invariant()
    def no_window_holds_more_than_the_limit(self) -> None:
        """G5: whenever Swoogo counted each of them; the reserve is not touched."""
        reached = [call for call in self.calls if call.slot is not None]
        since = self.clock.ms - WINDOW
        assert sum(call.cost for call in reached if _latest(call, self.clock.ms) > since) <= LIMIT - RESERVE


def _rank(cost: int, priority: int) -> int:
    """0 goes first: by priority, and lists before single calls."""
    return 2 * priority + (cost == 1)


def _latest(call: Call, now: int) -> int:
    """The latest moment at which Swoogo can have counted a call."""
    if call.killed:
        return call.began
    return now if call.answered is None else call.answered


def test_the_scripts_of_the_budget_agree_with_a_count_of_calls(server: TimedServer) -> None:
    """The budget is a state machine."""
    play(lambda: BudgetMachine(server), examples=35, steps=40)


def test_calls_that_left_the_window_do_not_hide_what_others_spent(server: TimedServer) -> None:
    """Their slots are thrown away by the next permit only, and Swoogo's count is without them before that."""
    machine = BudgetMachine(server)
    machine.fence("event/one", 1, 60_000, reply_lost=False)
    machine.ask_once("event/one", 1, 10, 0, reply_lost=False)
    machine.settle(machine.calls[0], "spent", reply_lost=False)
    machine.time_goes_by(WINDOW)
    machine.ask_once("event/one", 1, 1, 0, reply_lost=False)
    machine.time_goes_by(WIDTH)
    machine.settle(machine.calls[1], "spent", 12, 1_000, reply_lost=False)
    machine.what_is_left_is_what_the_calls_left()
