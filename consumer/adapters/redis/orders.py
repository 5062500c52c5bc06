"""What people ordered, in Redis: by event, and what waits for the running service (U3)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from consumer.adapters.redis import codecs
from consumer.adapters.redis.base import RedisStore
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.cluster import IN_ORDER
from consumer.domain.orders.order import GivenOrder, Order

KEPT: Final = 500
"""Of each event; the status topic has all."""


class RedisOrders(RedisStore):
    """The only writer of orders."""

    @guarded
    async def begin(self, order: Order) -> GivenOrder | None:
        row = codecs.encode(GivenOrder(order))
        held = await self._scripts.begin_order(self._audit(order.event_id), order_id=order.id, row=row, kept=KEPT)
        return codecs.given_order.decode(held) if held not in {b"", row} else None

    @guarded
    async def finish(self, given: GivenOrder) -> None:
        """It waits before it is finished: a repeat after a crash in between does no harm, one never seen to would."""
        order = given.order
        async with self._redis.pipeline(transaction=False, shard_hint=IN_ORDER) as pipe:
            pipe.hset(self._keys.orders("waiting"), order.id, codecs.encode(given))
            pipe.hset(self._audit(order.event_id), order.id, codecs.encode(given.for_audit))
            await pipe.execute()

    @guarded
    async def given(self, event_id: str = "", limit: int = 100) -> list[GivenOrder]:
        found = await self._all(self._audit(event_id))
        return sorted(found, key=lambda each: (each.order.at, each.order.id), reverse=True)[:limit]

    @guarded
    async def waiting(self) -> list[GivenOrder]:
        found = await self._all(self._keys.orders("waiting"))
        return sorted(found, key=lambda each: (each.order.at, each.order.id))

    @guarded
    async def seen_to(self, ids: Iterable[str]) -> None:
        await self._redis.hdel(self._keys.orders("waiting"), *ids)

    async def _all(self, key: str) -> list[GivenOrder]:
        """But for those of a later version, which that one sees to."""
        rows = [codecs.given_order.known(row) for row in (await read_hash(self._redis, key)).values()]
        return [row for row in rows if row]

    def _audit(self, event_id: str) -> str:
        return self._keys.event(event_id, "audit") if event_id else self._keys.orders("audit")
