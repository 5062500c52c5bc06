"""The scripts of connecting, held against the fakes by histories of two organizations that want the same two events.

Workers of both come late with leases that ended long ago, commands of others fall between what a worker reads and what
it writes, and replies get lost. Every answer and everything stored must be as in memory; what must hold whatever the
two agree on is checked beside that, from what was done and seen alone.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any, Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from consumer.adapters.redis import codecs
from consumer.adapters.redis.archive import RedisArchive
from consumer.adapters.redis.connections import RedisConnections
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.adapters.redis.pairs import RedisPairs
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.pair import Pair, PairEnd
from consumer.domain.errors import LeaseLostError, UnavailableError
from consumer.ports import Connections, Inbox, Lease, PairRegister, event_subject, org_subject
from consumer.settings import DebounceSettings, PushSettings, ReconcileSettings
from tests.contract.bench import a_change
from tests.support.builders import a_connection, a_mapping
from tests.support.fakes import FakeClock, InMemoryConnections, InMemoryInbox, InMemoryPairs
from tests.support.fakes.archive import FakeArchiveTopic
from tests.support.fakes.pairs import ListedPairs
from tests.support.machines import play
from tests.support.server_time import TimedServer
from tests.support.twins import fields, model_fields, outcome, texts

pytestmark = [pytest.mark.integration, pytest.mark.rule("M1", "M2", "X2", "G3", "G4")]

EVENTS: Final = ("one", "two")
ORGS: Final = ("here", "there")
SWOOGO_EVENTS: Final = (11, 22)
LEASE, SURVEY = 2_000, 10_000

events = st.sampled_from(EVENTS)
orgs = st.sampled_from(ORGS)
swoogo_events = st.sampled_from(SWOOGO_EVENTS)
some_events = st.sampled_from([(), ("one",), ("two",), EVENTS])
ends = st.sampled_from(PairEnd)
versions = st.integers(0, 2)
lost = st.booleans()
data = st.data()


@dataclass(frozen=True, slots=True)
class Side:
    """What a worker works with."""

    inbox: Inbox
    connections: Connections
    pairs: PairRegister


Act = Callable[[Side], Coroutine[Any, Any, Any]]


class PairsMachine(RuleBasedStateMachine):
    """Two organizations and two events on one clock; what is done in Redis is done in memory."""

    def __init__(self, server: TimedServer) -> None:
        super().__init__()
        self.server = server
        self.clock = FakeClock()
        server.forget(self.clock)
        self.keys = Keys("test")
        self.inbox = InMemoryInbox(self.clock, lease=LEASE / 1000, survey=SURVEY / 1000)
        self.log, self.pairs = ListedPairs(), InMemoryPairs()
        self.connections = InMemoryConnections(self.inbox)
        self.model = Side(self.inbox, self.connections, self.pairs)
        redis, scripts = server.redis, server.scripts
        self.real = Side(
            RedisInbox(
                redis,
                self.keys,
                scripts,
                Leases(),
                DebounceSettings(),
                PushSettings.model_construct(lease=LEASE / 1000),
                ReconcileSettings.model_construct(interval=SURVEY / 1000),
                RedisArchive(redis, self.keys, scripts, FakeArchiveTopic),
            ),
            RedisConnections(redis, self.keys, scripts),
            RedisPairs(redis, self.keys, scripts, self.log),
        )
        self.numbers = count(1)
        self.leases: list[Lease] = []
        self.event_leases: list[Lease] = []
        self.claimed: dict[str, int] = {}
        self.held: dict[tuple[str, str], int] = {}
        self.looked: dict[str, int] = {}
        self.known: dict[str, Pair] = {}
        self.rounds: dict[str | int, int] = {}

    # What is done, and what is checked of it at once.

    def both(self, act: Act, *, reply_lost: bool = False, meanwhile: Act | None = None) -> Any:
        """Do the same in both worlds, and compare what they say. `meanwhile` is done before it takes effect."""
        told: list[Any] = []

        async def others() -> None:
            assert meanwhile
            told.append(await outcome(meanwhile(self.real)))

        self.server.reply_lost = reply_lost
        self.server.meanwhile = others if meanwhile else None
        said = self.server.run(outcome(act(self.real)))
        expected_of_others = self.server.run(outcome(meanwhile(self.model))) if meanwhile and told else None
        expected = self.server.run(outcome(act(self.model)))
        self.server.meanwhile = None
        assert said == expected
        assert not told or told == [expected_of_others]
        self.pairs_are_for_ever(changes=1 + len(told))
        return expected

    def fenced(self, newest: int, lease: Lease, act: Act, *, reply_lost: bool, meanwhile: Act | None = None) -> Any:
        """G4: a lease older than the `newest` that was seen there changes nothing at all and is told so."""
        before = self.everything() if lease.epoch < newest else None
        said = self.both(act, reply_lost=reply_lost, meanwhile=meanwhile)
        if before is not None:
            assert said is LeaseLostError, "G4: written by a lease that was over"
            assert meanwhile or self.everything() == before, "G4: changed by a lease that was over"
        return said

    def everything(self) -> dict[bytes, Any]:
        """All that is stored, but for what the lease does not fence.

        That is the set which may name events that an organization never had, and the latest time seen.
        """
        looking: Any = self.server.looking
        unfenced = {self.keys.org(org_id, "mappings").encode() for org_id in ORGS}
        found = {name: looking.dump(name) for name in sorted({*looking.keys("test:{*")} - unfenced)}
        for name in found:
            if name.endswith(b":state"):
                found[name] = {field: value for field, value in looking.hgetall(name).items() if field != b"seen"}
        return {name: value for name, value in found.items() if value}

    def hash_of(self, name: str) -> dict[str, str]:
        stored: Any = self.server.looking.hgetall(name)
        return texts(stored)

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

    # Connections and pairs in force.

    @rule(data=data, version=versions, others=st.booleans(), reply_lost=lost)
    def put_a_connection(self, data: st.DataObject, version: int, others: bool, reply_lost: bool) -> None:
        lease = data.draw(self.somebody())
        org_id = lease.subject.id
        connection = _connection(org_id, version)
        if others and lease.epoch == self.claimed[org_id] and not self.inbox.holds(lease):
            said = self.both(
                lambda side: side.connections.put_connection(org_id, connection, by=lease),
                meanwhile=self.claims(org_id),
            )
            assert said is LeaseLostError, "G4: taken over before it was written"
            return
        self.fenced(
            self.claimed[org_id],
            lease,
            lambda side: side.connections.put_connection(org_id, connection, by=lease),
            reply_lost=reply_lost,
        )

    def claims(self, org_id: str) -> Act:
        """Somebody who takes the organization over."""
        subject, number = org_subject(org_id), next(self.numbers)

        async def act(side: Side) -> None:
            await side.inbox.record(subject, [a_change("session/s1", number)])
            lease = await side.inbox.claim(subject, f"op-{number}")
            assert lease
            self.claimed[org_id] = lease.epoch
            if lease not in self.leases:
                self.leases.append(lease)

        return act

    @rule(data=data, event_id=events, version=versions, swoogo=swoogo_events, others=st.booleans(), reply_lost=lost)
    def put_a_mapping(
        self, data: st.DataObject, event_id: str, version: int, swoogo: int, others: bool, reply_lost: bool
    ) -> None:
        """A pair comes in force, changes or ends; perhaps somebody newer holds it before that is written."""
        lease = data.draw(self.somebody())
        org_id = lease.subject.id
        mapping = _mapping(org_id, event_id, swoogo, version)
        newer = next((each for each in self.leases if each.subject.id == org_id and each.epoch > lease.epoch), None)
        known = self.held.get((event_id, org_id), 0)

        def act(side: Side) -> Coroutine[Any, Any, Any]:
            return side.connections.put_mapping(org_id, event_id, mapping, by=lease)

        if others and newer and known <= newer.epoch:

            async def hold(side: Side) -> None:
                # What it holds beside that is decided by what it read.
                if side is self.real:
                    await self.server.scripts.hold_mapping(
                        self.keys.event(event_id, "holders"), org_id=org_id, epoch=newer.epoch
                    )
                else:
                    self.inbox.hold(event_id, org_id, newer)

            said = self.both(act, meanwhile=hold)
            self.held[event_id, org_id] = newer.epoch
            assert said is LeaseLostError, "G4: held by another before it was written"
            return
        taken = self.mapping_of(event_id)
        said = self.fenced(known, lease, act, reply_lost=reply_lost)
        assert (said is None) == (lease.epoch == known), "G4: only its holder writes"
        if mapping is None and taken and taken.org_id != org_id:
            assert self.mapping_of(event_id) == taken, "M1: taken from another organization"

    @rule(event_id=events, first=orgs, swoogo=swoogo_events, reply_lost=lost)
    def let_go_what_the_other_has(self, event_id: str, first: str, swoogo: int, reply_lost: bool) -> None:
        """M1: an event that went from one organization to the other stays with that one."""
        mapping = _mapping(first, event_id, swoogo, 1)
        for org_id in (first, ORGS[ORGS.index(first) - 1]):
            lease = self.newest(org_id)
            self.hold(lease, (event_id,), reply_lost=reply_lost)
            wanted = mapping if org_id == first else None
            put = partial(_put_mapping, event_id=event_id, mapping=wanted, lease=lease)
            self.fenced(self.held.get((event_id, org_id), 0), lease, put, reply_lost=reply_lost)
            if org_id == first and self.held[event_id, org_id] != lease.epoch:
                return
        assert self.mapping_of(event_id) == mapping, "M1: taken from another organization"
        for org_id in ORGS:
            found = self.both(partial(_mappings, org_id=org_id))
            assert {each.org_id for each in found.values()} <= {org_id}

    @rule(org_id=orgs, event_id=events, swoogo=swoogo_events, late=st.booleans(), reply_lost=lost)
    def see_the_zone(self, org_id: str, event_id: str, swoogo: int, late: bool, reply_lost: bool) -> None:
        """M7: a push notes what Swoogo shows, of the pair it read; `late`: that has changed since."""
        lease = self.newest(org_id)
        self.hold(lease, (event_id,), reply_lost=False)
        for version in (1, 2) if late else (1,):
            mapping = _mapping(org_id, event_id, swoogo, version)
            put = partial(_put_mapping, event_id=event_id, mapping=mapping, lease=lease)
            self.fenced(self.held.get((event_id, org_id), 0), lease, put, reply_lost=False)
        stored, before = self.mapping_of(event_id), _mapping(org_id, event_id, swoogo, 1)
        assert before
        after = replace(before, swoogo_timezone="Zone/Seen")
        done = self.both(lambda side: side.connections.replace_mapping(before, after), reply_lost=reply_lost)
        assert done == (stored in {before, after})
        assert self.mapping_of(event_id) == (after if done else stored), "M4: a pair that is over came back"

    @rule(data=data, event_id=events, on=st.booleans(), others=st.booleans(), reply_lost=lost)
    def switch(self, data: st.DataObject, event_id: str, on: bool, others: bool, reply_lost: bool) -> None:
        """C4, M5: by the organization that holds the event's pair."""
        lease = data.draw(self.somebody())
        known = self.held.get((event_id, lease.subject.id), 0)
        said = self.fenced(
            known,
            lease,
            lambda side: side.inbox.set_continuous(event_id, on=on, by=lease),
            reply_lost=reply_lost,
        )
        assert (said is True) == (lease.epoch == known), "G4: only its holder switches"
        if said is True:
            assert self.server.looking.hget(self.keys.event(event_id, "state"), "continuous") == b"%d" % on

    # The event itself.

    @rule(event_id=events, reply_lost=lost)
    def change_and_claim_the_event(self, event_id: str, reply_lost: bool) -> None:
        subject, number = event_subject(event_id), next(self.numbers)
        self.both(lambda side: side.inbox.record(subject, [a_change("session/s1", number)]))
        self.clock.ms = max(self.clock.ms, self.inbox.state(subject).moment() or 0)
        lease = self.both(lambda side: side.inbox.claim(subject, f"op-{number}"), reply_lost=reply_lost)
        if lease:
            self.event_leases.append(lease)

    @precondition(lambda self: self.event_leases)
    @rule(data=data, reply_lost=lost)
    def switch_off_as_who_has_the_event(self, data: st.DataObject, reply_lost: bool) -> None:
        """It found no pair, perhaps before one was switched on."""
        lease = data.draw(st.sampled_from(self.event_leases[:-3:-1]))
        newest = max(each.epoch for each in self.event_leases if each.subject == lease.subject)
        event_id = lease.subject.id
        said = self.fenced(
            newest,
            lease,
            lambda side: side.inbox.set_continuous(event_id, on=False, by=lease),
            reply_lost=reply_lost,
        )
        assert (said is LeaseLostError) == (lease.epoch != newest)

    @precondition(lambda self: self.event_leases)
    @rule(data=data, reply_lost=lost)
    def give_the_event_back(self, data: st.DataObject, reply_lost: bool) -> None:
        lease = data.draw(st.sampled_from(self.event_leases[:-3:-1]))
        self.both(lambda side: side.inbox.complete(lease, {}), reply_lost=reply_lost)

    def newest(self, org_id: str) -> Lease:
        return max((lease for lease in self.leases if lease.subject.id == org_id), key=lambda lease: lease.epoch)

    def somebody(self) -> st.SearchStrategy[Lease]:
        """A worker with the newest lease of its organization, or with one of those before it."""
        return st.sampled_from(self.leases[:-6:-1])

    # What must hold.

    def stored_pairs(self) -> dict[str, Pair]:
        return {event: codecs.pair.decode(row) for event, row in self.hash_of(self.keys.pairs("records")).items()}

    def mapping_of(self, event_id: str) -> EventMapping | None:
        row = self.server.looking.get(self.keys.event(event_id, "mapping"))
        return codecs.mapping.decode(row) if row else None

    def pairs_are_for_ever(self, changes: int = 1) -> None:
        """M1, M2, X2: partners never change, a pair in force is not taken, and eras only grow.

        Of two `changes` the first may have ended the pair that the second one takes.
        """
        stored = self.stored_pairs()
        swoogo = [pair.swoogo_event_id for pair in stored.values()]
        assert len({*swoogo}) == len(swoogo), "M2: a Swoogo event with two partners"
        for event_id, before in self.known.items():
            now = stored.get(event_id)
            if now is None or now.round != before.round:
                assert before.ended_at is not None, "M8: a pair in force was voided"
                assert now is None or now.round > before.round, "M8: a round came back"
                continue
            assert now.swoogo_event_id == before.swoogo_event_id, "M2: another partner"
            assert now.mapped_at == before.mapped_at
            assert now.era >= before.era, "X2: unsealed"
            free = before.ended_at is not None or changes > 1
            assert now.org_id == before.org_id or free, "M1: taken while it was in force"
            assert now.org_id != before.org_id or now.epoch >= before.epoch, "G4: written by an older lease"
        for event_id, now in stored.items():
            for partner in (event_id, now.swoogo_event_id):
                assert now.round > self.rounds.get(partner, -1), "M8: of the round of a voided pair"
        self.known = stored

    @invariant()
    def everything_is_as_in_the_model(self) -> None:
        with self.server.looking.pipeline(transaction=False) as pipe:
            for event_id in EVENTS:
                for name in ("state", "dirty", "holders"):
                    pipe.hgetall(self.keys.event(event_id, name))
                pipe.get(self.keys.event(event_id, "mapping"))
                pipe.zscore(self.keys.due_of(event_subject(event_id)), str(event_subject(event_id)))
            for org_id in ORGS:
                pipe.get(self.keys.org(org_id, "connection"))
                pipe.smembers(self.keys.org(org_id, "mappings"))
                pipe.smembers(self.keys.pairs(f"unlogged/{org_id}"))
            for name in ("records", "event_of", "holders", "voided"):
                pipe.hgetall(self.keys.pairs(name))
            found = iter(pipe.execute())
        for event_id in EVENTS:
            state, dirty, holders, mapping, due = (next(found) for _ in range(5))
            expected = self.inbox.state(event_subject(event_id))
            assert texts(dirty) == expected.marks
            assert fields(texts(state)) == model_fields(expected)
            assert {org_id: int(epoch) for org_id, epoch in texts(holders).items()} == expected.holders
            assert (None if due is None else int(due)) == expected.moment()
            assert _row(mapping, codecs.mapping) == self.connections.in_force.get(event_id)
        for org_id in ORGS:
            connection, index, unlogged = (next(found) for _ in range(3))
            assert _row(connection, codecs.connection) == self.connections.accepted.get(org_id)
            assert {event.decode() for event in index} == self.connections.events_of.get(org_id, set())
            assert {event.decode() for event in unlogged} == self.pairs.unlogged.get(org_id, set())
        records, event_of, holders, voided = (texts(next(found)) for _ in range(4))
        pairs = self.server.run(self.model_pairs())
        assert {event: codecs.pair.decode(row) for event, row in records.items()} == pairs
        assert event_of == {str(pair.swoogo_event_id): event for event, pair in pairs.items()}
        assert {org_id: int(epoch) for org_id, epoch in holders.items()} == self.pairs.newest
        assert {name: int(round_) for name, round_ in voided.items()} == self.pairs.voided

    async def model_pairs(self) -> dict[str, Pair]:
        return dict(await self.pairs.all())


def _put_mapping(side: Side, *, event_id: str, mapping: EventMapping | None, lease: Lease) -> Coroutine[Any, Any, Any]:
    return side.connections.put_mapping(lease.subject.id, event_id, mapping, by=lease)


def _mappings(side: Side, *, org_id: str) -> Coroutine[Any, Any, Any]:
    return side.connections.mappings(org_id)


def _row(stored: bytes | None, decoder: Any) -> Any:
    return decoder.decode(stored) if stored else None


def _connection(org_id: str, version: int) -> Connection | None:
    return replace(a_connection(org_id), stamp=str(version)) if version else None


def _mapping(org_id: str, event_id: str, swoogo: int, version: int) -> EventMapping | None:
    if not version:
        return None
    return replace(a_mapping(event_id=event_id, sync_capacity=version == 1), org_id=org_id, swoogo_event_id=swoogo)


def test_the_scripts_of_connecting_agree_with_the_model(redis_url: str) -> None:
    """Connections, pairs and continuous sync are fenced by the organization's lease."""
    server = TimedServer(redis_url)
    try:
        play(lambda: PairsMachine(server), examples=35, steps=25)
    finally:
        server.close()
