"""What happens to a primary that sentinels watch: it dies, stands still, hands over, or dies with replicas that lag."""

from __future__ import annotations

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from sandbox.embedded import EmbeddedSentinels, EmbeddedValkey
from sandbox.embedded.valkey_cluster import ask, settle, standing_still

KINDS: Final = ("killed", "still", "handed over", "lagged")
_WRITTEN: Final = 300
"""Bytes of acknowledged writes that lagging replicas lack."""


@dataclass
class SentinelFaults:
    """Faults of the primary; afterwards every server runs again, and follows the one that was promoted."""

    servers: EmbeddedSentinels
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    async def strike(self, kind: str) -> None:
        """One fault, until another server is the primary, and what makes all whole again."""
        primary = await self.servers.primary()
        match kind:
            case "killed":
                primary.stop(keep=True, hard=True)
                await self._promoted(primary)
            case "still":
                async with standing_still(primary):
                    await self._promoted(primary)
            case "handed over":
                await ask(self.servers.sentinels[0], "SENTINEL", "FAILOVER", self.servers.name)
                await self._promoted(primary)
            case "lagged":
                await self._lag(primary)
                await self._promoted(primary)
        if not primary.running:
            await primary.astart()
        await self.servers.whole()

    async def _lag(self, primary: EmbeddedValkey) -> None:
        """The replicas stand still and are cut off, else they would find in their sockets what they missed."""
        async with AsyncExitStack() as still:
            for each in self.servers.servers:
                if each is not primary:
                    await still.enter_async_context(standing_still(each))
            await ask(primary, "CLIENT", "KILL", "TYPE", "REPLICA")
            before = int((await ask(primary, "ROLE"))[1])

            async def written() -> bool:
                return int((await ask(primary, "ROLE"))[1]) > before + _WRITTEN

            await settle("something is written that the replicas lack", written)
            await asyncio.sleep(self.chance.uniform(0, 0.3))  # at any moment of a push
            primary.stop(keep=True, hard=True)

    async def _promoted(self, former: EmbeddedValkey) -> None:
        async def is_another() -> bool:
            return (await self.servers.primary()) is not former

        await settle("another server is the primary", is_another)
