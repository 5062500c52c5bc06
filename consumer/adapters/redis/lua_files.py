"""The Lua scripts as Redis gets them, and those of credits, pairs and rebuilds as typed methods; see `scripts`."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Iterable
from importlib import resources
from typing import Any, Final, Protocol, cast

from redis.asyncio import Redis

_WITH: Final = "-- WITH "
"""In the first line of a script: which files of `lua/shared` stand before it."""


def names() -> list[str]:
    folder = resources.files("consumer.adapters.redis") / "lua"
    return sorted(each.name.removesuffix(".lua") for each in folder.iterdir() if each.name.endswith(".lua"))


def source(name: str) -> str:
    folder = resources.files("consumer.adapters.redis") / "lua"
    text = (folder / f"{name}.lua").read_text()
    first, _, rest = text.partition("\n")
    if not first.startswith(_WITH):
        return text
    shared = first.removeprefix(_WITH).split()
    return "".join((folder / "shared" / f"{each}.lua").read_text() for each in shared) + rest


class Script(Protocol):
    def __call__(self, keys: Iterable[str], args: Iterable[Any]) -> Awaitable[Any]: ...


class RegisteredScripts:
    """Every script, registered on one client; NOSCRIPT is handled by the client (it loads and repeats)."""

    def __init__(self, redis: Redis) -> None:
        """Read the `.lua` files of the folder `lua`; nothing is sent yet."""
        self.named = {name: cast("Script", redis.register_script(source(name))) for name in names()}


class CreditScripts(RegisteredScripts):
    """What gives permits to call Swoogo, and counts what they cost."""

    async def take_permit(
        self,
        keys: Iterable[str],
        *,
        subject: str,
        epoch: int,
        deadline: int,
        cost: int,
        priority: int,
        limit: int,
        window: int,
        slots: int,
        expected: int,
        late: int,
    ) -> tuple[int, int]:
        """(1, used) granted; (0, wait ms); (-1, 0) lease lost; (-2, ms left) lease too short; (-3, ms) its time is more
        than `late` ms after the `expected` one.
        """
        how = [subject, epoch, deadline, cost, priority, limit, window, slots, expected, late]
        verdict, value = await self.named["take_permit"](keys, how)
        return verdict, value

    async def settle_permit(
        self,
        credits_key: str,
        grant: str,
        *,
        cost: int,
        what: str,
        remaining: int,
        reset: int,
        limit: int,
        window: int,
        slots: int,
    ) -> None:
        """Count a call from its answer on, give its credits back, or hold everybody."""
        await self.named["settle_permit"]([credits_key, grant], [cost, what, remaining, reset, limit, window, slots])

    async def invalidate_credits(self, credits_key: str, *, window: int) -> None:
        """One call at a time until Swoogo says what is left."""
        await self.named["invalidate_credits"]([credits_key], [window])


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
        standings: Collection[tuple[str, int, bytes]],
        fields: Iterable[str],
    ) -> bool:
        """False when the lock is another's, or the server. `keys`: lock, restored, standings."""
        parts = [part for each in standings for part in each]
        return bool(
            await self.named["checkpoint_rebuild"](keys, [owner, server, lineage, len(standings), *parts, *fields])
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

        `keys`: marker, lock, progress, restored, standings, about.
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
