"""What is asked of an event or an organization besides its changes, and what of it waits: part of the inbox port."""

from __future__ import annotations

from binascii import crc32
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisStore, parts
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.due_index import DueIndex
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.connections.connection import disconnect_key, integration_key
from consumer.domain.errors import LeaseLostError
from consumer.domain.orders.ledger_commands import LedgerCommand
from consumer.domain.planning.control import Control
from consumer.domain.surveys.survey import Depth
from consumer.ports import Lease, Requested, Subject, SyncRequest, event_subject, org_subject
from consumer.settings import ReconcileSettings

REQUESTS: Final = ("state", "requests", "served")
"""Of a subject: where manual syncs are kept."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What lies ahead of an event, for who looks it up.

    Attributes:
        dirty: keys of changes that were not pushed yet.
        due_in: seconds until it may be claimed, 0 when it may be now; None: nothing makes it due.
        held: True while a worker has it.
        attempt: failures in a row.
        request: what the manual syncs that were asked for and not done yet come to together.
        asked: ids of those.
        survey_in: seconds until the next reconcile may start, 0 when it may now; None: none is planned.
    """

    dirty: tuple[str, ...] = ()
    due_in: float | None = None
    held: bool = False
    attempt: int = 0
    request: SyncRequest | None = None
    survey_in: float | None = None
    asked: frozenset[str] = frozenset()


def spread(event_id: str) -> float:
    """A number in 0..1 that is always the same for an event."""
    return crc32(event_id.encode()) / 0xFFFF_FFFF


class InboxRequests(RedisStore):
    """Manual syncs, reconciles, ledger commands and continuous sync, as they are asked for."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, reconcile: ReconcileSettings) -> None:
        super().__init__(redis, keys, scripts)
        self._interval = reconcile.interval
        self._due = DueIndex(redis, keys, scripts)

    @guarded
    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        subject = event_subject(event_id)
        new, due = await self._scripts.request_sync(
            self._names(subject, *REQUESTS),
            request_id=request.id,
            stamp=stamp,
            request=codecs.encode(replace(request, stamp=stamp)),
        )
        await self._due.put(subject, due)
        return new

    @guarded
    async def remind(self, org_id: str, key: str) -> None:
        subject = org_subject(org_id)
        due = await self._scripts.remind(self._names(subject, "state", "versions", "dirty"), key=key)
        await self._due.put(subject, due)

    @guarded
    async def set_continuous(self, event_id: str, *, on: bool, by: Lease | None = None, ended: bool = False) -> bool:
        subject = event_subject(event_id)
        # Spread over the interval, so that the events of a credential are not surveyed all at once.
        first = round(spread(event_id) * self._interval * 1000) if self._interval else -1
        org_id = by.subject.id if by and by.subject.kind == "org" else ""
        due = await self._scripts.set_continuous(
            [self._keys.event(event_id, name) for name in ("state", "dirty", "holders", "fresh")],
            on=on,
            survey_in=first,
            org_id=org_id,
            epoch=by.epoch if by else None,
            ended=ended,
        )
        if by and due == -2:
            raise LeaseLostError.of(by.subject)
        if due == -3:
            return False
        await self._due.put(subject, due)
        return True

    @guarded
    async def request_survey(self, event_id: str, depth: Depth) -> None:
        subject = event_subject(event_id)
        due = await self._scripts.request_survey(self._keys.subject(subject, "state"), depth=depth.value)
        await self._due.put(subject, due)

    @guarded
    async def request_commands(
        self, event_id: str, commands: Sequence[LedgerCommand], *, at_once: bool = False
    ) -> None:
        subject = event_subject(event_id)
        state, waiting = (self._keys.subject(subject, name) for name in ("state", "orders"))
        for some in parts([*map(str, commands)]):
            due = await self._scripts.request_orders(state, waiting, orders=some, at_once=at_once)
        await self._due.put(subject, due)

    @guarded
    async def drop_commands(self, lease: Lease, commands: Sequence[LedgerCommand]) -> None:
        state, waiting = (self._keys.subject(lease.subject, name) for name in ("state", "orders"))
        for some in parts([*map(str, commands)]):
            if not await self._scripts.drop_orders(state, waiting, epoch=lease.epoch, orders=some):
                raise LeaseLostError.of(lease.subject)

    @guarded
    async def put_control(self, control: Control, *, expected: int | None = None, by: Lease | None = None) -> bool:
        return await self._scripts.put_control(
            self._names(event_subject(control.event_id), "state", "controls"),
            name=control.name,
            revision=control.revision,
            row=codecs.encode(control),
            expected=expected,
            epoch=by.epoch if by else None,
        )

    @guarded
    async def requests(self, org_id: str) -> Requested:
        subject = org_subject(org_id)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(self._keys.subject(subject, "dirty"))
            pipe.hgetall(self._keys.subject(subject, "versions"))
            pipe.hgetall(self._keys.subject(subject, "rows"))
            dirty, versions, stored = await pipe.execute()
        return Requested(
            {key.decode(): codecs.request(key.decode(), row) for key, row in stored.items()},
            {key.decode(): stamp.decode() for key, stamp in versions.items()},
            {key.decode(): stamp.decode() for key, stamp in dirty.items()},
        )

    @guarded
    async def news(self, org_id: str) -> Requested:
        held = await read_hash(self._redis, self._keys.org(org_id, "dirty"))
        credentials = integration_key(org_id), disconnect_key(org_id)
        marks = {key.decode(): stamp.decode() for key, stamp in held.items()}
        if marks.keys() & set(credentials):
            return await self.requests(org_id)
        names = [*marks, *credentials]
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(self._keys.org(org_id, "versions"), names)
            pipe.hmget(self._keys.org(org_id, "rows"), names)
            versions, rows = await pipe.execute()
        return Requested(
            {key: codecs.request(key, row) for key, row in zip(names, rows, strict=True) if row},
            {key: stamp.decode() for key, stamp in zip(names, versions, strict=True) if stamp},
            marks,
        )

    @guarded
    async def now(self) -> int:
        """The server's time, ms. Raises UnavailableError."""
        seconds, microseconds = await self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000

    @guarded
    async def waiting(self, event_id: str) -> Waiting:
        """What lies ahead of an event, on the server's clock; only looks. Raises UnavailableError."""
        subject = event_subject(event_id)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hkeys(self._keys.subject(subject, "dirty"))
            pipe.hmget(self._keys.subject(subject, "state"), ["due", "until", "attempt", "request", "survey"])
            pipe.hkeys(self._keys.subject(subject, "requests"))
            pipe.time()
            dirty, (due, until, attempt, request, survey), asked, (seconds, microseconds) = await pipe.execute()
        now = seconds * 1000 + microseconds // 1000
        return Waiting(
            tuple(sorted(key.decode() for key in dirty)),
            None if due is None else max(int(due) - now, 0) / 1000,
            held=int(until or 0) > now,
            attempt=int(attempt or 0),
            request=codecs.sync_request.decode(request) if request else None,
            survey_in=None if survey is None else max(int(survey) - now, 0) / 1000,
            asked=frozenset(each.decode() for each in asked) if request else frozenset(),
        )

    def _names(self, subject: Subject, *names: str) -> list[str]:
        return [self._keys.subject(subject, name) for name in names]
