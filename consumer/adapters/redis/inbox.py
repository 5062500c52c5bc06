"""RECORD, DEBOUNCE and CLAIM in Redis: the inbox port on scripts that are each one atomic decision.

The state hash of a subject is the truth; the due index only says where to look, and is written after it. A crash
in between is healed by the next record, claim or completion, since each returns the due time; what even that
leaves wrong, `repair_index` finds.
"""

from __future__ import annotations

from binascii import crc32
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isinf
from typing import Final, cast

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.codecs import changed_rows, kept_row
from consumer.adapters.redis.due_index import DueIndex
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.cause import cause_of
from consumer.domain.errors import LeaseLostError
from consumer.domain.identity import Kind, Source, id_of, key_of
from consumer.domain.ledger_commands import LedgerCommand, read_command
from consumer.domain.request import Asked, in_order
from consumer.domain.snapshot import Snapshot
from consumer.domain.survey import Depth
from consumer.domain.withdrawal import Withdrawn, deleted
from consumer.ports import (
    Change,
    Due,
    EventState,
    Hint,
    Lease,
    Requested,
    Subject,
    SyncRequest,
    event_subject,
    org_subject,
)
from consumer.settings import DebounceSettings, PushSettings, ReconcileSettings

_CHANGES_PER_CALL: Final = 1000
"""Lua takes some 8,000 arguments at most; a call this size also never holds the server for long."""

_SLICE: Final = 250
"""Events, and as many organizations, that the index is repaired for at once."""


def _is_contact(key: str) -> bool:
    return key.startswith(key_of(Source.CONTACT, ""))


_REQUESTS: Final = ("state", "requests", "served")


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


