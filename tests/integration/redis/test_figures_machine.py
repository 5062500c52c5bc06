"""Numbers kept by the scripts are what counting every row says, whatever was written, lost, repeated and restored."""

from __future__ import annotations

from itertools import count
from typing import Any, Final

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from consumer.adapters.redis import codecs
from consumer.adapters.redis.archive import RedisArchive
from consumer.adapters.redis.event_stats import RedisEventStats
from consumer.adapters.redis.issue_feed import IssueFeed
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.adapters.redis.status import RedisStatusBoard
from consumer.domain.errors import LeaseLostError
from consumer.domain.issues.issue import Code, Issue
from consumer.domain.push.run import Run, Trigger
from consumer.domain.records.identity import moments_of, stamp
from consumer.domain.records.ledger import Entry, State
from consumer.ports import Change, Lease, event_subject
from consumer.ports.rebuild import Logged
from tests.support.builders import EVENT, a_mapping
from tests.support.desk import Silent, SilentIssues
from tests.support.fakes import FakeClock
from tests.support.fakes.archive import FakeArchiveTopic
from tests.support.machines import play
from tests.support.server_time import TimedServer
from tests.support.twins import redis_inbox

pytestmark = pytest.mark.integration

RECORDS: Final = ("session/a", "session/b", "speaker/a", "track/a")
LEASE: Final = 2_000

some = st.lists(st.sampled_from(RECORDS), unique=True)
states = st.one_of(st.none(), st.sampled_from(State))
codes = st.sampled_from([Code.REFUSED, Code.EDITED_IN_SWOOGO, Code.AMBIGUOUS_MATCH])
lost = st.booleans()


