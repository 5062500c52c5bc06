"""One quick look at which events there are, for the shell's completion: a key was pressed, and a person waits."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread
from typing import cast

from redis.exceptions import RedisError

from consumer.adapters.redis.client import connect
from consumer.adapters.redis.keys import Keys
from consumer.domain.errors import ConfigurationError
from consumer.settings import RedisSettings


def glance_at_events(settings: RedisSettings, seconds: float) -> frozenset[str]:
    """Ids of the events ever recorded or mapped; none of them when Redis does not answer within `seconds`.

    In a thread of its own: a name server that is silent would hold up the end of the process.
    """
    found: set[str] = set()

    async def look() -> None:
        keys = Keys(settings.prefix)
        async with asyncio.timeout(seconds), connect(settings) as redis:
            recorded = cast("set[bytes]", await redis.smembers(keys.events()))
            mapped = cast("list[bytes]", await redis.hkeys(keys.pairs("records")))
        found.update(each.decode() for each in (*recorded, *mapped))

    def run() -> None:
        with suppress(RedisError, OSError, TimeoutError, ConfigurationError):
            asyncio.run(look())

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return frozenset() if thread.is_alive() else frozenset(found)
