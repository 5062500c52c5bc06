"""Which events have parked changes, fail, or ask an operator: so that who looks need not read every event (U5, K1).

One row an event that has any, written with its issues, and one that says that every event has been gone through: what
earlier versions left is not in here before an elected replica has looked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Final, cast

import msgspec

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.client import guarded, read_hash
from consumer.domain.issues.issue import Issue
from consumer.domain.orders.bulk import EventTrouble, trouble_of

_COMPLETE: Final = b""
"""Field that no event id is."""
_AT_ONCE: Final = 100

_row: Final = msgspec.json.Decoder(EventTrouble)


class TroubleIndex(RedisReader):
    @guarded
    async def note(self, event_id: str, org_id: str, issues: Iterable[Issue], *, failed: bool) -> None:
        """What stands of an event from now on: one command. `failed`: its last push."""
        trouble, key = trouble_of(org_id, issues, failed=failed), self._keys.trouble()
        if trouble.any:
            await self._redis.hset(key, event_id, msgspec.json.encode(trouble).decode())
        else:
            await self._redis.hdel(key, event_id)

    @guarded
    async def by_event(self) -> Mapping[str, EventTrouble] | None:
        """Event id -> what is wrong, of events that have any; None: not every event was gone through yet."""
        rows = await read_hash(self._redis, self._keys.trouble())
        complete = rows.pop(_COMPLETE, None)
        return None if complete is None else {event.decode(): _row.decode(row) for event, row in rows.items()}

    @guarded
    async def fill(self) -> None:
        """Go through every event, once; a push meanwhile writes its event itself, at its next end at the latest."""
        key = self._keys.trouble()
        if await cast("Awaitable[bytes | None]", self._redis.hget(key, _COMPLETE.decode())) is not None:
            return
        cursor = -1
        while cursor:
            cursor, found = await self._redis.sscan(self._keys.events(), max(cursor, 0), count=_AT_ONCE)
            events = [event.decode() for event in cast("list[bytes]", found)]
            async with self._redis.pipeline(transaction=False) as pipe:
                for event in events:
                    pipe.hvals(self._keys.event(event, "issues"))
                    pipe.get(self._keys.event(event, "run"))
                rows = await pipe.execute()
            for event, stored, run in zip(events, rows[::2], rows[1::2], strict=True):
                last = codecs.run.known(run) if run else None
                issues = [issue for row in stored if (issue := codecs.issue.known(row))]
                if trouble_of("", issues, failed=(failed := last is not None and last.outcome == "failed")).any:
                    await self.note(event, last.org_id if last else "", issues, failed=failed)
        await self._redis.hset(key, _COMPLETE.decode(), "1")