class FiguresMachine(RuleBasedStateMachine):
    """One event; its workers may have lost it, and answers of scripts get lost."""

    def __init__(self, server: TimedServer) -> None:
        super().__init__()
        self.server, self.clock = server, FakeClock()
        server.forget(self.clock)
        keys, redis, scripts, silent = Keys("test"), server.redis, server.scripts, Silent()
        self.keys = keys
        self.archives = RedisArchive(redis, keys, scripts, FakeArchiveTopic)
        self.inbox = redis_inbox(server, keys, lease=LEASE, survey=0, quiet=0, max_wait=0, archive=self.archives)
        self.ledger = RedisLedger(redis, keys, scripts, silent, self.archives)
        pairs: Any = _Pairs()
        feed = IssueFeed(redis, keys, scripts, pairs, SilentIssues())
        self.board = RedisStatusBoard(redis, keys, scripts, silent, feed)
        self.restorer = RedisRestorer(redis, keys, scripts, self.inbox, 600.0)
        self.stats = RedisEventStats(redis, keys, scripts)
        self.numbers = count(1)
        self.leases: list[Lease] = []
        self.oldest: int | None = None
        """Publication of the oldest change that waits, with every version of its record counted."""
        server.run(self.inbox.set_continuous(EVENT, on=True))

    def do(self, work: Any, *, reply_lost: bool) -> bool:
        """False when the worker had lost the event."""
        self.server.reply_lost = reply_lost
        try:
            self.server.run(work)
        except LeaseLostError:
            return False
        return True

    @rule(keys=some.filter(bool), reply_lost=lost)
    def record(self, keys: list[str], reply_lost: bool) -> None:
        published = next(self.numbers)
        changes = [Change(key, stamp(published, published, 0, 0), b'{"id":"a"}') for key in keys]
        self.do(self.inbox.record(event_subject(EVENT), changes), reply_lost=reply_lost)
        self.oldest = published if self.oldest is None else self.oldest

    @rule(seconds=st.integers(0, 3))
    def time_goes_by(self, seconds: int) -> None:
        self.clock.ms += seconds * 1000

    @rule(reply_lost=lost)
    def claim(self, reply_lost: bool) -> None:
        async def claim() -> None:
            lease = await self.inbox.claim(event_subject(EVENT), f"op{next(self.numbers)}")
            self.leases += [lease] if lease else []

        self.do(claim(), reply_lost=reply_lost)

    @rule(data=st.data(), reply_lost=lost)
    def push(self, data: st.DataObject, reply_lost: bool) -> None:
        if self.leases:
            drawn = data.draw(st.dictionaries(st.sampled_from(RECORDS), states))
            entries = {key: state and Entry(state, natural='"state":"intent"') for key, state in drawn.items()}
            self.do(self.ledger.put(data.draw(st.sampled_from(self.leases)), entries), reply_lost=reply_lost)

    @rule(data=st.data(), reply_lost=lost)
    def report(self, data: st.DataObject, reply_lost: bool) -> None:
        if self.leases:
            found = data.draw(st.dictionaries(st.sampled_from(RECORDS), st.tuples(codes, st.booleans())))
            issues = {
                key: Issue(key, code, detail='"parked":"x"', parked="f" if parked else "")
                for key, (code, parked) in found.items()
            }
            run = Run(f"run{next(self.numbers)}", EVENT, Trigger.CHANGES, 1, ended=2, outcome="completed")
            self.do(self.board.ended(run, issues, data.draw(st.sampled_from(self.leases))), reply_lost=reply_lost)

    @rule(done=some, meanwhile=some, reply_lost=lost)
    def complete(self, done: list[str], meanwhile: list[str], reply_lost: bool) -> None:
        """What was recorded while it was pushed stays."""
        if not self.leases:
            self.claim(reply_lost=False)
        if self.leases:
            lease, held = self.leases[-1], self.marks()
            marks = {key: held[key] for key in done if key in held}
            if meanwhile:
                self.record(meanwhile, reply_lost=False)
            if self.do(self.inbox.complete(lease, marks), reply_lost=reply_lost):
                self.leases.remove(lease)
                rest = [_published(mark) for mark in self.marks().values()]
                self.oldest = min(rest, default=None) if marks else self.oldest

    @rule(keys=some, state=states, epoch=st.sampled_from([0, 0, 0, 2**53]), reply_lost=lost)
    def restore(self, keys: list[str], state: State | None, epoch: int, reply_lost: bool) -> None:
        entry = Entry(state, epoch=epoch) if state else None
        logged = [Logged(EVENT, key, entry, self.clock.now()) for key in keys]
        self.do(self.restorer.entries(EVENT, logged), reply_lost=reply_lost)

    @rule(reply_lost=lost)
    def archive(self, reply_lost: bool) -> None:
        """Y4: where nothing waits; what is known of Swoogo stays the same."""
        before = self.server.run(self.ledger.load(EVENT))
        self.server.looking.delete(self.keys.event(EVENT, "unlogged"))
        self.do(self.archives.put_away(EVENT, f"op{next(self.numbers)}", self.clock.now()), reply_lost=reply_lost)
        assert self.server.run(self.ledger.load(EVENT)) == before

    @rule(really=st.sampled_from([False, False, False, True]))
    def lose_redis(self, really: bool) -> None:
        """A rebuild begins with nothing."""
        if not really:
            return
        self.server.looking.flushdb()
        self.server.forget(self.clock)
        self.leases.clear()
        self.oldest = None
        self.server.run(self.inbox.set_continuous(EVENT, on=True))

    @invariant()
    def every_number_is_what_counting_says(self) -> None:
        stats = self.server.run(self.stats.stats_of([EVENT]))[EVENT]
        ledger: dict[str, int] = {}
        for key, entry in self.server.run(self.ledger.load(EVENT)).items():
            name = f"{key.partition('/')[0]}/{entry.state}"
            ledger[name] = ledger.get(name, 0) + 1
        issues: dict[str, int] = {}
        parked = 0
        for issue in map(codecs.issue.decode, self.server.looking.hvals(self.keys.event(EVENT, "issues"))):
            issues[issue.code] = issues.get(issue.code, 0) + 1
            parked += bool(issue.parked)
        assert (stats.ledger, stats.issues, stats.parked) == (ledger, issues, parked)
        assert (stats.changes, stats.oldest) == (len(self.marks()), self.oldest)
        assert stats.archived or not self.server.run(self.stats.recount(EVENT))

    def marks(self) -> dict[str, str]:
        held: Any = self.server.looking.hgetall(self.keys.event(EVENT, "dirty"))
        return {key.decode(): mark.decode() for key, mark in held.items()}


def _published(mark: str) -> int:
    return moments_of(mark)[1]


class _Pairs:
    """Every event has the pair that its runs are of."""

    async def mapping(self, event_id: str) -> Any:
        return a_mapping(event_id=event_id)


def test_numbers_are_what_counting_says_after_any_history(server: TimedServer) -> None:
    play(lambda: FiguresMachine(server), examples=15, steps=25)
