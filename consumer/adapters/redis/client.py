"""The Redis client as this service uses it, and how its failures are named."""

from __future__ import annotations

import functools
import ssl
import weakref
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar, cast

import hiredis
from redis.asyncio import BlockingConnectionPool, Connection, ConnectionPool, Redis, Sentinel, SSLConnection
from redis.asyncio.connection import parse_url
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError, RedisError

from consumer.adapters.redis.cluster import ClusterRedis
from consumer.adapters.tls import tls_context
from consumer.domain.errors import UnavailableError
from consumer.settings import PREFIX, RedisSettings

_P = ParamSpec("_P")
_T = TypeVar("_T")
_REPEATS = 3


class _Packing:
    def pack_command(self, *args: Any) -> list[bytes]:
        """By hiredis, as redis-py does without asyncio: several times as fast for thousands of arguments."""
        return [hiredis.pack_command((*args[0].split(), *args[1:]))]


class _PlainConnection(_Packing, Connection):
    """Without TLS."""


class _TlsConnection(_Packing, SSLConnection):
    """With a context made once: redis-py reads the certificates for each connection, and trusts the system's too."""

    def __init__(self, *, tls: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self.ssl_context.context = tls


class _PrimaryConnection(_PlainConnection):
    """To whichever server the sentinels name each time it connects; redis-py's own asks them only the first time."""

    def __init__(self, *, pool: _PrimaryPool, **options: Any) -> None:
        super().__init__(**options)
        self._pool = pool

    async def connect_check_health(self, check_health: bool = True, retry_socket_connect: bool = True) -> None:  # noqa: ARG002, FBT001, FBT002
        if not self.is_connected:
            self.host, self.port = await self._pool.address()
        await super().connect_check_health(check_health, retry_socket_connect=False)

    async def read_response(self, *args: Any, **options: Any) -> Any:
        """Another server is the primary after READONLY."""
        try:
            return await super().read_response(*args, **options)
        except ReadOnlyError as error:
            await self.disconnect()
            raise RedisConnectionError("The server is not the primary any more.") from error


class _TlsPrimaryConnection(_PrimaryConnection, _TlsConnection):
    """The same by TLS."""


class _PrimaryPool(BlockingConnectionPool):
    """Connections to the server that the sentinels name as the primary."""

    def __init__(self, sentinels: Sentinel, name: str, **options: Any) -> None:
        super().__init__(**options)
        self.connection_kwargs["pool"] = weakref.proxy(self)
        self._sentinels, self._name = sentinels, name
        self._known: tuple[str, int] | None = None

    async def address(self) -> tuple[str, int]:
        """Of the primary, as the sentinels have it now; connections to a former one are closed."""
        found = cast("tuple[str, int]", await self._sentinels.discover_master(self._name))
        if found != self._known:
            self._known = found
            await self.disconnect(inuse_connections=False)
        return found

    async def aclose(self) -> None:
        await super().aclose()
        await self._sentinels.aclose()


def connect(settings: RedisSettings) -> Redis:
    """A client with a bounded pool; commands are repeated a few times, which every script allows for.

    Raises ConfigurationError about a certificate.
    """
    options, usual = _options(settings), Retry(ExponentialWithJitterBackoff(base=0.02, cap=0.5), _REPEATS)
    match settings.mode:
        case "standalone":
            return Redis.from_pool(BlockingConnectionPool(retry=usual, **options))
        case "cluster":

            def pool_of(address: tuple[str, int]) -> BlockingConnectionPool:
                # Repeated by the cluster's client, which may find another server for the slot meanwhile.
                at = {**options, "host": address[0], "port": address[1]}
                return BlockingConnectionPool(retry=Retry(NoBackoff(), 0), **at)

            return ClusterRedis(settings.addresses, pool_of, settings.timeout)
        case "sentinel":
            away = {"host", "port", "username", "password", "db", "max_connections", "timeout"}
            login = {"username": settings.sentinel_username, "password": settings.sentinel_password.get_secret_value()}
            own = {name: value for name, value in options.items() if name not in away}
            own |= {name: value for name, value in login.items() if value}
            sentinels = Sentinel([])  # type: ignore[no-untyped-call]
            sentinels.sentinels = [
                Redis.from_pool(ConnectionPool(host=host, port=port, retry=Retry(NoBackoff(), 0), **own))
                for host, port in settings.addresses
            ]
            kind = _TlsPrimaryConnection if settings.uses_tls else _PrimaryConnection
            options |= {"connection_class": kind}
            options = {name: value for name, value in options.items() if name not in {"host", "port"}}
            return Redis.from_pool(_PrimaryPool(sentinels, settings.sentinel_master, retry=usual, **options))


def _options(settings: RedisSettings) -> dict[str, Any]:
    options: dict[str, Any] = {**parse_url(str(settings.url))}
    options |= {
        "max_connections": settings.pool_size,
        "timeout": settings.timeout,
        "socket_timeout": settings.timeout,
        "socket_connect_timeout": settings.timeout,
        "decode_responses": False,
        "connection_class": _PlainConnection,
    }
    if settings.username:
        options["username"] = settings.username
    if settings.password.get_secret_value():
        options["password"] = settings.password.get_secret_value()
    if settings.uses_tls:
        options |= {"connection_class": _TlsConnection, "tls": tls_context(settings.tls, f"{PREFIX}REDIS__TLS__")}
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
