"""What happens to a Redis Cluster under work: slots move, primaries die, replicas that lag take over."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import Final

from sandbox.embedded import EmbeddedCluster, EmbeddedValkey
from sandbox.embedded.valkey_cluster import ask, settle, standing_still

KINDS: Final = ("moved", "killed", "lagged", "handed over", "wiped", "elected")
_WRITTEN: Final = 300
"""Bytes of acknowledged writes that a lagging replica lacks."""


@dataclass
class ClusterFaults:
    """Faults of the server that has a slot; afterwards every server runs again."""

    cluster: EmbeddedCluster
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def strike(self, kind: str, slot: int) -> None:
        """One fault, and what makes the cluster whole again."""
        primary = await self.cluster.primary_of(slot)
        [follower] = await self.cluster.replicas_of(primary)
        match kind:
            case "moved":
                to = self.chance.choice(await self.cluster.others(primary))
                await self.cluster.move_slot(slot, to, keys=1)
            case "killed":
                primary.stop(keep=True, hard=True)
                await self.cluster.promote(follower)
            case "elected":
                primary.stop(keep=True, hard=True)
                await self._elected(follower)
            case "handed over":
                await self.cluster.promote(follower, how="")
            case "wiped":
                await ask(primary, "FLUSHALL")
            case "lagged":
                await self._lag(primary, follower)
        await self.cluster.heal()

    async def _lag(self, primary: EmbeddedValkey, follower: EmbeddedValkey) -> None:
        """The replica stands still and is cut off, else it would find in its socket what it missed."""
        async with standing_still(follower):
            await ask(primary, "CLIENT", "KILL", "TYPE", "REPLICA")
            before = int((await ask(primary, "ROLE"))[1])

            async def written() -> bool:
                return int((await ask(primary, "ROLE"))[1]) > before + _WRITTEN

            await settle("something is written that the replica lacks", written)
            await asyncio.sleep(self.chance.uniform(0, 0.3))  # at any moment of a push
            primary.stop(keep=True, hard=True)
        await self.cluster.promote(follower)

    async def _elected(self, follower: EmbeddedValkey) -> None:
        """By the other primaries, when the time of a node without an answer is over."""

        async def promoted() -> bool:
            return bool((await ask(follower, "ROLE"))[0] == "master")

        await settle("the replica is elected", promoted)
