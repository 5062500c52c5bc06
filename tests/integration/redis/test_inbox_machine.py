"""The scripts of record, debounce and claim, held against the inbox in memory by histories that Hypothesis draws."""

from __future__ import annotations

from typing import Any, Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from consumer.domain.errors import LeaseLostError
from consumer.domain.orders.ledger_commands import Action, LedgerCommand
from consumer.domain.records.identity import stamp
from consumer.domain.surveys.survey import Depth
from consumer.ports import Change, Subject, SyncRequest, event_subject, org_subject
from tests.contract.bench import a_change
from tests.integration.redis.two_inboxes import LEASE, MAX_WAIT, QUIET, SURVEY, TwoInboxes
from tests.support.machines import play
from tests.support.server_time import TimedServer

pytestmark = [pytest.mark.integration, pytest.mark.rule("G1", "G3", "G4")]

ORDERS: Final = (LedgerCommand(Action.LIFT, "session/s1"), LedgerCommand(Action.FORGET, "session/s2"))
Wanted = tuple[str, tuple[str, ...], tuple[str, ...]]
WANTED: Final[list[Wanted]] = [
    ("all", (), ()),
    ("agenda", (), ()),
    ("sponsors", (), ()),
    ("agenda", ("s1", "s2"), ()),
    ("all", ("s2", "s3"), ("c1",)),
    ("agenda", (), ("c1", "c2")),
]
LATER: Final = st.sampled_from([None, 0.0, 0.7, 5.0])

subjects = st.runner().flatmap(lambda machine: st.sampled_from(machine.among))
events = st.runner().flatmap(lambda machine: st.sampled_from(machine.named))
changes = st.lists(st.builds(a_change, st.sampled_from(["session/s1", "contact/c1"]), st.integers(1, 30)), max_size=3)
moments = st.sampled_from([1, QUIET - 1, QUIET, LEASE, LEASE + 1, MAX_WAIT, SURVEY]) | st.integers(1, 4_000)
lost = st.booleans()


