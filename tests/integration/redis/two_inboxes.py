"""An inbox in Redis and one in memory: what is done to one is done to the other.

Every answer and every field must be the same, whichever replies get lost. What must hold in any case is checked beside
that, from what was done alone. The rules are in `test_inbox_machine`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from consumer.adapters.redis.keys import Keys
from consumer.domain.errors import LeaseLostError
from consumer.domain.push.cause import Reconcile
from consumer.ports import Inbox, Lease, Subject, event_subject, org_subject
from tests.support.fakes import FakeClock, InMemoryInbox
from tests.support.server_time import TimedServer
from tests.support.twins import fields, model_fields, outcome, redis_inbox, texts

QUIET, MAX_WAIT, LEASE, SURVEY = 1_000, 3_000, 2_000, 10_000
Step = Callable[[Inbox], Coroutine[Any, Any, Any]]


class TwoInboxes(RuleBasedStateMachine):
    """On one clock, with few subjects, so that much happens to each. No rules."""

    named: tuple[Subject, ...] = (event_subject("one"),)
    among: tuple[Subject, ...] = (*named, org_subject("org"))

    def __init__(self, server: TimedServer) -> None:
        super().__init__()
        self.server = server
        self.clock = FakeClock()
        server.forget(self.clock)
        self.keys = Keys("test")
        self.model = InMemoryInbox(
            self.clock, quiet=QUIET / 1000, max_wait=MAX_WAIT / 1000, lease=LEASE / 1000, survey=SURVEY / 1000
        )
        self.real = redis_inbox(server, self.keys, quiet=QUIET, max_wait=MAX_WAIT, lease=LEASE, survey=SURVEY)
        self.claims: list[tuple[Lease, dict[str, str]]] = []
        self.given_back: set[str] = set()
        self.highest: dict[Subject, int] = {}
        self.holders: dict[Subject, tuple[str, int]] = {}
        self.first_change: dict[Subject, int] = {}
        self.asked = 0
        self.newest = 30
        self.offset = 0
        self.wanted: set[tuple[Subject, str]] = set()
        self.served: set[tuple[Subject, str]] = set()

    def both(self, act: Step, *, reply_lost: bool, answer: bool = True) -> Any:
        """Do the same to both, and compare what they say. `answer`: also when a reply was lost."""
        self.server.reply_lost = reply_lost
        said = self.server.run(outcome(act(self.real)))
        expected = self.server.run(outcome(act(self.model)))
        if answer or not reply_lost:
            assert said == expected
        return expected

    def recent(self) -> st.SearchStrategy[tuple[Lease, dict[str, str]]]:
        """The newest claim, or one of those before it, which may have been lost."""
        return st.sampled_from(self.claims[:-4:-1])

    def follows(self, subject: Subject) -> bool:
        """Changes make it due by themselves."""
        return subject.kind == "org" or self.model.state(subject).continuous

    def lost(self, lease: Lease) -> bool:
        return lease.epoch != self.highest[lease.subject]

    def holds(self, lease: Lease) -> bool:
        op_id, until = self.holders.get(lease.subject, ("", 0))
        return op_id == lease.op_id and until > self.clock.ms

    def gave_back(self, lease: Lease, said: object, *, done: bool = False) -> None:
        assert (said is LeaseLostError) == self.lost(lease), "G4: only its holder gives it back"
        if said is None:
            if done and lease.op_id not in self.given_back and not isinstance(lease.cause, Reconcile):
                self.served |= {(lease.subject, asked.id) for asked in lease.asked}
            self.given_back.add(lease.op_id)
            if self.holders.get(lease.subject, ("", 0))[0] == lease.op_id:
                self.holders.pop(lease.subject)

    @invariant()
    def everything_is_as_in_the_model(self) -> None:
        with self.server.looking.pipeline(transaction=False) as pipe:
            for subject in self.among:
                for name in ("state", "rows", "versions", "dirty"):
                    pipe.hgetall(self.keys.subject(subject, name))
                pipe.hgetall(self.keys.subject(subject, "overtaken"))
                pipe.smembers(self.keys.subject(subject, "orders"))
                pipe.zscore(self.keys.due_of(subject), str(subject))
            found: Iterator[Any] = iter(pipe.execute())
        for subject in self.among:
            state, stored, versions, dirty, overtaken, asked, due = (next(found) for _ in range(7))
            expected = self.model.state(subject)
            assert texts(dirty) == expected.marks
            assert texts(versions) == expected.stamps
            assert texts(overtaken) == expected.overtaken
            assert {key.decode(): row for key, row in stored.items()} == expected.rows
            assert {order.decode() for order in asked} == {str(order) for order in expected.commands}
            assert fields(texts(state)) == model_fields(expected)
            assert (None if due is None else int(due)) == expected.moment()
            self.nothing_that_waits_is_forgotten(subject, due)

    def nothing_that_waits_is_forgotten(self, subject: Subject, due: float | None) -> None:
        """G1: what is marked comes again by itself, in time; G4: and not while somebody has it."""
        state = self.model.state(subject)
        waits = {(subject, each) for each in state.requests}
        assert waits | self.served >= {each for each in self.wanted if each[0] == subject}, "C5: one was forgotten"
        if state.request or (self.follows(subject) and (state.marks or state.commands)):
            assert due is not None, f"{subject} is never looked at again"
        if due is not None:
            due -= self.clock.off
            held = self.holders.get(subject, ("", 0))[1]
            assert due >= held or held <= self.clock.ms, "G4: offered while somebody has it"
            if subject in self.first_change:
                longest = max(self.first_change[subject] + MAX_WAIT, max(state.until, state.hold) - self.clock.off)
                assert due <= longest, "after the longest wait"
