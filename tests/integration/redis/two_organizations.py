"""Two organizations that want the same two events, in Redis and in memory: what is done in one is done in the other.

Every answer and everything stored must be the same in both; what must hold whatever the two agree on is checked beside
that, from what was done and seen alone. The rules are in `pair_rules` and `test_pairs_machine`.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant

from consumer.adapters.redis import codecs
from consumer.adapters.redis.connections import RedisConnections
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.pairs import RedisPairs
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.pair import Pair
from consumer.domain.errors import LeaseLostError
from consumer.ports import Connections, Inbox, Lease, PairRegister, event_subject
from tests.support.fakes import FakeClock, InMemoryConnections, InMemoryInbox, InMemoryPairs
from tests.support.fakes.pairs import ListedPairs
from tests.support.server_time import TimedServer
from tests.support.twins import fields, model_fields, outcome, redis_inbox, texts

EVENTS: Final = ("one", "two")
ORGS: Final = ("here", "there")
LEASE, SURVEY = 2_000, 10_000

events = st.sampled_from(EVENTS)
orgs = st.sampled_from(ORGS)
swoogo_events = st.sampled_from((11, 22))
lost = st.booleans()
data = st.data()


@dataclass(frozen=True, slots=True)
class Side:
    """What a worker works with."""

    inbox: Inbox
    connections: Connections
    pairs: PairRegister


Act = Callable[[Side], Coroutine[Any, Any, Any]]


class TwoOrganizations(RuleBasedStateMachine):
    """On one clock. No rules."""

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
            redis_inbox(server, self.keys, lease=LEASE, survey=SURVEY),
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


def _row(stored: bytes | None, decoder: Any) -> Any:
    return decoder.decode(stored) if stored else None
