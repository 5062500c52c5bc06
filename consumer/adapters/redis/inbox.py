"""RECORD, DEBOUNCE and CLAIM in Redis: the inbox port on scripts that are each one atomic decision.

The state hash of a subject is the truth; the due index only says where to look, and is written after it. A crash
in between is healed by the next record, claim or completion, since each returns the due time; what even that
leaves wrong, `repair_index` finds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import ceil, isinf
from typing import Final, cast

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.archive import RedisArchive
from consumer.adapters.redis.base import PART, parts
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.codecs import changed_rows, kept_row
from consumer.adapters.redis.inbox_requests import REQUESTS, InboxRequests
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.leases import Leases
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.errors import LeaseLostError
from consumer.domain.orders.ledger_commands import read_command
from consumer.domain.planning.control import Controls
from consumer.domain.planning.request import Asked, in_order
from consumer.domain.push.cause import cause_of
from consumer.domain.records.identity import Kind, Source, id_of, key_of
from consumer.domain.records.snapshot import Snapshot
from consumer.domain.records.withdrawal import Withdrawn, deleted
from consumer.domain.surveys.survey import Depth
from consumer.ports import Change, Due, DueSubject, EventState, Lease, Subject, event_subject, org_subject
from consumer.settings import DebounceSettings, PushSettings, ReconcileSettings

_CHANGES_PER_CALL: Final = 1000
"""Lua takes some 8,000 arguments at most; a call this size also never holds the server for long."""

_ARCHIVED: Final = -2
"""Where a due event would follow: it is to be brought back before it is claimed (Y4)."""

_SLICE: Final = 500
"""Events, and as many organizations, that the index is repaired for at once, at most."""

_THROUGH: Final = -1
"""In place of a cursor: the repair has been through all of these."""


def _is_contact(key: str) -> bool:
    return key.startswith(key_of(Source.CONTACT, ""))


class RedisInbox(InboxRequests):
    def __init__(
        self,
        redis: Redis,
        keys: Keys,
        scripts: Scripts,
        leases: Leases,
        debounce: DebounceSettings,
        push: PushSettings,
        reconcile: ReconcileSettings,
        archive: RedisArchive,
    ) -> None:
        super().__init__(redis, keys, scripts, reconcile)
        self._leases = leases
        self._quiet = round(debounce.quiet_period * 1000)
        self._max_wait = round(debounce.max_wait * 1000)
        self._lease = round(push.lease * 1000)
        self._indexed: set[str] = set()
        self.archive = archive

    @guarded
    async def record(self, subject: Subject, changes: Sequence[Change], *, again: bool = False) -> int:
        """One script call for the batch (more only beyond 1,000 changes)."""
        names = self._names(subject, "state", "rows", "versions", "dirty", "overtaken", "withdrawn")
        org = subject.kind == "org"
        news, due, archived = 0, -1, False
        for start in range(0, len(changes), _CHANGES_PER_CALL):
            some, marks = changes[start : start + _CHANGES_PER_CALL], frozenset[str]()
            if not org and (gone := [id_of(each.key) for each in some if each.deleted and _is_contact(each.key)]):
                marks = await self.withdraw(subject, [deleted(each) for each in gone])
            added = -1
            while added < 0:
                arguments = [part for each in some for part in (each.key, each.stamp, kept_row(each, marks))]
                added, due, archived = await self._scripts.record_changes(
                    names,
                    quiet=0 if org else self._quiet,
                    max_wait=self._max_wait,
                    always=org,
                    changes=arguments,
                    withdrawn=len(marks),
                    again=again,
                )
                if added < 0:  # somebody is not to be kept, which rows alone do not say
                    marks = await self.withdrawn(subject)
            news += added
        if due >= 0:  # else whatever made it not due took it out of the index
            await self._due.put(subject, due)
        if archived or str(subject) not in self._indexed:
            await self._redis.sadd(self._keys.orgs() if org else self._keys.events(), subject.id)
            self._indexed.add(str(subject))
        return news

    @guarded
    async def withdrawn(self, subject: Subject) -> frozenset[str]:
        """Marks of the contacts of an event whose profiles are not kept (`domain.records.personal_data`)."""
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
    async def mark_verified(self, lease: Lease, kinds: Collection[Kind]) -> None:
        await self._redis.srem(self._keys.subject(lease.subject, "careful"), *(kind.value for kind in kinds))

    def forget_index(self) -> None:
        """Enter every event in the index again when it is next recorded: Redis may have lost it."""
        self._indexed.clear()

    @guarded
    async def index(self, subject: Subject, due: int) -> None:
        """Put a subject where it belongs in the due index, after its state was changed elsewhere."""
        await self._due.put(subject, due)

    @guarded
    async def repair_index(self, part: float) -> bool:
        """Where it goes on is kept in Redis, so that another elected replica goes on there."""
        sets = ((self._keys.events(), event_subject), (self._keys.orgs(), org_subject))
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(self._keys.repair())
            for key, _ in sets:
                pipe.scard(key)
            position, *sizes = await pipe.execute()
        cursors = [int(each) for each in (position or b"0 0").split()]
        subjects: list[Subject] = []
        for at, (key, subject) in enumerate(sets):
            if cursors[at] >= 0:
                count = min(ceil(sizes[at] * part), _SLICE)
                following, found = await self._redis.sscan(key, cursors[at], count=max(count, 1))
                cursors[at] = following or _THROUGH
                subjects += [subject(each.decode()) for each in cast("list[bytes]", found)]
        await self._due.repair(subjects)
        through = cursors == [_THROUGH, _THROUGH]
        await self._redis.set(self._keys.repair(), "0 0" if through else " ".join(map(str, cursors)))
        return through

    @guarded
    async def due(self, limit: int) -> Due:
        return await self._due.first(limit)

    @guarded
    async def queued(self, credentials: int, each: int) -> Mapping[str, tuple[DueSubject, ...]]:
        return await self._due.queued(credentials, each)

    @guarded
    async def queue(self, waiting: Mapping[str, Sequence[DueSubject]]) -> None:
        await self._due.queue(waiting)

    @guarded
    async def leave_queue(self, credential: str, entry: DueSubject) -> None:
        await self._due.leave_queue(credential, entry)

    @guarded
    async def claim(self, subject: Subject, op_id: str) -> Lease | None:
        asked_at = self._leases.ticks()
        following = _ARCHIVED
        while following == _ARCHIVED:
            epoch, following, attempt, request, depth, ids = await self._scripts.claim_subject(
                self._names(subject, *REQUESTS), op_id=op_id, lease=self._lease
            )
            if following == _ARCHIVED:
                await self.archive.bring_back(subject.id)
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
        *former, last = parts([part for mark in marks.items() for part in mark], 2 * PART)
        state, dirty = self._names(subject, "state", "dirty")
        for some in former:
            if not await self._scripts.clear_marks(state, dirty, epoch=lease.epoch, marks=some):
                self._leases.drop(lease)
                raise LeaseLostError.of(subject)
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
            marks=last,
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
            pipe.hvals(self._keys.subject(subject, "controls"))
            if snapshot:
                pipe.hgetall(self._keys.subject(subject, "rows"))
            dirty, commands, unverified, overtaken, fresh, controls, *stored = await pipe.execute()
        marks = {key.decode(): stamp.decode() for key, stamp in dirty.items()}
        held = codecs.snapshot(stored[0]) if snapshot else Snapshot()
        return EventState(
            held,
            marks,
            frozenset(codecs.parsed(read_command, command, "a ledger command") for command in commands),
            frozenset(codecs.parsed(Kind, kind, "a kind of records") for kind in unverified),
            frozenset(key.decode() for key in overtaken),
            int(fresh) if fresh else None,
            Controls({each.name: each for each in map(codecs.control.decode, controls)}),
        )

    @guarded
    async def snapshot(self, event_id: str) -> Snapshot:
        return codecs.snapshot(await read_hash(self._redis, self._keys.event(event_id, "rows")))

    @guarded
    async def events(self) -> tuple[str, ...]:
        """Ids of all events that anything was ever recorded for, archived ones too, sorted."""
        members = cast("list[bytes]", await self._redis.sunion([self._keys.events(), self._keys.archived()]))
        return tuple(sorted(member.decode() for member in members))
