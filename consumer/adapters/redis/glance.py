"""One quick look at which events there are, for the shell's completion: a key was pressed, and somebody waits."""

from __future__ import annotations

import ssl
from contextlib import suppress
from threading import Thread
from typing import Any, cast

import redis
from redis.connection import SSLConnection, parse_url
from redis.exceptions import RedisError

from consumer.adapters.redis.keys import Keys
from consumer.adapters.tls import tls_context
from consumer.domain.errors import ConfigurationError
from consumer.settings import PREFIX, RedisSettings


class _TlsConnection(SSLConnection):
    """See `client`."""

    def __init__(self, *, tls: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self._tls = tls

    def _wrap_socket_with_ssl(self, sock: Any) -> ssl.SSLSocket:
        return self._tls.wrap_socket(sock, server_hostname=self.host)


def glance_at_events(settings: RedisSettings, seconds: float) -> frozenset[str]:
    """Ids of the events ever recorded or mapped; none of them when Redis does not answer within `seconds`.

    In a thread that nobody waits for: a name server that is silent would hold up the end of the process.
    """
    found: set[str] = set()

    def look() -> None:
        with suppress(RedisError, OSError, ConfigurationError):
            client = _connect(settings, seconds)
            keys = Keys(settings.prefix)
            recorded = cast("set[bytes]", client.smembers(keys.events()))
            mapped = cast("list[bytes]", client.hkeys(keys.pairs("records")))
            found.update(each.decode() for each in (*recorded, *mapped))

    thread = Thread(target=look, daemon=True)
    thread.start()
    thread.join(seconds)
    return frozenset() if thread.is_alive() else frozenset(found)


def _connect(settings: RedisSettings, seconds: float) -> redis.Redis:
    options: dict[str, Any] = {**parse_url(str(settings.url))}  # type: ignore[no-untyped-call]
    if settings.username:
        options["username"] = settings.username
    if settings.password.get_secret_value():
        options["password"] = settings.password.get_secret_value()
    if settings.uses_tls:
        options |= {"connection_class": _TlsConnection, "tls": tls_context(settings.tls, f"{PREFIX}REDIS__TLS__")}
    pool = redis.ConnectionPool(socket_timeout=seconds, socket_connect_timeout=seconds, **options)
    return redis.Redis.from_pool(pool)
