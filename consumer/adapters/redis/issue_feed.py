"""REPORT: what the issues topic has of each record, so that it gets what changed and nothing else (N2).

A record is marked before anything is sent for it, and gets the digest of what was sent after that. So whatever breaks
off in between leaves the mark, and the next push sends that record again; a value that is sent twice changes nothing.
Since only the holder of the lease writes issues, the digests say what is on the topic.
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis

from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.errors import LeaseLostError
from consumer.domain.issues.record_issues import RecordIssues, news
from consumer.domain.push.run import Run
from consumer.ports import Connections, Lease

_WITHDRAWN: Final = "?withdrawn"
_LATE: Final = "?late"


class IssuesTopic(Protocol):
    def write(self, event_id: str, org_id: str, records: Mapping[str, RecordIssues | None]) -> Awaitable[None]:
        """Return when all are safe; None: nothing stands for the record any more. Raises UnavailableError."""


class IssueFeed(RedisStore):
    """The only writer of the digests, and of the topic."""

    def __init__(
        self, redis: Redis, keys: Keys, scripts: Scripts, connections: Connections, topic: IssuesTopic
    ) -> None:
        super().__init__(redis, keys, scripts)
        self._connections = connections
        self._topic = topic

    @guarded
    async def changed(
        self, event_id: str, wanted: Mapping[str, RecordIssues], lease: Lease
    ) -> dict[str, RecordIssues | None]:
        """What is to be sent, marked as such before it is. Raises LeaseLostError."""
        found = news(wanted, await self._published(event_id))
        if found:
            fields = [part for key in found for part in (key, _mark(lease))]
            state, target = self._keys.subject(lease.subject, "state"), self._keys.event(event_id, "published")
            if not await self._scripts.write_fenced(state, target, epoch=lease.epoch, fields=fields):
                raise LeaseLostError.of(lease.subject)
        return found

    async def send(self, run: Run, changed: Mapping[str, RecordIssues | None], lease: Lease) -> None:
        """Put what changed on the topic; nothing of a pair that ended meanwhile stays there (M4, X1).

        What is sent by somebody who has no lease any more may lie over what the next holder sent: that is sent again.

        Ending a pair withdraws its issues after that; so one of the two comes after the other. Raises
        UnavailableError.
        """
        if not changed:
            return
        if not await self._held(lease):
            raise LeaseLostError.of(lease.subject)
        await self._topic.write(run.event_id, run.org_id, changed)
        if not await self._held(lease):
            late = dict.fromkeys(changed, _LATE)
            await self._redis.hset(self._keys.event(run.event_id, "published"), mapping=cast("Any", late))
            raise LeaseLostError.of(lease.subject)
        await self._sent(run.event_id, _mark(lease), changed)
        mapping = await self._connections.mapping(run.event_id)
        if mapping is None or (mapping.org_id, mapping.swoogo_event_id) != (run.org_id, run.swoogo_event_id):
            await self.withdraw(run.event_id)

    async def _held(self, lease: Lease) -> bool:
        state, target = self._keys.subject(lease.subject, "state"), self._keys.event(lease.subject.id, "published")
        return await self._scripts.write_fenced(state, target, epoch=lease.epoch, fields=[])

    async def withdraw(self, event_id: str) -> None:
        """Nothing of the event stands any more. Raises UnavailableError."""
        keys = await self._doubt(event_id)
        if keys:
            gone: dict[str, RecordIssues | None] = dict.fromkeys(keys)
            await self._topic.write(event_id, "", gone)
            await self._sent(event_id, _WITHDRAWN, gone)

    @guarded
    async def _doubt(self, event_id: str) -> list[str]:
        """Every record that may be on the topic, marked."""
        keys = sorted(await self._published(event_id))
        if keys:
            await self._redis.hset(self._keys.event(event_id, "published"), mapping=dict.fromkeys(keys, _WITHDRAWN))
        return keys

    async def _published(self, event_id: str) -> dict[str, str]:
        stored = await read_hash(self._redis, self._keys.event(event_id, "published"))
        return {key.decode(): digest.decode() for key, digest in stored.items()}

    @guarded
    async def _sent(self, event_id: str, mark: str, records: Mapping[str, RecordIssues | None]) -> None:
        fields = [part for key, each in records.items() for part in (key, each.digest if each else "")]
        await self._scripts.note_sent(self._keys.event(event_id, "published"), mark=mark, fields=fields)


def _mark(lease: Lease) -> str:
    """No digest looks like this; each claim has its own."""
    return f"?{lease.epoch}"
