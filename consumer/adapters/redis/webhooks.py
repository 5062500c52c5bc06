"""WEBHOOKS in Redis: which are registered for an event, and hints on their way from deliveries to workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from redis.asyncio import Redis

from consumer.adapters.redis import codecs
from consumer.adapters.redis.client import guarded, read_hash
from consumer.adapters.redis.due_index import DueIndex
from consumer.adapters.redis.keys import Keys
from consumer.adapters.redis.scripts import Scripts
from consumer.domain.connections.webhooks import Registered
from consumer.domain.errors import LeaseLostError
from consumer.domain.push.claim import Lease, event_subject
from consumer.domain.push.hints import Hint, Hints
from consumer.ports.webhooks import HintStore, Kept, WebhookStore

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


_MOST: Final = 200
"""Records of an event that are kept; a survey of the whole event is cheaper long before."""
_KEPT_SECONDS: Final = 3_600
"""They may hold what people wrote. One that no worker took by then is a lost delivery."""
_SOON_MS: Final = 250
"""So that a burst of deliveries is looked at together."""
_ALL: Final = "*"
_OUTCOMES: Final = (Kept.UNMAPPED, Kept.KNOWN, Kept.ACCEPTED)

_hint_reader: Final = codecs.RowReader[Hint](Hint, "a hint")


class RedisHints(HintStore):
    def __init__(self, redis: Redis, keys: Keys, scripts: Scripts) -> None:
        self._redis, self._keys = redis, keys
        self._due = DueIndex(redis, keys, scripts)
        self._put, self._drop = scripts.named["put_hint"], scripts.named["drop_hints"]

    @guarded
    async def put(self, event_id: str, hint: Hint | None) -> Kept:
        subject = event_subject(event_id)
        names = [self._keys.subject(subject, "state"), *(self._keys.event(event_id, n) for n in ("hints", "mapping"))]
        said: list[str | bytes | int] = (
            [_ALL, "1", "1", "", "", 0]
            if hint is None
            else [
                hint.key,
                codecs.encode(hint),
                codecs.encode(replace(hint, row=None)),
                hint.stamp,
                hint.digest,
                int(hint.deleted),
            ]
        )
        outcome, due, _ = await self._put(names, [*said, _MOST, _KEPT_SECONDS, _SOON_MS])
        if due >= 0:
            await self._due.put(subject, due)
        return _OUTCOMES[outcome]

    @guarded
    async def load(self, event_id: str) -> Hints:
        held = await read_hash(self._redis, self._keys.event(event_id, "hints"))
        everything = held.pop(_ALL.encode(), None) is not None
        known = [each for row in held.values() if (each := _hint_reader.known(row))]
        return Hints(tuple(sorted(known, key=lambda each: each.key)), everything)

    @guarded
    async def forget(self, event_id: str) -> None:
        """Drop all hints of an event, which may hold what people wrote (Y2); a reconcile finds what they said."""
        await self._redis.delete(self._keys.event(event_id, "hints"))

    @guarded
    async def drop(self, lease: Lease, hints: Hints) -> None:
        said: list[str | bytes] = [_ALL, "1"] if hints.everything else []
        for each in hints.known:
            said += [each.key, codecs.encode(each)]
        if said:
            await self._drop([self._keys.event(lease.subject.id, "hints")], said)
