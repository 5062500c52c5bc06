"""The Lua scripts of pairs and their holders as typed methods; see `scripts`."""

from __future__ import annotations

from collections.abc import Iterable

from consumer.adapters.redis.lua_files import RegisteredScripts


class PairScripts(RegisteredScripts):
    """What writes pairs, and what an organization's newest lease alone may write."""

    async def hold_mapping(self, holders: str, *, org_id: str, epoch: int | None) -> bool:
        """False when a newer lease was here. `epoch` None: newer than every lease there is."""
        return bool(await self.named["hold_mapping"]([holders], [org_id, "" if epoch is None else epoch]))

    async def write_held(self, key: str, epochs: str, *, field: str, epoch: int, value: bytes, org_id: str) -> bool:
        """False when the epoch in that field of `epochs` is another one. An empty value deletes the organization's."""
        return bool(await self.named["write_held"]([key, epochs], [field, epoch, value, org_id]))

    async def write_pair(
        self,
        records: str,
        event_of: str,
        unlogged: str,
        holders: str,
        voided: str,
        *,
        event_id: str,
        swoogo_event_id: int,
        before: bytes,
        after: bytes,
        org_id: str,
        epoch: int,
        round_: int,
    ) -> int:
        """1 written; 0 the row is another than `before`, or the round is not the next; -1 the Swoogo event has another
        partner; -2 a newer lease of the organization was here.
        """
        args = [event_id, swoogo_event_id, before, after, org_id, epoch, round_]
        return int(await self.named["write_pair"]([records, event_of, unlogged, holders, voided], args))

    async def void_pair(
        self,
        records: str,
        event_of: str,
        unlogged: str,
        voided: str,
        *,
        event_id: str,
        swoogo_event_id: int,
        row: bytes,
        round_: int,
    ) -> bool:
        """False when the row is another by now."""
        args = [event_id, swoogo_event_id, row, round_]
        return bool(await self.named["void_pair"]([records, event_of, unlogged, voided], args))

    async def tick_off_pairs(self, records: str, unlogged: str, *, fields: Iterable[str | bytes]) -> bool:
        """Take pairs out of the outbox that are as they were sent on, put back the others; True: some are left."""
        return bool(await self.named["tick_off_pairs"]([records, unlogged], [*fields]))
