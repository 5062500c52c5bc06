"""Every port once in memory and once in Redis, with windows short enough for tests that wait on real time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.redis import codecs
from consumer.adapters.redis.archive import RedisArchive
from consumer.adapters.redis.budget import RedisBudget
from consumer.adapters.redis.circuits import RedisCircuits
from consumer.adapters.redis.connections import RedisConnections
from consumer.adapters.redis.inbox import RedisInbox
from consumer.adapters.redis.issue_feed import IssueFeed
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.adapters.redis.ledger import RedisLedger
from consumer.adapters.redis.orders import RedisOrders
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.server_time import ServerTime
from consumer.adapters.redis.status import RedisStatusBoard
from consumer.adapters.redis.timeline import RedisTimeline
from consumer.adapters.redis.tokens import RedisTokens
from consumer.adapters.redis.webhooks import RedisHints, RedisWebhooks
from consumer.adapters.sealing import KeyPair, TokenCipher
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.pacing.circuit import CircuitRule
from consumer.domain.push.run import Run, Trigger
from consumer.ports import (
    Budget,
    Change,
    Circuits,
    Clock,
    Connections,
    Inbox,
    Lease,
    LedgerStore,
    PairRegister,
    StatusBoard,
    Subject,
    TokenStore,
    Work,
)
from consumer.ports.orders import OrderStore
from consumer.ports.status import Timeline
from consumer.ports.webhooks import HintStore, WebhookStore
from consumer.settings import DebounceSettings, PushSettings, ReconcileSettings, SwoogoSettings
from tests.support import builders
from tests.support.fakes import (
    FakeClock,
    InMemoryBudget,
    InMemoryCircuits,
    InMemoryConnections,
    InMemoryInbox,
    InMemoryLedger,
    InMemoryPairs,
    InMemoryStatusBoard,
    InMemoryTokens,
)
from tests.support.fakes.archive import FakeArchiveTopic
from tests.support.fakes.hints import InMemoryHints, InMemoryWebhooks
from tests.support.fakes.ledger import ListedChangelog
from tests.support.fakes.orders import InMemoryOrders
from tests.support.fakes.pairs import ListedPairs
from tests.support.fakes.status import RecordingTopic
from tests.support.fakes.timeline import InMemoryTimeline
from tests.support.repeating import RepeatingRedis
from tests.support.waiting import wait_until

PRIVATE_KEY = KeyPair.generate().private
CREDENTIAL = builders.a_connection().credential
CIRCUIT_FAILURES = 3
STEP = 0.01
"""Seconds by which a fake clock moves while a test waits."""


class Board(StatusBoard, Protocol):
    """The port, and what people look runs up with."""

    async def runs(self, event_id: str, limit: int = 10) -> list[Run]:
        """Ended runs, newest first."""
        ...

    async def current(self, event_id: str) -> Run | None:
        """The run in progress, or the last one."""
        ...


@dataclass(frozen=True, slots=True)
class Times:
    """Durations of a bench, in seconds. `survey`: 0 for no surveys."""

    quiet: float = 0.2
    max_wait: float = 0.5
    lease: float = 0.4
    window: float = 0.5
    limit: int = 20
    reserve: int = 0
    survey: float = 0.0


@dataclass
class Bench:
    """The ports of one replica."""

    clock: Clock
    inbox: Inbox
    ledger: LedgerStore
    connections: Connections
    pairs: PairRegister
    board: Board
    topic: RecordingTopic
    budget: Budget
    tokens: TokenStore
    circuits: Circuits
    hints: HintStore
    webhooks: WebhookStore
    timeline: Timeline
    orders: OrderStore
    times: Times
    redis: Redis | None = None
    changelog: ListedChangelog = field(default_factory=ListedChangelog)
    pair_log: ListedPairs = field(default_factory=ListedPairs)

    def news(self, count: int) -> int:
        """What the inbox counts as news, for the metrics: nothing where a repeated command finds its own work done."""
        return 0 if isinstance(self.redis, RepeatingRedis) else count

    async def now(self) -> int:
        """Ms on the clock that decides: the server's, where there is one."""
        if self.redis is None:
            return self.clock.now()
        seconds, micros = await self.redis.time()
        return seconds * 1000 + micros // 1000

    async def until(self, ask: Callable[[], Awaitable[object] | object], description: str, timeout: float = 5.0) -> int:
        """Wait for a truthy answer; returns the moment just after it."""
        if not isinstance(self.clock, FakeClock):
            await wait_until(ask, description, timeout)
            return await self.now()
        for _ in range(round(timeout / STEP)):
            answer = ask()
            if isinstance(answer, Awaitable):
                answer = await answer
            if answer:
                return self.clock.now()
            await self.clock.advance(STEP)
        raise AssertionError(f"Not within {timeout:g} s: {description}")

    async def passed(self, seconds: float) -> None:
        """Wait until so much time has gone by on the deciding clock."""
        end = await self.now() + round(seconds * 1000)

        async def over() -> bool:
            return await self.now() >= end

        await self.until(over, f"{seconds:g} s go by", seconds + 5)

    async def claimed(self, subject: Subject, op_id: str = "op") -> Lease:
        """The lease, as soon as the subject can be claimed."""
        found: list[Lease] = []

        async def ask() -> bool:
            lease = await self.inbox.claim(subject, op_id)
            found.extend([lease] if lease else [])
            return bool(lease)

        await self.until(ask, f"{subject} can be claimed")
        return found[0]

    async def leased(self, event_id: str = builders.EVENT, op_id: str = "op") -> Lease:
        """A lease on an event with one change and continuous sync on."""
        subject = Subject("event", event_id)
        await self.inbox.set_continuous(event_id, on=False)
        await self.inbox.record(subject, [a_change("session/first", 1)])
        await self.inbox.set_continuous(event_id, on=True)
        return await self.claimed(subject, op_id)


