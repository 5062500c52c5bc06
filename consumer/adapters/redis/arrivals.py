"""How long the newest changes took to Swoogo: one figure of all replicas, for people who look.

The metrics of a process start at none and are its own. A push adds one entry; the stream is bounded, so it holds the
last thousand pushes that brought changes, or less.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from consumer.adapters.redis.base import RedisReader
from consumer.adapters.redis.client import guarded

_KEPT: Final = 1_000


_A_PUSH: Final = 50
"""Changes of one push that are kept, spread over all of them."""


class RecentArrivals(RedisReader):
    @guarded
    async def note(self, seconds: Sequence[float]) -> None:
        """Changes that have just reached Swoogo, each with the seconds it took: one command."""
        step = -(-len(seconds) // _A_PUSH) or 1
        kept = ",".join(f"{each:.1f}" for each in sorted(seconds)[::step])
        if kept:
            await self._redis.xadd(self._keys.arrivals(), {"s": kept}, maxlen=_KEPT, approximate=True)

    @guarded
    async def since(self, moment: int) -> list[float]:
        """Sorted seconds of the changes that reached Swoogo after this moment (ms), as far as they are kept."""
        rows = await self._redis.xrevrange(self._keys.arrivals(), min=str(max(moment, 0)), count=_KEPT)
        found = cast("list[tuple[bytes, dict[bytes, bytes]]]", rows)
        return sorted(float(each) for _, fields in found for each in fields.get(b"s", b"").split(b",") if each)
