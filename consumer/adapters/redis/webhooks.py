"""WEBHOOKS in Redis: which are registered at Swoogo for an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.connections.webhooks import Registered
from consumer.domain.errors import LeaseLostError
from consumer.domain.push.claim import Lease
from consumer.ports.webhooks import WebhookStore

_reader: Final = codecs.RowReader[Registered](Registered, "a webhook")


class RedisWebhooks(WebhookStore):
    """Written under the lease of the event (G4)."""

    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        self._redis, self._keys, self._scripts = redis, keys, scripts

    @guarded
    async def load(self, event_id: str) -> Mapping[str, Registered]:
        held = await read_hash(self._redis, self._keys.event(event_id, "webhooks"))
        return {name.decode(): known for name, row in held.items() if (known := _reader.known(row))}

    @guarded
    async def put(self, lease: Lease, known: Mapping[str, Registered | None]) -> None:
        fields: list[str | bytes] = []
        for name, each in known.items():
            fields += [name, codecs.encode(each) if each else b""]
        state, target = self._keys.subject(lease.subject, "state"), self._keys.event(lease.subject.id, "webhooks")
        if not await self._scripts.write_fenced(state, target, epoch=lease.epoch, fields=fields):
            raise LeaseLostError.of(lease.subject)
