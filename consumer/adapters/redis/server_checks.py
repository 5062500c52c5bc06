"""Why Redis will not do: what a setting can change, apart from a server that is away."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from typing import Any, Final

from redis.asyncio import Redis
from redis.asyncio.sentinel import MasterNotFoundError
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from consumer.adapters.redis.cluster import ClusterRedis
from consumer.adapters.redis.server_time import MOST_APART_SECONDS, clocks_apart
from consumer.domain.errors import ConfigurationError, SwoogoSyncError, UnavailableError
from consumer.settings import PREFIX, RedisSettings

_OWN = f"{PREFIX}REDIS__"
_OLDEST_OF_SEVERAL: Final = 7


async def check_redis(redis: Redis, settings: RedisSettings) -> None:
    """Every server answers, is of the kind that the settings say, and keeps what it is given.

    Raises:
        UnavailableError: one does not answer.
        ConfigurationError: one does not let us in, is of another kind, or would drop keys when it is full.
    """
    try:
        infos = {where: await at.info() for where, at in (await servers_of(redis)).items()}
        apart = await clocks_apart(redis)
    except SwoogoSyncError:
        raise
    except Exception as error:
        raise explain_connection_error(settings, error) from error
    for where, info in infos.items():
        if mistake := unsupported(info, settings):
            raise ConfigurationError(f"{where} {mistake}")
        policy = info.get("maxmemory_policy", "noeviction")
        if policy != "noeviction":
            raise ConfigurationError(
                f"Redis evicts keys when it is full (maxmemory-policy {policy}), which would lose the ledger; "
                "set maxmemory-policy to noeviction."
            )
    if apart > MOST_APART_SECONDS:
        raise ConfigurationError(
            f"The clocks of the cluster's servers are {apart:.1f} s apart, and leases go by them; let all follow NTP."
        )


async def servers_of(redis: Redis) -> Mapping[str, Redis]:
    """A client of each server that takes writes, by its address ("Redis" for a single one). Raises ConnectionError."""
    if not isinstance(redis, ClusterRedis):
        return {"Redis": redis}
    return {f"Redis at {host}:{port}": redis.at((host, port)) for host, port in (await redis.map()).primaries}


def unsupported(info: Mapping[str, Any], settings: RedisSettings) -> str | None:
    """What about a server does not go with the mode, as the end of a sentence; None: nothing."""
    clustered, mode = bool(int(info.get("cluster_enabled", 0))), settings.mode
    if info.get("redis_mode") == "sentinel":
        return f"is a sentinel; set {_OWN}MODE to sentinel."
    if clustered != (mode == "cluster"):
        is_a, better = ("a node of a cluster", "cluster") if clustered else ("no node of a cluster", "standalone")
        return f"is {is_a}, and {_OWN}MODE is {mode}; set it to {better}."
    version = str(info.get("redis_version", "0"))
    if mode != "standalone" and int(version.partition(".")[0]) < _OLDEST_OF_SEVERAL:
        return f"is of version {version}; {_OWN}MODE {mode} needs Redis 7.0, Valkey 7.2 or later."
    return None


def explain_connection_error(settings: RedisSettings, error: BaseException) -> SwoogoSyncError:
    """What the first command's failure means: a ConfigurationError where trying again cannot help."""
    at = f"Redis at {settings.url.host}:{settings.url.port or 6379}"
    who = settings.username or settings.url.username or "default"
    for each in _chain(error):
        match each:
            case NoPermissionError():
                return ConfigurationError(
                    f"{at} does not let the user {who} do what the service does; give it the rights that "
                    "docs/access.md lists."
                )
            case AuthenticationError():
                return ConfigurationError(
                    f"{at} refused the login of {who} ({_own_words(each)}); check {_OWN}USERNAME and {_OWN}PASSWORD "
                    "(or the address)."
                )
            case ResponseError() if str(each).startswith(("DENIED", "NOAUTH")):
                return ConfigurationError(
                    f"{at} lets no one in without a login ({_own_words(each)}); set {_OWN}USERNAME and "
                    f"{_OWN}PASSWORD, and make that user on the server."
                )
            case ResponseError() if "cluster support disabled" in str(each):
                return ConfigurationError(f"{at} is no node of a cluster; set {_OWN}MODE to standalone.")
            case ResponseError() if settings.mode == "sentinel" and "unknown command" in str(each):
                return ConfigurationError(f"{at} is no sentinel; {_OWN}URL and {_OWN}NODES must name the sentinels.")
            case MasterNotFoundError():
                return UnavailableError(
                    f"The sentinel at {settings.url.host}:{settings.url.port or 26379} and the others know no primary "
                    f"{settings.sentinel_master} at present; check {_OWN}SENTINEL_MASTER."
                )
            case ssl.SSLCertVerificationError():
                return ConfigurationError(
                    f"The certificate of {at} is not accepted ({each.verify_message}); check {_OWN}TLS__CA_FILE and "
                    "that the certificate names this host."
                )
            case ssl.SSLError():
                return ConfigurationError(
                    f"{at} ended the TLS handshake ({each.reason or type(each).__name__}); check that the port is one "
                    f"of TLS, and {_OWN}TLS__CERT_FILE where Redis asks for a certificate."
                )
    return UnavailableError(f"{at} did not answer ({type(error).__name__}); check {_OWN}URL.")


def _own_words(error: BaseException) -> str:
    """The first sentence of what Redis said; it names no password."""
    return str(error).partition(". ")[0].rstrip(".")[:160]


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