def a_change(key: str = "session/s1", version: int = 1, row: bytes | None = None) -> Change:
    """A change whose row is a session of that version unless given."""
    session = builders.a_session(key.partition("/")[2], version=version)
    return Change(key, stamped(version), codecs.encode(session) if row is None else row)


def stamped(version: int) -> str:
    """A stamp that sorts by version."""
    return f"{version:015d}.{version:015d}.{version:015d}"


def a_work(lease: Lease, trigger: Trigger = Trigger.CHANGES, mapping: EventMapping | None = None) -> Work:
    """Work on behalf of a lease."""
    chosen = mapping or builders.a_mapping(event_id=lease.subject.id)
    return Work(chosen, builders.a_connection(), lease, trigger)


def in_memory(times: Times) -> Bench:
    """The fakes, on a clock that moves only while a test waits."""
    clock = FakeClock()
    inbox = InMemoryInbox(clock, quiet=times.quiet, max_wait=times.max_wait, lease=times.lease, survey=times.survey)
    changelog, pair_log, topic = ListedChangelog(), ListedPairs(), RecordingTopic()
    connections = InMemoryConnections(inbox)
    return Bench(
        clock=clock,
        inbox=inbox,
        ledger=InMemoryLedger(inbox, changelog),
        connections=connections,
        pairs=InMemoryPairs(pair_log),
        board=InMemoryStatusBoard(inbox, topic, connections),
        topic=topic,
        budget=InMemoryBudget(clock, inbox, limit=times.limit, window=times.window, reserve=times.reserve),
        tokens=InMemoryTokens(clock),
        circuits=InMemoryCircuits(clock, CircuitRule(CIRCUIT_FAILURES, first=0.3, most=0.6, probe=300)),
        hints=InMemoryHints(inbox, connections),
        webhooks=InMemoryWebhooks(inbox),
        timeline=InMemoryTimeline(inbox),
        orders=InMemoryOrders(),
        times=times,
        changelog=changelog,
        pair_log=pair_log,
    )


def in_redis(redis: Redis, times: Times, scripts: Scripts | None = None) -> Bench:
    """The adapters. Called twice on one server it makes two replicas."""
    clock, keys, scripts, leases = SystemClock(), Keys("test"), scripts or Scripts(redis), Leases()
    # Shorter than a deployment may choose, so that a test need not wait for seconds.
    push = PushSettings.model_construct(lease=times.lease)
    reconcile = ReconcileSettings.model_construct(interval=times.survey)
    debounce = DebounceSettings(quiet_period=times.quiet, max_wait=times.max_wait)
    swoogo = SwoogoSettings.model_construct(
        credit_limit=times.limit, credit_window=times.window, credit_reserve=times.reserve
    )
    # A deadline that makes a probe last 0.3 s, see `rule_of`.
    short = SwoogoSettings.model_construct(
        circuit_failures=CIRCUIT_FAILURES, circuit_first=0.3, circuit_max=0.6, deadline=-2.35
    )
    kept, pair_log, topic = ListedChangelog(), ListedPairs(), RecordingTopic()
    connections, archive = RedisConnections(redis, keys, scripts), RedisArchive(redis, keys, scripts, FakeArchiveTopic)
    return Bench(
        clock=clock,
        inbox=RedisInbox(redis, keys, scripts, leases, debounce, push, reconcile, archive),
        ledger=RedisLedger(redis, keys, scripts, kept),
        connections=connections,
        pairs=RedisPairs(redis, keys, scripts, pair_log),
        board=RedisStatusBoard(redis, keys, scripts, topic, IssueFeed(redis, keys, scripts, connections, topic)),
        topic=topic,
        budget=RedisBudget(redis, keys, scripts, leases, clock, swoogo, ServerTime(redis, clock)),
        tokens=RedisTokens(redis, keys, scripts, TokenCipher(PRIVATE_KEY)),
        circuits=RedisCircuits(redis, keys, scripts, clock, short),
        hints=RedisHints(redis, keys, scripts),
        webhooks=RedisWebhooks(redis, keys, scripts),
        timeline=RedisTimeline(redis, keys, scripts),
        orders=RedisOrders(redis, keys, scripts),
        times=times,
        redis=redis,
        changelog=kept,
        pair_log=pair_log,
    )