class InboxMachine(TwoInboxes):
    """What is published and asked for, workers that come late, and a clock that is set back and forth."""

    @initialize(on=st.booleans())
    def begin(self, on: bool) -> None:
        """With continuous sync or without."""
        for event in self.named:
            self.switch(event, on, reply_lost=False)

    @rule(milliseconds=moments)
    def time_goes_by(self, milliseconds: int) -> None:
        self.clock.ms += milliseconds

    @rule(milliseconds=st.sampled_from([1, LEASE, SURVEY, 3_600_000]))
    def the_clock_is_set_back(self, milliseconds: int) -> None:
        """Redis failed over to a server that is behind; every worker that sees it looks over the due index."""
        self.clock.off -= milliseconds
        for subject in self.among:
            self.model.timed(subject)
            due = self.server.run(self.server.scripts.look_at_clock(self.keys.subject(subject, "state")))
            self.server.run(self.real.index(subject, due))
        # What waits, waits from here on as long as it would have.
        self.first_change = dict.fromkeys(self.first_change, self.clock.ms)

    @rule(milliseconds=st.sampled_from([LEASE, SURVEY, 3_600_000]))
    def the_clock_is_set_forward(self, milliseconds: int) -> None:
        """Leases seem over that are not, so workers make no call for as long as one may last."""
        self.clock.off += milliseconds
        self.clock.ms += LEASE

    @rule(subject=subjects, batch=changes, reply_lost=lost)
    def record(self, subject: Subject, batch: list[Any], reply_lost: bool) -> None:
        news = self.both(lambda inbox: inbox.record(subject, batch), reply_lost=reply_lost, answer=False)
        if news and self.follows(subject):
            self.first_change.setdefault(subject, self.clock.ms)

    @rule(event=events, version=st.integers(1, 40), partition=st.sampled_from([0, 0, 1]), reply_lost=lost)
    def publish_in_any_order(self, event: Subject, version: int, partition: int, reply_lost: bool) -> None:
        """G3: an older version after a newer one, at a later offset; sometimes from another partition."""
        self.offset += 1
        row = b'{"version":%d,"a":%d}' % (version, version % 3)
        late = Change("session/s1", stamp(version, 0, self.offset, partition), row)
        self.record(event, [late], reply_lost=reply_lost)

    @rule(subject=subjects, key=st.sampled_from(["session/s1", "contact/c1"]), milliseconds=st.sampled_from([0, 400]))
    def change(self, subject: Subject, key: str, milliseconds: int) -> None:
        """Somebody goes on editing: always newer than all before."""
        self.clock.ms += milliseconds
        self.newest += 1
        self.record(subject, [a_change(key, self.newest)], reply_lost=False)

    @rule(event=events, number=st.integers(1, 9), wanted=st.sampled_from(WANTED), reply_lost=lost)
    def ask_for_a_sync(self, event: Subject, number: int, wanted: Wanted, reply_lost: bool) -> None:
        """C5: of any scope, in any order, and again; several may wait for one push."""
        request = SyncRequest(f"request-{number}", *wanted)
        self.both(lambda inbox: inbox.request_sync(event.id, request, f"{number}"), reply_lost=reply_lost, answer=False)
        self.wanted.add((event, request.id))

    @rule(event=events, on=st.booleans(), reply_lost=lost)
    def switch(self, event: Subject, on: bool, reply_lost: bool) -> None:
        self.both(lambda inbox: inbox.set_continuous(event.id, on=on), reply_lost=reply_lost)
        if not on:
            self.first_change.pop(event, None)

    @rule(event=events, depth=st.sampled_from(Depth), reply_lost=lost)
    def ask_for_a_survey(self, event: Subject, depth: Depth, reply_lost: bool) -> None:
        self.both(lambda inbox: inbox.request_survey(event.id, depth), reply_lost=reply_lost)

    @rule(event=events, order=st.sampled_from(ORDERS), reply_lost=lost)
    def order(self, event: Subject, order: LedgerCommand, reply_lost: bool) -> None:
        self.both(lambda inbox: inbox.request_commands(event.id, [order]), reply_lost=reply_lost)

    @rule(reply_lost=lost)
    def look_what_is_due(self, reply_lost: bool) -> None:
        self.both(lambda inbox: inbox.due(10), reply_lost=reply_lost)

    @rule(subject=subjects, reply_lost=lost)
    def claim(self, subject: Subject, reply_lost: bool) -> None:
        op_id = f"op-{self.asked}"
        self.asked += 1
        lease = self.both(lambda inbox: inbox.claim(subject, op_id), reply_lost=reply_lost)
        if lease is None:
            return
        for asked in lease.asked:
            assert (subject, asked.id) not in self.served, "C5: served once"
        now = self.clock.ms
        assert self.holders.get(subject, ("", 0))[1] <= now, "G4: somebody has it"
        assert lease.epoch > self.highest.get(subject, 0), "G4: epochs only grow"
        self.highest[subject] = lease.epoch
        self.holders[subject] = (op_id, now + LEASE)
        self.first_change.pop(subject, None)
        self.claims.append((lease, dict(self.model.state(subject).marks)))

    @rule(subject=subjects, reply_lost=lost)
    def wait_and_claim(self, subject: Subject, reply_lost: bool) -> None:
        """As a worker does that has nothing else to do."""
        self.clock.ms += max((self.model.state(subject).moment() or 0) - self.clock.now(), 0)
        self.claim(subject, reply_lost)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), reply_lost=lost)
    def claim_again_as_before(self, data: st.DataObject, reply_lost: bool) -> None:
        """A claim whose answer never came is sent once more by its sender."""
        lease, _ = data.draw(self.recent())
        if self.holds(lease):
            again = self.both(lambda inbox: inbox.claim(lease.subject, lease.op_id), reply_lost=reply_lost)
            assert again.epoch == lease.epoch

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), reply_lost=lost)
    def renew(self, data: st.DataObject, reply_lost: bool) -> None:
        lease, _ = data.draw(self.recent())
        said = self.both(lambda inbox: inbox.renew(lease), reply_lost=reply_lost)
        over = self.lost(lease) or lease.op_id in self.given_back
        assert (said is LeaseLostError) == over, "G4: only its holder renews it"
        if said is None:
            self.holders[lease.subject] = (lease.op_id, self.clock.ms + LEASE)

    @precondition(lambda self: self.claims)
    @rule(
        data=st.data(),
        some=st.booleans(),
        retry_in=LATER,
        failed=st.booleans(),
        survey_in=LATER | st.just(float("inf")),
        rest_in=LATER,
        reply_lost=lost,
    )
    def complete(
        self,
        data: st.DataObject,
        some: bool,
        retry_in: float | None,
        failed: bool,
        survey_in: float | None,
        rest_in: float | None,
        reply_lost: bool,
    ) -> None:
        lease, marks = data.draw(self.recent())
        dealt_with = dict(list(marks.items())[:1]) if some else marks
        said = self.both(
            lambda inbox: inbox.complete(
                lease, dealt_with, retry_in=retry_in, failed=failed, survey_in=survey_in, rest_in=rest_in
            ),
            reply_lost=reply_lost,
        )
        self.gave_back(lease, said, done=not failed and retry_in is None)

    @rule(subject=subjects, renews=st.booleans(), reply_lost=lost)
    def change_while_it_is_pushed(self, subject: Subject, renews: bool, reply_lost: bool) -> None:
        """G1: what changed since the claim stays marked, and comes when it would have come."""
        self.change(subject, "session/s1", 0)
        self.wait_and_claim(subject, reply_lost=False)
        lease, marks = self.claims[-1] if self.claims else (None, {})
        if lease is None or lease.subject != subject or not self.holds(lease):
            return
        self.change(subject, "session/s1", 400)
        if renews:
            self.both(lambda inbox: inbox.renew(lease), reply_lost=reply_lost)
            self.holders[subject] = (lease.op_id, self.clock.ms + LEASE)
        self.gave_back(lease, self.both(lambda inbox: inbox.complete(lease, marks), reply_lost=reply_lost), done=True)
        assert self.model.state(subject).marks.get("session/s1") != marks.get("session/s1")

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), seconds=st.sampled_from([0.5, 4.0]), reply_lost=lost)
    def defer(self, data: st.DataObject, seconds: float, reply_lost: bool) -> None:
        lease, _ = data.draw(self.recent())
        self.gave_back(lease, self.both(lambda inbox: inbox.defer(lease, seconds), reply_lost=reply_lost))

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), order=st.sampled_from(ORDERS), reply_lost=lost)
    def carry_out(self, data: st.DataObject, order: LedgerCommand, reply_lost: bool) -> None:
        lease, _ = data.draw(self.recent())
        self.both(lambda inbox: inbox.drop_commands(lease, [order]), reply_lost=reply_lost)

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), reply_lost=lost)
    def switch_off_as_the_holder(self, data: st.DataObject, reply_lost: bool) -> None:
        """It found no pair."""
        lease, _ = data.draw(self.recent())
        if lease.subject in self.named:
            self.both(lambda inbox: inbox.set_continuous(lease.subject.id, on=False, by=lease), reply_lost=reply_lost)
            if not self.follows(lease.subject):
                self.first_change.pop(lease.subject, None)


class TwoOfEach(InboxMachine):
    """Two events and two organizations, which must not touch each other."""

    named = (event_subject("one"), event_subject("two"))
    among = (*named, org_subject("here"), org_subject("there"))


def test_the_scripts_of_the_inbox_agree_with_the_model(server: TimedServer) -> None:
    """Debounce and claim are a state machine."""
    play(lambda: InboxMachine(server), examples=50, steps=40)


def test_events_and_organizations_do_not_touch_each_other(server: TimedServer) -> None:
    """The same, for more than one of each."""
    play(lambda: TwoOfEach(server), examples=15, steps=40)
