"""One quick look at which events there are, for the shell's completion: a key was pressed, and a person waits."""

from __future__ import annotations

from contextlib import suppress
from threading import Thread
from typing import cast

from redis.exceptions import RedisError

from consumer.adapters.redis.client import connect_blocking
from consumer.adapters.redis.keys import Keys
from consumer.domain.errors import ConfigurationError
from consumer.settings import RedisSettings


def glance_at_events(settings: RedisSettings, seconds: float) -> frozenset[str]:
    """Ids of the events ever recorded or mapped; none of them when Redis does not answer within `seconds`.

    In a thread of its own: a name server that is silent would hold up the end of the process.
    """
    found: set[str] = set()

    def look() -> None:
        with suppress(RedisError, OSError, ConfigurationError):
            client = connect_blocking(settings, seconds)
            keys = Keys(settings.prefix)
            recorded = cast("set[bytes]", client.smembers(keys.events()))
            mapped = cast("list[bytes]", client.hkeys(keys.pairs("records")))
            found.update(each.decode() for each in (*recorded, *mapped))

    thread = Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    return frozenset() if thread.is_alive() else frozenset(found)
