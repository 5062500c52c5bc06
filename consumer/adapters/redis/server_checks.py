"""Why Redis will not do: what a setting can change, apart from a server that is away."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, ResponseError

from consumer.domain.errors import ConfigurationError, SwoogoSyncError, UnavailableError
from consumer.settings import PREFIX, RedisSettings

_OWN = f"{PREFIX}REDIS__"


async def check_redis(redis: Redis, settings: RedisSettings) -> None:
    """Redis answers and keeps what it is given.

    Raises:
        UnavailableError: it does not answer.
        ConfigurationError: it does not let us in, or would drop keys when it is full.
    """
    try:
        policy = (await redis.info("memory")).get("maxmemory_policy", "noeviction")
    except Exception as error:
        raise explain_connection_error(settings, error) from error
    if policy != "noeviction":
        raise ConfigurationError(
            f"Redis evicts keys when it is full (maxmemory-policy {policy}), which would lose the ledger; "
            "set maxmemory-policy to noeviction."
        )


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
