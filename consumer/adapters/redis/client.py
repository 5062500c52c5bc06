"""The Redis client as this service uses it, and how its failures are named."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

from redis import ConnectionPool
from redis import Redis as BlockingRedis
from redis.asyncio import BlockingConnectionPool, Redis, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff
from redis.connection import SSLConnection as BlockingSSLConnection
from redis.exceptions import RedisError

from consumer.adapters.tls import tls_context
from consumer.domain.errors import UnavailableError
from consumer.settings import PREFIX, RedisSettings

_P = ParamSpec("_P")
_T = TypeVar("_T")
_REPEATS = 3


class _TlsConnection(SSLConnection):
    """With a context made once: redis-py reads the certificates for each connection, and trusts the system's too."""

    def __init__(self, *, tls: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = tls


class _BlockingTlsConnection(BlockingSSLConnection):
    """The same for a blocking client."""

    def __init__(self, *, tls: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self._tls = tls

    def _wrap_socket_with_ssl(self, sock: Any) -> ssl.SSLSocket:
        return self._tls.wrap_socket(sock, server_hostname=self.host)


def connect(settings: RedisSettings) -> Redis:
    """A client with a bounded pool; commands are repeated a few times, which every script allows for.

    Raises ConfigurationError about a certificate.
    """
    pool = BlockingConnectionPool(
        max_connections=settings.pool_size,
        timeout=settings.timeout,
        socket_timeout=settings.timeout,
        socket_connect_timeout=settings.timeout,
        retry=Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.5), _REPEATS),
        decode_responses=False,
        **_options(settings, _TlsConnection),
    )
    return Redis.from_pool(pool)


def connect_blocking(settings: RedisSettings, seconds: float) -> BlockingRedis:
    """A client for one quick question, given up after so many seconds. Raises as `connect` does."""
    options = _options(settings, _BlockingTlsConnection)
    return BlockingRedis.from_pool(ConnectionPool(socket_timeout=seconds, socket_connect_timeout=seconds, **options))


def _options(settings: RedisSettings, tls_connection: type) -> dict[str, Any]:
    options: dict[str, Any] = {**parse_url(str(settings.url))}
    if settings.username:
        options["username"] = settings.username
    if settings.password.get_secret_value():
        options["password"] = settings.password.get_secret_value()
    if settings.uses_tls:
        options |= {"connection_class": tls_connection, "tls": tls_context(settings.tls, f"{PREFIX}REDIS__TLS__")}
    return options


def guarded(method: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """Turn what redis-py raises into `UnavailableError`: the caller backs off and comes again."""

    @functools.wraps(method)
    async def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await method(*args, **kwargs)
        except (RedisError, OSError, TimeoutError) as error:
            raise UnavailableError(f"Redis did not answer as it should: {type(error).__name__}.") from error

    return call


async def read_hash(redis: Redis, key: str) -> dict[bytes, bytes]:
    """All fields of a hash; redis-py's own annotation allows for text, which this client never gives."""
    return cast("dict[bytes, bytes]", await redis.hgetall(key))


async def read_value(redis: Redis, key: str) -> bytes | None:
    return cast("bytes | None", await redis.get(key))