class RedisInbox:
    """The inbox of all events and organizations."""

    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        scripts: Scripts,
        leases: Leases,
        debounce: DebounceSettings,
        push: PushSettings,
        reconcile: ReconcileSettings,
    ) -> None:
        self._redis = redis
        self._keys = keys
        self._scripts = scripts
        self._leases = leases
        self._interval = reconcile.interval
        self._quiet = round(debounce.quiet_period * 1000)
        self._max_wait = round(debounce.max_wait * 1000)
        self._lease = round(push.lease * 1000)
        self._indexed: set[str] = set()
        self._due = DueIndex(redis, keys, scripts)

    @guarded
    async def record(self, subject: Subject, changes: Sequence[Change]) -> int:
        """One script call for the batch (more only beyond 1,000 changes)."""
        names = self._names(subject, "state", "rows", "versions", "dirty", "overtaken", "withdrawn")
        org = subject.kind == "org"
        news, due = 0, -1
        for start in range(0, len(changes), _CHANGES_PER_CALL):
            some, marks = changes[start : start + _CHANGES_PER_CALL], frozenset[str]()
            if not org and (gone := [id_of(each.key) for each in some if each.deleted and _is_contact(each.key)]):
                marks = await self.withdraw(subject, [deleted(each) for each in gone])
            added = -1
            while added < 0:
                arguments = [part for each in some for part in (each.key, each.stamp, kept_row(each, marks))]
                added, due = await self._scripts.record_changes(
                    names,
                    quiet=0 if org else self._quiet,
                    max_wait=self._max_wait,
                    always=org,
                    changes=arguments,
                    withdrawn=len(marks),
                )
                if added < 0:  # somebody is not to be kept, which rows alone do not say
                    marks = await self.withdrawn(subject)
            news += added
        await self._due.put(subject, due)
        if str(subject) not in self._indexed:
            await self._redis.sadd(self._keys.orgs() if org else self._keys.events(), subject.id)
            self._indexed.add(str(subject))
        return news

    @guarded
    async def withdrawn(self, subject: Subject) -> frozenset[str]:
        """Marks of the contacts of an event whose profiles are not kept (`domain.withdrawal`)."""
        members = cast("set[bytes]", await self._redis.smembers(self._keys.subject(subject, "withdrawn")))
        return frozenset(each.decode() for each in members)

    @guarded
    async def withdraw(self, subject: Subject, marks: Sequence[str]) -> frozenset[str]:
        """Keep no profiles of these contacts from now on, and none that is there (Y2, Y3); all marks.

        Rows that come meanwhile are made by the marks, or were written before the rows are looked through.
        """
        key, rows_key = self._keys.subject(subject, "withdrawn"), self._keys.subject(subject, "rows")
        await self._redis.sadd(key, *marks)
        every, wanted = await self.withdrawn(subject), Withdrawn.of(marks)
        while stored := changed_rows(await read_hash(self._redis, rows_key), wanted):
            for name, old, new in stored:
                await self._scripts.swap_field(rows_key, field=name, old=old, new=new)
        return every

    @guarded
    async def request_sync(self, event_id: str, request: SyncRequest, stamp: str) -> bool:
        subject = event_subject(event_id)
        new, due = await self._scripts.request_sync(
            self._names(subject, *_REQUESTS),
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
        due = await self._scripts.request_orders(state, waiting, orders=map(str, commands), at_once=at_once)
        await self._due.put(subject, due)

    @guarded
    async def drop_commands(self, lease: Lease, commands: Sequence[LedgerCommand]) -> None:
        state, waiting = (self._keys.subject(lease.subject, name) for name in ("state", "orders"))
        if not await self._scripts.drop_orders(state, waiting, epoch=lease.epoch, orders=map(str, commands)):
            raise LeaseLostError.of(lease.subject)

    @guarded
    async def mark_verified(self, lease: Lease, kinds: Collection[Kind]) -> None:
        await self._redis.srem(self._keys.subject(lease.subject, "careful"), *(kind.value for kind in kinds))

    def _names(self, subject: Subject, *names: str) -> list[str]:
        return [self._keys.subject(subject, name) for name in names]

    def forget_index(self) -> None:
        """Enter every event in the index again when it is next recorded: Redis may have lost it."""
        self._indexed.clear()

    @guarded
    async def index(self, subject: Subject, due: int) -> None:
        """Put a subject where it belongs in the due index, after its state was changed elsewhere."""
        await self._due.put(subject, due)

    @guarded
    async def repair_index(self, start: tuple[int, int] = (0, 0)) -> tuple[int, int] | None:
        following, subjects = list(start), list[Subject]()
        for at, (key, subject) in enumerate(((self._keys.events(), event_subject), (self._keys.orgs(), org_subject))):
            if start[at] >= 0:
                cursor, found = await self._redis.sscan(key, start[at], count=_SLICE)
                following[at] = cursor or -1
                subjects += [subject(each.decode()) for each in cast("list[bytes]", found)]
        await self._due.mend(subjects)
        return None if max(following) < 0 else (following[0], following[1])

    @guarded
    async def due(self, limit: int) -> Due:
        return await self._due.first(limit)

    @guarded
    async def queued(self, credentials: int, each: int) -> Mapping[str, tuple[Hint, ...]]:
        return await self._due.queued(credentials, each)

    @guarded
    async def queue(self, waiting: Mapping[str, Sequence[Hint]]) -> None:
        await self._due.queue(waiting)

    @guarded
    async def leave_queue(self, credential: str, hint: Hint) -> None:
        await self._due.leave_queue(credential, hint)

    @guarded
    async def claim(self, subject: Subject, op_id: str) -> Lease | None:
        asked_at = self._leases.ticks()
        epoch, following, attempt, request, depth, ids = await self._scripts.claim_subject(
            self._names(subject, *_REQUESTS), op_id=op_id, lease=self._lease
        )
        await self._due.put(subject, following)
        if not epoch:
            return None
        together = codecs.sync_request.decode(request) if request else None
        survey = codecs.parsed(Depth, depth, "a depth of a survey") if depth else None
        asked = in_order(Asked(*each) for each in ids)
        lease = Lease(subject, epoch, op_id, attempt, cause_of(together, survey), asked)
        self._leases.hold(lease, following, asked_at, self._lease)
        return lease

    @guarded
    async def renew(self, lease: Lease) -> None:
        asked_at = self._leases.ticks()
        until = await self._scripts.renew_lease(
            self._keys.subject(lease.subject, "state"), epoch=lease.epoch, lease=self._lease
        )
        if not until:
            raise LeaseLostError.of(lease.subject)
        self._leases.hold(lease, until, asked_at, self._lease)
        await self._due.put(lease.subject, until)

    @guarded
    async def complete(
        self,
        lease: Lease,
        marks: Mapping[str, str],
        *,
        retry_in: float | None = None,
        failed: bool = False,
        survey_in: float | None = None,
        rest_in: float | None = None,
    ) -> None:
        subject = lease.subject
        pairs = [part for mark in marks.items() for part in mark]
        due = await self._scripts.complete_subject(
            self._names(subject, "state", "dirty", "orders", "requests", "served"),
            epoch=lease.epoch,
            quiet=self._quiet,
            max_wait=self._max_wait,
            retry_in=-1 if retry_in is None else round(retry_in * 1000),
            failed=failed,
            always=subject.kind == "org",
            op_id=lease.op_id,
            asked=[each.id for each in lease.asked],
            survey_in=-1 if survey_in is None else -2 if isinf(survey_in) else round(survey_in * 1000),
            rest_in=-1 if rest_in is None else round(rest_in * 1000),
            marks=pairs,
        )
        self._leases.drop(lease)
        if due == -2:
            raise LeaseLostError.of(subject)
        await self._due.put(subject, due)

    @guarded
    async def defer(self, lease: Lease, seconds: float) -> None:
        due = await self._scripts.defer(
            self._names(lease.subject, "state", "dirty", "orders", "requests", "served"),
            epoch=lease.epoch,
            op_id=lease.op_id,
            milliseconds=round(seconds * 1000),
            asked=[each.id for each in lease.asked],
        )
        self._leases.drop(lease)
        if due == -2:
            raise LeaseLostError.of(lease.subject)
        await self._due.put(lease.subject, due)

    @guarded
    async def load(self, event_id: str, *, snapshot: bool = True) -> EventState:
        """Marks are read before rows: a row may be newer than its mark, never older."""
        subject = event_subject(event_id)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(self._keys.subject(subject, "dirty"))
            pipe.smembers(self._keys.subject(subject, "orders"))
            pipe.smembers(self._keys.subject(subject, "careful"))
            pipe.hkeys(self._keys.subject(subject, "overtaken"))
            pipe.get(self._keys.subject(subject, "fresh"))
            if snapshot:
                pipe.hgetall(self._keys.subject(subject, "rows"))
            dirty, commands, unverified, overtaken, fresh, *stored = await pipe.execute()
        marks = {key.decode(): stamp.decode() for key, stamp in dirty.items()}
        held = codecs.snapshot(stored[0]) if snapshot else Snapshot()
        return EventState(
            held,
            marks,
            frozenset(codecs.parsed(read_command, command, "a ledger command") for command in commands),
            frozenset(codecs.parsed(Kind, kind, "a kind of records") for kind in unverified),
            frozenset(key.decode() for key in overtaken),
            int(fresh) if fresh else None,
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
    async def events(self) -> tuple[str, ...]:
        """Ids of all events that anything was ever recorded for, sorted."""
        members = cast("set[bytes]", await self._redis.smembers(self._keys.events()))
        return tuple(sorted(member.decode() for member in members))

    @guarded
    async def waiting(self, event_id: str) -> Waiting:
        """What lies ahead of an event, on the server's clock; only looks. Raises UnavailableError."""
        subject = event_subject(event_id)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.hkeys(self._keys.subject(subject, "dirty"))
            pipe.hmget(self._keys.subject(subject, "state"), ["due", "until", "attempt", "request", "survey"])
            pipe.hkeys(self._keys.subject(subject, "requests"))
            dirty, (due, until, attempt, request, survey), asked = await pipe.execute()
        seconds, microseconds = await self._redis.time()
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
