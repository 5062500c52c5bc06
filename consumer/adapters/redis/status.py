"""REPORT: runs and issues in Redis for who looks them up, and on the status topic for who listens (N1, N2)."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import asdict
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.client import guarded, read_hash, read_value
from consumer.adapters.redis.issue_feed import IssueFeed
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.adapters.redis.trouble_index import TroubleIndex
from consumer.domain.connections.connection import Announcement
from consumer.domain.errors import LeaseLostError
from consumer.domain.issues.issue import Issue
from consumer.domain.issues.record_issues import by_record
from consumer.domain.push.run import Run, Tally, Trigger
from consumer.domain.records.identity import Kind
from consumer.ports import Lease

_RUNS_KEPT: Final = 100
_TRIGGERS: Final = frozenset(trigger.value for trigger in Trigger)


class StatusTopic(Protocol):
    def run(self, run: Run) -> Awaitable[None]:
        """`sync.started` and `sync.progress` while it goes on, `sync.completed` or `sync.failed` when it has ended."""

    def announce(self, announcement: Announcement) -> Awaitable[None]:
        """`integration.*` and `mapping.*`."""


class RedisRuns(RedisReader):
    @guarded
    async def issues(self, event_id: str) -> Mapping[str, Issue]:
        stored = await read_hash(self._redis, self._keys.event(event_id, "issues"))
        # One of a later version is found again by the next push of that version.
        found = {key.decode(): codecs.issue.known(row) for key, row in stored.items()}
        return {key: issue for key, issue in found.items() if issue}

    @guarded
    async def runs(self, event_id: str, limit: int = 10) -> list[Run]:
        """Ended runs, newest first."""
        stored = await self._redis.lrange(self._keys.event(event_id, "runs"), 0, limit - 1)
        return [run for run in (known_run(row) for row in stored) if run]

    @guarded
    async def current(self, event_id: str) -> Run | None:
        """The run in progress, or the last one."""
        stored = await read_value(self._redis, self._keys.event(event_id, "run"))
        return known_run(stored) if stored else None


class RedisStatusBoard(RedisRuns):
    """The only writer of runs and issues."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts, topic: StatusTopic, feed: IssueFeed) -> None:
        super().__init__(redis, keys)
        self._scripts = scripts
        self._topic = topic
        self._feed = feed
        self._trouble = TroubleIndex(redis, keys)

    async def started(self, run: Run) -> None:
        await self.progress(run)
        await self._topic.run(run)

    async def moved(self, run: Run) -> None:
        await self.started(run)

    @guarded
    async def progress(self, run: Run) -> None:
        await self._redis.set(self._keys.event(run.event_id, "run"), codecs.encode(row_of(run)))

    async def ended(self, run: Run, issues: Mapping[str, Issue], lease: Lease) -> str:
        """A run that sent nothing and was not asked for is kept but not announced.

        Issues come before the run's end: its reader can look them up.
        """
        changed = await self._feed.changed(run.event_id, {} if run.pair_ended else by_record(issues.values()), lease)
        replaced = await self._keep(run, issues, lease)
        await self._feed.send(run, changed, lease)
        if run.announced or run.outcome == "failed":
            await self._topic.run(run)
        return replaced

    @guarded
    async def _keep(self, run: Run, issues: Mapping[str, Issue], lease: Lease) -> str:
        names = [self._keys.event(run.event_id, name) for name in ("state", "issues", "figures")]
        fields = [part for key, issue in issues.items() for part in (key, codecs.encode(issue))]
        if not await self._scripts.write_counted(names, epoch=lease.epoch, replace=True, fields=fields):
            raise LeaseLostError.of(lease.subject)
        await self._trouble.note(run.event_id, run.org_id, issues.values(), failed=run.outcome == "failed")
        row, history = codecs.encode(row_of(run)), self._keys.event(run.event_id, "runs")
        shown: dict[Any, Any] = {"left_out": codecs.encode(run.reasons)}
        if run.links or any(tally.synced for tally in run.tallies.values()):
            shown["reached"] = run.ended
        # A range, as LINDEX would be one more right of the user of the service (docs/access.md).
        newest = next(iter(await cast("Awaitable[list[bytes]]", self._redis.lrange(history, 0, 0))), None)
        before = known_run(newest) if newest else None
        replaced = newest if newest and before and run.id != before.id and run.repeats(before) else b""
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.set(self._keys.event(run.event_id, "run"), row)
            # Removed first, so that a repeated command does not list the run twice.
            pipe.lrem(history, 1, row.decode())
            if replaced:
                pipe.lrem(history, 1, replaced.decode())
            pipe.lpush(history, row)
            pipe.ltrim(history, 0, _RUNS_KEPT - 1)
            pipe.hset(names[-1], mapping=shown)
            await pipe.execute()
        return before.id if before and replaced else ""

    async def withdraw(self, event_id: str) -> None:
        await self._feed.withdraw(event_id)

    async def announce(self, announcement: Announcement) -> None:
        await self._topic.announce(announcement)


_SAME: Final = tuple(each for each in codecs.RunRow.__struct_fields__ if each not in {"trigger", "tallies", "told"})
"""What a kept run has as the run has it, under the same name."""


def row_of(run: Run) -> codecs.RunRow:
    return codecs.RunRow(
        **{name: getattr(run, name) for name in _SAME},
        trigger=run.trigger.value,
        tallies={kind: {name: n for name, n in asdict(tally).items() if n} for kind, tally in run.tallies.items()},
        told=run.top_issues,
    )


def known_run(kept: bytes | str) -> Run | None:
    """A kept run; None for one that a later version wrote."""
    row = codecs.run.known(kept)
    if row is None or row.trigger not in _TRIGGERS:
        return None
    return Run(
        **{name: getattr(row, name) for name in _SAME},
        trigger=Trigger(row.trigger),
        tallies={Kind(kind): Tally(**tally) for kind, tally in row.tallies.items()},
        top_issues=row.told,
    )
