"""One Redis and one Kafka (a list) for replicas that rebuild."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from redis.asyncio import Redis

from consumer.adapters.clock import SystemClock
from consumer.adapters.kafka.decode import KafkaDecoder
from consumer.adapters.redis.pairs import RedisPairs
from consumer.adapters.redis.rebuild_marker import RedisMarkers
from consumer.adapters.redis.rebuild_restore import RedisRestorer
from consumer.adapters.redis.stores import Stores, open_stores
from consumer.domain.connection_state import ConnectionState, PairState
from consumer.domain.connections.connection import Connection
from consumer.domain.connections.mapping import EventMapping
from consumer.domain.connections.pair import Pair
from consumer.services.rebuild import Rebuilder
from consumer.services.rebuild_ports import RebuildPorts
from consumer.settings import Topics, load_settings
from sandbox.conference.records import TopicNames, Writer
from sandbox.conference.sessionboard import Event
from tests.support.builders import an_entry
from tests.support.conferences import small
from tests.support.desk import Silent
from tests.support.history import ListedHistory

ORG: Final = "757e8d5b-ce66-45f5-ab36-273414f8ab2f"
EVENT: Final = "3960"
AT: Final = datetime(2026, 5, 1, 9, tzinfo=UTC)
CONNECTION: Final = Connection(ORG, "c" * 64, continuous=True, sealed="c2VhbGVk", stamp="1")
MAPPING: Final = EventMapping(EVENT, ORG, 4711, "Europe/London", CONNECTION.credential, name="A conference")
PAIR: Final = Pair(EVENT, 4711, ORG, mapped_at=5)


@dataclass
class Replica:
    """One process that may rebuild."""

    stores: Stores
    pairs: RedisPairs
    markers: RedisMarkers
    rebuilder: Rebuilder


@dataclass
class Ground:
    """One Redis and one Kafka, for as many replicas as a test wants. `among`: settings of a Redis of many servers."""

    redis_url: str
    redis: Redis
    history: ListedHistory
    writer: Writer
    among: dict[str, str] = field(default_factory=dict)
    opened: list[Stores] = field(default_factory=list)

    def replica(self, *, lease: float = 0.0, url: str = "", history: ListedHistory | None = None) -> Replica:
        """`url`: another way to the same Redis. `history`: what another version makes of the same Kafka."""
        bound = open_stores(
            load_settings(
                redis={"url": url or self.redis_url, "prefix": "test", **self.among},
                debounce={"quiet_period": 0.0, "max_wait": 0.0},
            )
        )
        self.opened.append(bound)
        ports = RebuildPorts(
            bound.markers,
            history or self.history,
            RedisRestorer(bound.redis, bound.keys, bound.scripts, bound.inbox, 600.0),
            bound.inbox,
            bound.connections,
            KafkaDecoder(Topics(), 4_194_304),
            SystemClock(),
            lease,
        )
        rebuilder = Rebuilder(ports)
        return Replica(bound, RedisPairs(bound.redis, bound.keys, bound.scripts, Silent()), bound.markers, rebuilder)

    def synced(self, mapping: EventMapping = MAPPING) -> None:
        """A connected organization whose event was mapped and synced: what Kafka holds of it."""
        self.history.publish(
            self.writer.integration_connected(sealed=CONNECTION.sealed, continuous_sync=True, at=AT),
            self.writer.mapping_added(4711, at=AT),
            *self.writer.revision(None, small(), at=AT),
        )
        self.history.log_entry(EVENT, "session/s1", an_entry(1, epoch=7, at=50))
        self.history.log_pair(PAIR)
        settled = {f"integration/{ORG}": self.stamp(0)}
        self.history.log_state(ConnectionState(ORG, CONNECTION, settled, 3))
        self.history.log_state(PairState(ORG, EVENT, mapping, self.stamp(1), 3))

    def stamp(self, offset: int, at: datetime = AT) -> str:
        """Of a request of the mapping topic, as the decoder makes it."""
        return f"{round(at.timestamp() * 1000):015d}.{0:015d}.{offset:015d}"


@asynccontextmanager
async def a_ground(redis: Redis, redis_url: str, among: dict[str, str] | None = None) -> AsyncIterator[Ground]:
    """Nothing was published yet; what replicas open is closed in the end."""
    event = Event.of(small(), event_id=int(EVENT), org_id=ORG)
    made = Ground(redis_url, redis, ListedHistory(), Writer(event=event, topics=TopicNames()), among or {})
    try:
        yield made
    finally:
        for each in made.opened:
            await each.redis.aclose()


async def restored(ground: Ground, replica: Replica) -> dict[str, Any]:
    """What came back, in what counts."""
    bound = replica.stores
    state = await bound.inbox.load(EVENT)
    return {
        "entries": sorted(await ground.redis.hkeys(bound.keys.event(EVENT, "ledger"))),
        "sessions": sorted(state.snapshot.sessions),
        "contacts": sorted(state.snapshot.contacts),
        "careful": state.verify_before_create,
        "pairs": await replica.pairs.all(),
        "connection": await bound.connections.connection(ORG),
        "mapping": await bound.connections.mapping(EVENT),
        "asked": (await bound.inbox.requests(ORG)).marks,
        "events": await bound.inbox.events(),
    }
