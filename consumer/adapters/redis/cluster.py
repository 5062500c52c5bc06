"""A Redis Cluster behind the client that every store uses: each command goes to the server that has its key's slot.

redis-py's own cluster client does not do. It sends ASKING over another connection than the command that needs it, so
a slot that moves is out of reach; one server's failure closes the connections of all; it starts a thread for each
command of a transaction; and its pipelines take neither EVALSHA nor TIME nor INFO. Here each server has a usual client
of redis-py, and what a server answers that has a slot no more (MOVED, ASK, TRYAGAIN) leads on.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from redis import exceptions
from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline

from consumer.adapters.redis.cluster_map import Address, SlotMap, slot_of

_T = TypeVar("_T")
_Answer_co = TypeVar("_Answer_co", covariant=True)
_Command = tuple[tuple[Any, ...], Mapping[str, Any]]

_FAILURES: Final = 3
"""So often a command is sent again, as for a single server; to the one that has the slot by then; scripts bear it."""
_BROKEN: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ClusterDownError,
    exceptions.ReadOnlyError,
    OSError,
)
"""Another server may have the slot by now, or soon."""
_SCRIPTED: Final = frozenset({"EVAL", "EVALSHA"})
_KEYLESS: Final = frozenset({"TIME", "INFO", "PING", "CONFIG GET", "SCRIPT LOAD", "FLUSHDB"})

IN_ORDER: Final = "in order"
"""Hint for a pipeline whose commands take effect one after another, also at several servers."""


class _Send(Protocol[_Answer_co]):
    def __call__(self, at: Redis, *, asking: bool) -> Awaitable[_Answer_co]:
        """`asking`: the slot moves to this server, which serves it only where that is said first."""


class ClusterRedis(Redis):
    """One client of all servers that take writes."""

    def __init__(
        self, addresses: Sequence[Address], pool_of: Callable[[Address], ConnectionPool], seconds: float
    ) -> None:
        """Nothing is sent yet. `seconds`: for so long a command follows a slot that moves."""
        super().__init__(connection_pool=pool_of(addresses[0]))
        self._seeds = addresses
        self._pool_of = pool_of
        self._seconds = seconds
        self._clients: dict[Address, Redis] = {}
        self._map: SlotMap | None = None
        self._asking = asyncio.Lock()
        self._scripts: dict[str, str] = {}

    async def map(self) -> SlotMap:
        """Who has which slot, as far as is known. Raises ConnectionError."""
        return self._map or await self._refresh(None)

    async def renew(self, known: SlotMap | None = None) -> None:
        """Ask who has which slot, unless that was asked since `known`. Raises ConnectionError."""
        await self._refresh(known or self._map)

    def at(self, address: Address) -> Redis:
        if address not in self._clients:
            self._clients[address] = Redis.from_pool(self._pool_of(address))
        return self._clients[address]

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """At the server of the first key; without a key at every one: the latest TIME, or what one of them says."""
        key = _key_of(args)
        if key is not None:
            return await self.follow(slot_of(key), partial(self.send, args, options))
        answers = await self.everywhere(lambda _, at: _ask(at, *args, **options))
        return max(answers.values()) if args[0] == "TIME" else next(iter(answers.values()))

    async def everywhere(self, ask: Callable[[Address, Redis], Awaitable[_T]]) -> Mapping[Address, _T]:
        """What every server says, asked at the same time."""
        failures = 0
        while True:
            known = await self.map()
            asked = list(known.primaries)
            answers = await asyncio.gather(*(ask(each, self.at(each)) for each in asked), return_exceptions=True)
            errors = [(at, each) for at, each in zip(asked, answers, strict=True) if isinstance(each, BaseException)]
            if not errors:
                return dict(zip(asked, answers, strict=True))  # type: ignore[arg-type] # no errors among them
            address, error = errors[0]
            failures += 1
            await self.failed(error, failures, known, address)

    def register_script(self, script: str) -> Any:  # type: ignore[override]
        registered = super().register_script(script)
        self._scripts[registered.sha] = script
        return registered

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002
        """A transaction is of one slot; without one, each server gets its part of the commands at the same time."""
        return _ClusterPipeline(self, transaction, shard_hint)

    async def scan_iter(self, *args: Any, **options: Any) -> AsyncIterator[Any]:  # type: ignore[override]
        """Of all servers, one after another; a key that moves meanwhile may come twice."""
        for address in (await self.map()).primaries:
            async for key in self.at(address).scan_iter(*args, **options):
                yield key

    async def aclose(self, close_connection_pool: bool | None = None) -> None:  # noqa: FBT001
        clients, self._clients, self._map = self._clients, {}, None
        for client in clients.values():
            await client.aclose()
        await super().aclose(close_connection_pool)

    async def follow(self, slot: int, send: _Send[_T]) -> _T:
        """Send to whichever server has the slot, however often it moves within the time that a command may take."""
        until, failures, turns = asyncio.get_running_loop().time() + self._seconds, 0, 0
        asked: Address | None = None
        while True:
            known = await self.map()
            address = asked or known.owner(slot)
            try:
                if address is None:
                    raise exceptions.ClusterDownError(f"No server has slot {slot}.")
                return await send(self.at(address), asking=asked is not None)
            except (exceptions.AskError, exceptions.TryAgainError) as error:
                if asyncio.get_running_loop().time() > until:
                    raise
                before, asked = asked, None
                if isinstance(error, exceptions.AskError):
                    place = error.host or (address or ("",))[0], error.port
                    if isinstance(error, exceptions.MovedError):
                        await self._moved(known, slot, place)
                    elif before is None:
                        asked = place
                        continue
                turns += 1
                await _pause(turns)
            except _BROKEN as error:
                asked, failures = None, failures + 1
                await self.failed(error, failures, known, address)

    async def send(self, args: Sequence[Any], options: Mapping[str, Any], at: Redis, *, asking: bool) -> Any:
        """One command to one server; one that was promoted, or is new, knows no scripts."""
        for again in (False, True):
            try:
                if not asking:
                    return await _ask(at, *args, **options)
                async with at.pipeline(transaction=False) as pipe:  # the leave holds for the next command there
                    pipe.execute_command("ASKING")
                    pipe.execute_command(*args, **options)
                    return (await pipe.execute())[1]
            except exceptions.NoScriptError:
                if again or args[1] not in self._scripts:
                    raise
                await at.script_load(self._scripts[args[1]])
        raise AssertionError

    async def failed(self, error: BaseException, failures: int, known: SlotMap, address: Address | None) -> None:
        """Wait, and ask who has which slot, before a command is sent again; raises the error where it is not."""
        if failures > _FAILURES or isinstance(error, exceptions.AuthenticationError) or not isinstance(error, _BROKEN):
            raise error
        await _pause(failures)
        with suppress(*_BROKEN):
            await self._refresh(known, failed=address)

    async def _moved(self, known: SlotMap, slot: int, owner: Address) -> None:
        now = await self._refresh(known, first=owner)
        if self._map is now and now.owner(slot) != owner:
            self._map = now.moved(slot, owner)

    async def _refresh(
        self, known: SlotMap | None, first: Address | None = None, failed: Address | None = None
    ) -> SlotMap:
        """Ask who has which slot, unless another task has done so since `known`."""
        async with self._asking:
            if self._map is not None and self._map is not known:
                return self._map
            others = [*(known.primaries if known else ()), *self._seeds]
            random.shuffle(others)
            places = dict.fromkeys([*([first] if first else ()), *(each for each in others if each != failed), *others])
            trouble: BaseException = exceptions.ConnectionError("No server of the cluster says who has which slot.")
            for address in places:
                try:
                    answer = await _ask(self.at(address), "CLUSTER", "SLOTS")
                except exceptions.AuthenticationError:
                    raise
                except _BROKEN as error:
                    trouble = error
                    continue
                if answer:
                    self._map = SlotMap.read(answer, address)
                    await self._forget(self._map)
                    return self._map
            raise trouble

    async def _forget(self, now: SlotMap) -> None:
        """Close what leads to servers that have nothing any more; a command under way there goes elsewhere."""
        for address in [each for each in self._clients if each not in now.primaries and each not in self._seeds]:
            await self._clients.pop(address).aclose()


class _ClusterPipeline(Pipeline):
    """Commands by server. One without a key (TIME, INFO) goes with the one after it; the last, with the one before."""

    def __init__(self, cluster: ClusterRedis, transaction: bool, hint: str | None) -> None:  # noqa: FBT001
        super().__init__(cluster.connection_pool, cluster.response_callbacks, transaction, hint)
        self._cluster = cluster

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002
        commands, self.command_stack = self.command_stack, []
        if not commands:
            return []
        slots = _slots_of(commands)
        if self.is_transaction:
            return await self._cluster.follow(slots[0], partial(_transact, commands))
        if self.shard_hint == IN_ORDER:
            return [await self._cluster.execute_command(*args, **options) for args, options in commands]
        answers = await self._spread(commands, slots)
        if raise_on_error:
            self.raise_first_error(commands, answers)
        return answers

    async def _spread(self, commands: list[_Command], slots: list[int]) -> list[Any]:
        """What a server did not serve because a slot moved or it failed goes out again, in the same order."""
        cluster, left, failures = self._cluster, list(range(len(commands))), 0
        answers: list[Any] = [None] * len(commands)
        while left:
            known, parts = await cluster.map(), dict[Address | None, list[int]]()
            for at in left:
                parts.setdefault(known.owner(slots[at]), []).append(at)
            serve = partial(self._serve, commands, slots, answers)
            served = await asyncio.gather(*(serve(place, part) for place, part in parts.items()))
            broken = [(at, error) for at, error in zip(parts, served, strict=True) if error]
            left = sorted(each for at, _ in broken for each in parts[at])
            if broken:
                failures += 1
                await cluster.failed(broken[0][1], failures, known, broken[0][0])
        return answers

    async def _serve(
        self, commands: list[_Command], slots: list[int], answers: list[Any], place: Address | None, part: list[int]
    ) -> BaseException | None:
        """Put in the answers of one server; returns why it gave none."""
        cluster = self._cluster
        try:
            if place is None:
                raise exceptions.ClusterDownError("No server has a slot.")
            async with cluster.at(place).pipeline(transaction=False) as pipe:
                for at in part:
                    pipe.execute_command(*commands[at][0], **commands[at][1])
                found = await pipe.execute(raise_on_error=False)
        except _BROKEN as error:
            return error
        for at, answer in zip(part, found, strict=True):
            elsewhere = isinstance(answer, (exceptions.AskError, exceptions.TryAgainError, *_BROKEN))
            answers[at] = await cluster.follow(slots[at], partial(cluster.send, *commands[at])) if elsewhere else answer
        return None


async def _ask(at: Redis, *args: Any, **options: Any) -> Any:
    return await at.execute_command(*args, **options)  # type: ignore[no-untyped-call]


async def _transact(commands: Iterable[_Command], at: Redis, *, asking: bool) -> list[Any]:  # noqa: ARG001
    """Where its slot moves it is refused, and waits until that is over: each of its commands would have to ask."""
    async with at.pipeline(transaction=True) as pipe:
        for args, options in commands:
            pipe.execute_command(*args, **options)
        return await pipe.execute()


async def _pause(turns: int) -> None:
    await asyncio.sleep(random.uniform(0.5, 1) * min(0.01 * 2**turns, 0.5))  # noqa: S311


def _key_of(args: Sequence[Any]) -> str | bytes | None:
    if args[0] in _SCRIPTED:
        return args[3] if int(args[2]) else None
    return None if args[0] in _KEYLESS else args[1]


def _slots_of(commands: Sequence[_Command]) -> list[int]:
    keys = [_key_of(args) for args, _ in commands]
    slots = [None if key is None else slot_of(key) for key in keys]
    for at in range(len(slots) - 2, -1, -1):
        slots[at] = slots[at + 1] if slots[at] is None else slots[at]
    for at in range(1, len(slots)):
        slots[at] = slots[at - 1] if slots[at] is None else slots[at]
    return [slot or 0 for slot in slots]
