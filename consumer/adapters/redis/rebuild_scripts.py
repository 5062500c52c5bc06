"""The Lua scripts of a rebuild after a loss of Redis, as typed methods; see `scripts`."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from consumer.adapters.redis.lua_files import RegisteredScripts


class RebuildScripts(RegisteredScripts):
    """What puts a lost Redis back, and what says how far that is."""

    async def keep_rebuild(self, keys: Iterable[str], *, owner: str, milliseconds: int, progress: bytes) -> bool:
        """False when the lock is somebody else's. `keys`: lock, progress."""
        return bool(await self.named["keep_rebuild"](keys, [owner, milliseconds, progress]))

    async def checkpoint_rebuild(
        self,
        keys: Iterable[str],
        *,
        owner: str,
        server: str,
        lineage: str,
        states: Collection[tuple[str, int, bytes]],
        fields: Iterable[str],
    ) -> bool:
        """False when the lock is another's, or the server. `keys`: lock, restored, states."""
        parts = [part for each in states for part in each]
        return bool(
            await self.named["checkpoint_rebuild"](keys, [owner, server, lineage, len(states), *parts, *fields])
        )

    async def commit_rebuild(
        self,
        keys: Iterable[str],
        *,
        owner: str,
        server: str,
        done: bool,
        about: Collection[str],
        fields: Iterable[str],
    ) -> bool:
        """False when the lock is another's, or the server.

        `keys`: marker, lock, progress, restored, states, about.
        """
        return bool(
            await self.named["commit_rebuild"](keys, [owner, server, int(done), len(about) // 2, *about, *fields])
        )

    async def advance_marker(
        self, marker: str, *, server: str, checked: str, generation: str, fields: Iterable[str]
    ) -> bool:
        """False when another server answers than was `checked`, or another rebuild has ended."""
        return bool(await self.named["advance_marker"]([marker], [server, checked, generation, *fields]))

    async def mark_shard(
        self, mark: str, *, server: str, field: str, value: str, written: str, fields: Iterable[str | int]
    ) -> bool:
        """False when another server answers, or its mark has not that value, or ("") none at all, in the field."""
        return bool(await self.named["mark_shard"]([mark], [server, field, value, written, *fields]))

    async def restore_pair(
        self, keys: Iterable[str], *, owner: str, event_id: str, swoogo_event_id: int, org_id: str, row: bytes
    ) -> int:
        """1 entered; 0 known, or another one counts; -1 not from this owner.

        `keys`: records, event_of, unlogged, holders, rebuilder, voided.
        """
        return int(await self.named["restore_pair"](keys, [owner, event_id, swoogo_event_id, org_id, row]))

    async def restore_entries(self, keys: Iterable[str], entries: Iterable[str | bytes | int]) -> int:
        """How many changed. `keys`: state, ledger, unlogged; `entries`: key, row, epoch, at of each."""
        return int(await self.named["restore_entries"](keys, [*entries]))

    async def restore_served(self, keys: Iterable[str], *, served: Iterable[str]) -> tuple[int, int]:
        """(how many were not known, due ms or -1). `keys`: state, requests, served; `served`: id, stamp of each."""
        news, due, _ = await self.named["restore_served"](keys, [*served])
        return news, due
