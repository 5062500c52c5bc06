"""The way of webhooks: what the sandbox delivers is lost, doubled, late, out of order, or not Swoogo's at all (W3)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any, Final

from consumer.adapters.redis.stores import Stores
from consumer.adapters.redis.webhooks import RedisHints
from consumer.adapters.webhooks.receiver import Receiver
from consumer.domain.connections.webhooks import HEADER
from consumer.settings import Settings
from tests.chaos.effects import Effects
from tests.chaos.machine import VirtualClock

PATH: Final = "chaosPathSecret0"
SECRET: Final = "chaos-secret-0123"
_LATEST: Final = 600.0
_FATES: Final = ("as sent", "as sent", "lost", "late", "twice", "forged")


class Deliveries:
    """Hands deliveries to a receiver of its own; a part of them does not come as they were sent."""

    def __init__(self, seed: int, settings: Settings, effects: Effects) -> None:
        self._chance = Random(f"deliveries {seed}")
        self._settings, self._effects = settings.webhooks, effects
        self._receiver: Receiver | None = None
        self._old: list[tuple[str, bytes]] = []
        self.met: Counter[str] = Counter()
        self.wrong: list[str] = []

    def open(self, stores: Stores) -> None:
        """From now on there is a Redis to keep hints in."""
        hints = RedisHints(stores.redis, stores.keys, stores.scripts)
        note = self.met.update
        clock = VirtualClock(self._chance, 0.0)
        self._receiver = Receiver(self._settings, hints, clock, lambda o: note([f"webhook {o}"]), lambda r: note([r]))

    async def __call__(self, url: str, headers: Mapping[str, str], content: bytes) -> int:
        """See `sandbox.swoogo.hook_store.Send`."""
        chance = self._chance
        fate = (
            "as sent"
            if self._effects.calm
            else chance.choice(("as sent", "as sent", "lost", "late", "twice", "forged"))
        )
        self.met[f"delivery {fate}"] += 1
        if fate == "lost":
            return 204
        if fate == "late":
            await asyncio.sleep(chance.uniform(0.0, _LATEST))
        if fate == "forged":
            if await self._post(url, {**headers, HEADER: "guess"}, content) != 401:
                self.wrong.append("a delivery with a wrong secret was not refused")
            if self._old:
                await self._post(*self._replayed(headers))
        if fate == "twice":
            await self._post(url, headers, content)
        self._old.append((url, content))
        return await self._post(url, headers, content)

    def _replayed(self, headers: Mapping[str, str]) -> tuple[str, Mapping[str, str], bytes]:
        url, content = self._chance.choice(self._old)
        return url, headers, content

    async def _post(self, url: str, headers: Mapping[str, str], content: bytes) -> int:
        assert self._receiver is not None
        answer: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content}

        async def send(message: Any) -> None:
            answer.extend([message["status"]] if "status" in message else [])

        scope = {
            "method": "POST",
            "path": "/" + url.partition("://")[2].partition("/")[2],
            "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        }
        await self._receiver(scope, receive, send)
        return answer[0]
