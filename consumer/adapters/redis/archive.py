"""ARCHIVE: of events that are over for good, Redis keeps where their ledger lies on Kafka, until a change brings them
back (Y4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Protocol, cast

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import PART, RedisStore, parts
from consumer.adapters.redis.client import guarded, read_hash, read_value
from consumer.adapters.redis.event_stats import EventStats, RedisEventStats
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.errors import UnreadableRowError
from consumer.domain.planning.eligibility import Reason
from consumer.domain.records.archive import ended_at, stays
from consumer.ports import event_subject

_SLICE: Final = 50
_LEASE_MS: Final = 60_000
_WAITS: Final = ("dirty", "requests", "orders", "unlogged", "hints")
_HELD: Final = {Reason.FROZEN.value, Reason.UNAPPROVED.value}
"""Why a record was left out that goes over without a change of its own: its row is needed then (U1, U2)."""
GOES: Final = ("issues", "directory", "survey", "fields", "overtaken", "run", "runs", "timeline", "calls")


class ArchiveTopic(Protocol):
    """Where the ledgers of archived events lie; see `adapters.kafka.archive`."""

    async def write(self, event_id: str, op_id: str, rows: Mapping[bytes, bytes]) -> Sequence[str]:
        """The place of each part. Raises UnavailableError."""

    async def read(self, event_id: str, op_id: str, places: Sequence[str]) -> Mapping[bytes, bytes]:
        """What lies there. Raises UnavailableError: Kafka does not answer, or has it no more."""

    async def forget(self, event_id: str, op_id: str, parts: int) -> None:
        """Keep nothing of it. Raises UnavailableError."""

    async def aclose(self) -> None: ...


class RedisArchive(RedisStore):
    """Puts events away, and brings them back. `{event/ID}:archive` is the id of the archiving, and the places."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, open_topic: Callable[[], ArchiveTopic]) -> None:
        """`open_topic`: called when the topic is first needed."""
        super().__init__(redis, keys, scripts)
        self._open_topic = open_topic
        self._opened: ArchiveTopic | None = None
        self._stats = RedisEventStats(redis, keys, scripts)

    @guarded
    async def over(self, cursor: int, before: int, now: int) -> tuple[int, Sequence[str]]:
        """The next position, and some events of which nothing waits and that ended before `before` (ms).

        The rows of an event are read when it is first looked at, and again when by these it should be over.
        """
        cursor, members = await self._redis.sscan(self._keys.events(), cursor, count=_SLICE)
        events = [member.decode() for member in cast("list[bytes]", members)]
        found = []
        for event_id, stats in (await self._stats.stats_of(events)).items():
            if _rests(stats, now) and (stats.ends is None or stats.ends < before):
                ends = await self._ended_at(event_id)
                if ends is not None and ends < before:
                    found.append(event_id)
        return cursor, found

    async def _ended_at(self, event_id: str) -> int | None:
        try:
            ends = ended_at(codecs.snapshot(await read_hash(self._redis, self._keys.event(event_id, "rows"))))
        except UnreadableRowError:
            return None  # a later version wrote it, and archives it
        if ends is not None:
            await self._redis.hset(self._keys.event(event_id, "figures"), "ends", str(ends))
        return ends

    @guarded
    async def put_away(
        self, event_id: str, op_id: str, now: int, withdraw: Callable[[str], Awaitable[None]] | None = None
    ) -> bool:
        """Archive an event under its lease; False when something waits, or somebody has it. Raises UnavailableError.

        `withdraw` takes its issues off their topic; where the event then stays, its next push puts them there again.
        """
        key = {name: self._keys.event(event_id, name) for name in ("state", "archive", "figures", *HELD, *GOES)}
        epoch, _ = await self._scripts.seize_subject(key["state"], op_id=op_id, lease=_LEASE_MS)
        if not epoch:
            return False
        try:
            rows, versions, ledger = [await read_hash(self._redis, key[name]) for name in HELD[:3]]
            kept = sorted(each.encode() for each in stays(codecs.snapshot(rows)))
            if withdraw:
                await withdraw(event_id)
            places = await self._topic.write(event_id, op_id, ledger)
            done = await self._scripts.archive_event(
                list(key.values()),
                epoch=epoch,
                at=now,
                places=" ".join([op_id, *places]),
                rows=[part for each in kept for part in (each, rows[each], versions.get(each, b""))],
            )
            if not done:
                await self._topic.forget(event_id, op_id, len(places))
        finally:
            await self._scripts.seize_subject(key["state"], op_id=op_id, lease=0)
        if done:
            await self._redis.sadd(self._keys.archived(), event_id)
            await self._redis.zrem(self._keys.due_of(event_subject(event_id)), str(event_subject(event_id)))
            await self._redis.srem(self._keys.events(), event_id)
            if not await self._redis.hexists(key["state"], "archived"):
                await self._redis.sadd(self._keys.events(), event_id)  # it came back meanwhile
        return done

    @guarded
    async def bring_back(self, event_id: str) -> None:
        """Put the ledger of an archived event back; nothing where it is not archived. Raises UnavailableError."""
        names = [self._keys.event(event_id, name) for name in ("state", "figures", "ledger")]
        where = self._keys.event(event_id, "archive")
        at = await self.archived_at(event_id)
        text = await read_value(self._redis, where)
        if at is not None:
            # First, so that it is among the events whatever breaks off here.
            await self._redis.sadd(self._keys.events(), event_id)
            ledger = await self._read(event_id, text) if text else {}
            *former, last = parts([part for row in ledger.items() for part in row], 2 * PART)
            for some in former:
                await self._scripts.bring_back(names, at=at, rows=some, last=False)
            if await self._scripts.bring_back(names, at=at, rows=last, last=True):
                await self._redis.srem(self._keys.archived(), event_id)
        # Another worker may have brought it back meanwhile, and archived it again: then this may be where it lies.
        if text and await self.archived_at(event_id) is None:
            op_id, *places = text.decode().split()
            await self._topic.forget(event_id, op_id, len(places))
            await self._scripts.drop_equal(where, text)

    @guarded
    async def ledger(self, event_id: str) -> Mapping[bytes, bytes]:
        """The rows of an archived event; none where it is not archived. Raises UnavailableError."""
        at = await self.archived_at(event_id)
        text = await read_value(self._redis, self._keys.event(event_id, "archive")) if at is not None else None
        return await self._read(event_id, text) if text else {}

    async def _read(self, event_id: str, text: bytes) -> Mapping[bytes, bytes]:
        op_id, *places = text.decode().split()
        return await self._topic.read(event_id, op_id, places)

    async def aclose(self) -> None:
        if self._opened:
            await self._opened.aclose()

    @property
    def _topic(self) -> ArchiveTopic:
        self._opened = self._opened or self._open_topic()
        return self._opened

    @guarded
    async def archived_at(self, event_id: str) -> int | None:
        """When it was archived, ms; None when it is not."""
        at = cast("bytes | None", await self._redis.hget(self._keys.event(event_id, "state"), "archived"))
        return int(at) if at else None


HELD: Final = ("rows", "versions", "ledger", *_WAITS)


def _rests(stats: EventStats, now: int) -> bool:
    """Whether nothing waits: no change, no create without an answer, and nothing that a person has yet to let go."""
    held = any(label.partition(":")[2] in _HELD for label in stats.left_out)
    busy = stats.changes or stats.unlogged or stats.intents or stats.due is not None or stats.held > now
    return not (held or stats.parked or busy)
