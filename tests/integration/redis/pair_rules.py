"""What two organizations do to the register of pairs: claim, end, void and flush, with leases that are over too (G4).

Workers of both come late with leases that ended long ago, and commands of others fall between what a worker reads and
what it writes.
"""

from __future__ import annotations

from collections.abc import Coroutine
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.ports import Lease, org_subject
from tests.contract.bench import a_change
from tests.integration.redis.two_organizations import (
    EVENTS,
    LEASE,
    ORGS,
    SURVEY,
    Act,
    Side,
    TwoOrganizations,
    data,
    events,
    lost,
    orgs,
    swoogo_events,
)
from tests.support.twins import outcome

some_events = st.sampled_from([(), ("one",), ("two",), EVENTS])
ends = st.sampled_from(PairEnd)


class PairRules(TwoOrganizations):
    """Who has an organization, and what that one does to the register."""

    # Time, and who has what.

    @initialize(first=orgs)
    def begin(self, first: str) -> None:
        """Each organization has a worker that looked at everything."""
        for org_id in (first, *(other for other in ORGS if other != first)):
            self.take_over(org_id, looks=True, reply_lost=False)

    @rule(milliseconds=st.sampled_from([1, LEASE - 1, LEASE, SURVEY]))
    def time_goes_by(self, milliseconds: int) -> None:
        self.clock.ms += milliseconds

    @rule(org_id=orgs, looks=st.booleans(), reply_lost=lost)
    def take_over(self, org_id: str, looks: bool, reply_lost: bool) -> None:
        """Another worker claims the organization, as soon as it may; the one before knows nothing of it."""
        subject = org_subject(org_id)
        number = next(self.numbers)
        self.both(lambda side: side.inbox.record(subject, [a_change("session/s1", number)]))
        self.clock.ms = max(self.clock.ms, self.inbox.state(subject).moment() or 0)
        lease = self.both(lambda side: side.inbox.claim(subject, f"op-{number}"), reply_lost=reply_lost)
        assert lease.epoch > self.claimed.get(org_id, 0), "G4: epochs only grow"
        self.claimed[org_id] = lease.epoch
        self.leases.append(lease)
        if looks:
            self.hold(lease, EVENTS, reply_lost=reply_lost)
            self.look_at_the_register(lease, reply_lost=reply_lost)

    @rule(data=data, wanted=some_events, reply_lost=lost)
    def hold_as_somebody(self, data: st.DataObject, wanted: tuple[str, ...], reply_lost: bool) -> None:
        self.hold(data.draw(self.somebody()), wanted, reply_lost=reply_lost)

    def hold(self, lease: Lease, wanted: tuple[str, ...], *, reply_lost: bool) -> None:
        org_id = lease.subject.id
        said = self.both(lambda side: side.connections.fence(org_id, wanted, by=lease), reply_lost=reply_lost)
        late = any(self.held.get((event_id, org_id), 0) > lease.epoch for event_id in wanted)
        assert said is LeaseLostError if late else said in {None, LeaseLostError}
        self.look_who_holds()

    @rule(org_id=orgs, wanted=some_events)
    def hold_for_a_rebuild(self, org_id: str, wanted: tuple[str, ...]) -> None:
        """G6: newer than every lease there is."""
        self.both(lambda side: side.connections.fence(org_id, wanted))
        self.look_who_holds()
        assert all(self.held[event_id, org_id] >= self.clock.now() for event_id in wanted)

    def look_who_holds(self) -> None:
        """What may be relied on from now on: the one that was there keeps out all that are older."""
        for event_id in EVENTS:
            for org_id, epoch in self.hash_of(self.keys.event(event_id, "holders")).items():
                assert self.held.get((event_id, org_id), 0) <= int(epoch), "G4: held by a lease that was over"
                self.held[event_id, org_id] = int(epoch)

    @rule(data=data, reply_lost=lost)
    def look_at_the_register_as_somebody(self, data: st.DataObject, reply_lost: bool) -> None:
        self.look_at_the_register(data.draw(self.somebody()), reply_lost=reply_lost)

    def look_at_the_register(self, lease: Lease, *, reply_lost: bool) -> None:
        org_id = lease.subject.id
        newest = self.looked.get(org_id, 0)
        said = self.fenced(newest, lease, lambda side: side.pairs.fence(lease), reply_lost=reply_lost)
        assert (said is None) == (lease.epoch >= newest)
        self.looked[org_id] = max(newest, lease.epoch)

    # The register of pairs.

    @rule(data=data, event_id=events, swoogo=swoogo_events, others=st.booleans(), reply_lost=lost)
    def claim_a_pair(self, data: st.DataObject, event_id: str, swoogo: int, others: bool, reply_lost: bool) -> None:
        lease, at = data.draw(self.somebody()), self.clock.now()
        meanwhile = data.draw(self.something_else(event_id)) if others else None
        self.change_pair(
            lease, lambda side: side.pairs.claim(lease, event_id, swoogo, at), meanwhile, reply_lost=reply_lost
        )

    @rule(data=data, event_id=events, by=ends, era=st.integers(0, 3), others=st.booleans(), reply_lost=lost)
    def end_a_pair(
        self, data: st.DataObject, event_id: str, by: PairEnd, era: int, others: bool, reply_lost: bool
    ) -> None:
        lease, at = data.draw(self.somebody()), self.clock.now()
        meanwhile = data.draw(self.something_else(event_id)) if others else None
        self.change_pair(
            lease, lambda side: side.pairs.end(lease, event_id, by, at, era=era), meanwhile, reply_lost=reply_lost
        )

    @rule(event_id=events, late=st.booleans(), fails=st.booleans(), reply_lost=lost)
    def void_a_pair(self, event_id: str, late: bool, fails: bool, reply_lost: bool) -> None:
        """M8: as who has the event does; `late`: with the pair as it was before somebody changed it."""
        pair = self.known.get(event_id)
        if pair is None or (pair.ended_at is None and pair.voided_at is None):
            return
        at, former = self.clock.now(), replace(pair, era=pair.era + 1) if late else pair
        failures = [UnavailableError("Kafka is away.")] if fails else []
        self.log.failures, self.pairs.changelog.failures = [*failures], [*failures]
        said = self.both(lambda side: side.pairs.void(former, at, "never synced"), reply_lost=reply_lost)
        self.log.failures.clear()
        self.pairs.changelog.failures.clear()
        if late:
            assert said is False
        if said is True:
            [told] = [each for each in self.log.written if each.event_id == event_id][-1:]
            assert told.voided_at is not None, "G6: free before the changelog says so"
            assert event_id not in self.known
            self.rounds[event_id] = self.rounds[pair.swoogo_event_id] = pair.round

    def change_pair(self, lease: Lease, act: Act, meanwhile: Act | None, *, reply_lost: bool) -> None:
        org_id = lease.subject.id
        before = self.looked.get(org_id, 0)
        said = self.fenced(before, lease, act, reply_lost=reply_lost, meanwhile=meanwhile)
        assert lease.epoch < before or said is not LeaseLostError or meanwhile, "no one else has it"
        if isinstance(said, Pair):
            assert (said.org_id, said.ended_at, said.epoch) == (org_id, None, lease.epoch)
        # A worker that changes something was there too.
        for each in ORGS:
            self.looked[each] = max(self.looked.get(each, 0), self.pairs.newest.get(each, 0))

    @rule(org_id=orgs, event_id=events, swoogo=swoogo_events, ends=st.booleans(), reply_lost=lost)
    def wake_up_between_a_read_and_a_write(
        self, org_id: str, event_id: str, swoogo: int, ends: bool, reply_lost: bool
    ) -> None:
        """Stopped for longer than its lease; the present holder has looked at the register since."""
        former, at = self.newest(org_id), self.clock.now()
        self.look_at_the_register(former, reply_lost=reply_lost)
        self.take_over(org_id, looks=False, reply_lost=False)
        now = self.newest(org_id)

        def act(side: Side) -> Coroutine[Any, Any, Any]:
            if ends:
                return side.pairs.end(former, event_id, PairEnd.DISCONNECTED, at, era=at)
            return side.pairs.claim(former, event_id, swoogo, at)

        before = self.stored_pairs()
        self.both(act, reply_lost=reply_lost, meanwhile=lambda side: side.pairs.fence(now))
        self.server.meanwhile = None
        self.look_at_the_register(now, reply_lost=False)
        if self.stored_pairs() != before:
            raise AssertionError("G4: changed by a lease that was over")

    @rule(org_id=orgs, event_id=events, swoogo=swoogo_events, reply_lost=lost)
    def wake_up_after_a_write(self, org_id: str, event_id: str, swoogo: int, reply_lost: bool) -> None:
        """The present holder did not look before it wrote; that keeps the former one out too."""
        former, at = self.newest(org_id), self.clock.now()
        self.take_over(org_id, looks=False, reply_lost=False)
        now, known = self.newest(org_id), self.known.get(event_id)
        wanted = known.swoogo_event_id if known else swoogo
        self.change_pair(now, lambda side: side.pairs.claim(now, event_id, wanted, at), None, reply_lost=reply_lost)
        self.change_pair(
            former, lambda side: side.pairs.end(former, event_id, PairEnd.REMOVED, at), None, reply_lost=reply_lost
        )

    @rule(event_id=events, first=orgs, wanted=st.lists(swoogo_events, min_size=2, max_size=2), reply_lost=lost)
    def both_want_it_at_once(self, event_id: str, first: str, wanted: list[int], reply_lost: bool) -> None:
        """M1, M2: a free event goes to the first that asks, and the other gets an answer."""
        leases = {org_id: self.newest(org_id) for org_id in ORGS}
        for lease in leases.values():
            self.look_at_the_register(lease, reply_lost=False)
        at, known = self.clock.now(), self.known.get(event_id)
        if known:
            holder = leases[known.org_id]
            self.both(lambda side: side.pairs.end(holder, event_id, PairEnd.REMOVED, at), reply_lost=reply_lost)
        second = ORGS[ORGS.index(first) - 1]
        late = self.both(
            lambda side: side.pairs.claim(leases[second], event_id, wanted[1], at),
            reply_lost=reply_lost,
            meanwhile=lambda side: side.pairs.claim(leases[first], event_id, wanted[0], at),
        )
        self.pairs_are_for_ever()
        now = self.known.get(event_id)
        assert late is None or (now and now.org_id == second), "M1: both were told that they have it"

    def something_else(self, event_id: str) -> st.SearchStrategy[Act]:
        """What another worker does to the register between a read and a write."""

        def act(lease: Lease, what: str, swoogo: int) -> Act:
            at = self.clock.now()
            if what == "claim":
                return lambda side: side.pairs.claim(lease, event_id, swoogo, at)
            if what == "claim another":
                other = EVENTS[EVENTS.index(event_id) - 1]
                return lambda side: side.pairs.claim(lease, other, swoogo, at)
            if what == "end":
                return lambda side: side.pairs.end(lease, event_id, PairEnd.REMOVED, at)
            return lambda side: side.pairs.fence(lease)

        what = st.sampled_from(["claim", "claim another", "end", "hold"])
        return st.builds(act, self.somebody(), what, swoogo_events)

    @rule(data=data, fails=st.booleans(), reply_lost=lost)
    def flush(self, data: st.DataObject, fails: bool, reply_lost: bool) -> None:
        self.send(data.draw(self.somebody()), fails=fails, reply_lost=reply_lost)

    @rule(org_id=orgs, event_id=events, swoogo=swoogo_events, reply_lost=lost)
    def end_a_pair_while_it_is_sent(self, org_id: str, event_id: str, swoogo: int, reply_lost: bool) -> None:
        lease, at = self.newest(org_id), self.clock.now()
        known = self.known.get(event_id)
        wanted = known.swoogo_event_id if known else swoogo
        self.change_pair(lease, lambda side: side.pairs.claim(lease, event_id, wanted, at), None, reply_lost=reply_lost)
        self.send(
            lease,
            reply_lost=False,
            meanwhile=lambda side: side.pairs.end(lease, event_id, PairEnd.DISCONNECTED, at, era=at),
        )

    def send(self, lease: Lease, *, reply_lost: bool, fails: bool = False, meanwhile: Act | None = None) -> None:
        """M2, G6: the changelog has every pair of the organization as it is, or the next worker knows what it lacks."""
        org_id = lease.subject.id
        sends = bool(self.pairs.unlogged.get(org_id))
        failures = [UnavailableError("Kafka is away.")] if fails else []
        self.log.failures, self.pairs.changelog.failures = [*failures], [*failures]
        if meanwhile and sends:
            act = meanwhile

            async def while_sending() -> None:
                await outcome(act(self.real))

            self.log.during_write = while_sending
            self.server.run(outcome(act(self.model)))
        self.both(lambda side: side.pairs.flush(lease), reply_lost=reply_lost)
        self.log.failures.clear()
        self.pairs.changelog.failures.clear()
        if fails and sends:
            return
        sent = {pair.event_id: pair for pair in self.log.written}
        for pair in self.stored_pairs().values():
            assert pair.org_id != org_id or sent.get(pair.event_id) == pair, "G6: the changelog lacks a pair"
