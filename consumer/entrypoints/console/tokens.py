"""ID tokens: whether the issuer signed them, for us, and now (K4).

Which algorithm counts is decided by what is allowed here and by the key's own type, never by the token alone: `none`
and the HS family are refused before a key is looked for. Headers of a token that bring a key along (`jwk`, `jku`,
`x5c`) are not looked at.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
from joserfc import jws
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError, MissingClaimError
from joserfc.jwa import JWSAlgModel
from joserfc.jwk import JWKRegistry, Key
from joserfc.jwt import JWTClaimsRegistry
from joserfc.jwt import decode as decode_token
from joserfc.util import base64_to_int

from consumer.domain.errors import UnavailableError
from consumer.entrypoints.console.viewer import RefusedTokenError
from consumer.ports import Clock
from consumer.settings.oidc import OidcSettings

_ALGORITHMS: Final[Mapping[str, frozenset[str]]] = {
    "RSA": frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}),
    "EC": frozenset({"ES256", "ES384", "ES512"}),
    "OKP": frozenset({"EdDSA", "Ed25519"}),
}
ALLOWED: Final = frozenset().union(*_ALGORITHMS.values())
_TYPES: Final = {None, "JWT", "jwt"}  # a logout token or an access token is none of these
_RSA_BITS: Final = 2048
_MOST_KEYS, _KEYS_BYTES, _KEYS_SECONDS = 100, 262_144, 5.0
FRESH, KEPT, BETWEEN = 600.0, 3600.0, 10.0
"""Seconds: keys are fetched again after these, used no longer than these, and never asked for more often than these."""
_MALFORMED: Final = (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError)


class _Registry(jws.JWSRegistry):
    """Only what is allowed, whatever a release of the library recommends."""

    max_header_length = 2048

    def get_alg(self, name: str) -> JWSAlgModel:
        """Of this name. Raises RefusedTokenError."""
        if name not in ALLOWED:
            raise RefusedTokenError("algorithm")
        return self.algorithms[name]


_REGISTRY: Final = _Registry(strict_check_header=False)


def read_keys(document: bytes) -> tuple[Key, ...]:
    """The keys for signatures in a JWKS; others, weak and unreadable ones are left out. Raises ValueError."""
    try:
        listed = json.loads(document)["keys"]
        found = [key for each in listed[:_MOST_KEYS] if (key := _signing(each))]
    except _MALFORMED:
        raise ValueError("no JWKS") from None
    if not found:
        raise ValueError("no key in it is one for signatures")
    return tuple(found)


def _signing(document: Any) -> Key | None:
    if document.get("kty") not in _ALGORITHMS or document.get("use", "sig") != "sig":
        return None
    try:
        if document["kty"] == "RSA" and base64_to_int(document["n"]).bit_length() < _RSA_BITS:
            return None
        return JWKRegistry.import_key(document)
    except _MALFORMED:
        return None


class Keys:
    """The issuer's keys, as last fetched. A key that is not known is asked for, at most every `BETWEEN` seconds."""

    def __init__(self, fetch: Callable[[], Awaitable[bytes]], clock: Clock) -> None:
        """`fetch` gives the JWKS; it raises OSError, ValueError or httpx.HTTPError."""
        self._fetch, self._clock = fetch, clock
        self._keys: tuple[Key, ...] = ()
        self._fetched = self._asked = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, kid: Any, algorithm: str) -> Key:
        """The key a token names. Raises RefusedTokenError; UnavailableError while no keys are known."""
        stale = self._age(self._fetched) > FRESH and not self._lock.locked()
        if stale or not self._fitting(kid, algorithm):
            async with self._lock:  # those who waited find what the first one brought
                if self._age(self._asked) > BETWEEN:
                    await self._refresh()
        if self._age(self._fetched) > KEPT:
            raise UnavailableError("The issuer's keys cannot be had.")
        fitting = self._fitting(kid, algorithm)
        if len(fitting) != 1:
            raise RefusedTokenError("key")
        return fitting[0]

    def _age(self, moment: float) -> float:
        return self._clock.ticks() / 1e9 - moment

    def _fitting(self, kid: Any, algorithm: str) -> list[Key]:
        """Those that may have signed; a token that names none is taken only where one alone may have."""
        return [
            key
            for key in self._keys
            if algorithm in _ALGORITHMS[key.key_type]
            and key.get("alg") in {None, algorithm}
            and (kid is None or key.get("kid") == kid)
        ]

    async def _refresh(self) -> None:
        self._asked = self._clock.ticks() / 1e9
        try:
            self._keys = read_keys(await self._fetch())
        except (httpx.HTTPError, OSError, ValueError):
            return
        self._fetched = self._asked


def fetch_keys(settings: OidcSettings, client: httpx.AsyncClient) -> Callable[[], Awaitable[bytes]]:
    """What reads the JWKS: from its file, or by HTTP within bounds of size and time, without redirects."""

    async def from_file() -> bytes:
        assert settings.jwks_file  # noqa: S101 - one of both is set
        with settings.jwks_file.open("rb") as file:
            return file.read(_KEYS_BYTES)

    async def by_http() -> bytes:
        document = bytearray()
        try:
            async with (
                asyncio.timeout(_KEYS_SECONDS),
                client.stream("GET", settings.jwks_url, follow_redirects=False) as answer,
            ):
                if answer.status_code != httpx.codes.OK:
                    raise ValueError("no JWKS")
                async for part in answer.aiter_bytes():
                    document += part
                    if len(document) > _KEYS_BYTES:
                        raise ValueError("too long")
        except TimeoutError:
            raise ValueError("too slow") from None
        return bytes(document)

    return from_file if settings.jwks_file else by_http


@dataclass(frozen=True, slots=True)
class Tokens:
    """Verifies ID tokens of one issuer for one audience."""

    settings: OidcSettings
    keys: Keys
    clock: Clock

    async def claims(self, token: str) -> Mapping[str, Any]:
        """What a token says of its bearer. Raises RefusedTokenError, UnavailableError."""
        try:
            header = jws.extract_compact(token.encode("ascii"), registry=_REGISTRY).headers()
            algorithm, kid = header["alg"], header.get("kid")
            if algorithm not in ALLOWED:
                raise RefusedTokenError("algorithm")
            if header.get("typ") not in _TYPES:
                raise RefusedTokenError("type")
        except _MALFORMED:
            raise RefusedTokenError("malformed") from None
        key = await self.keys.find(kid, algorithm)
        try:
            found = decode_token(token, key, registry=_REGISTRY)
            self._expected().validate(found.claims)
        except ExpiredTokenError:
            raise RefusedTokenError("expired") from None
        except (InvalidClaimError, MissingClaimError) as wrong:
            raise RefusedTokenError(wrong.claim) from None
        except _MALFORMED:
            raise RefusedTokenError("signature") from None
        return found.claims

    def _expected(self) -> JWTClaimsRegistry:
        return JWTClaimsRegistry(
            now=self.clock.now() // 1000,
            leeway=self.settings.leeway,
            iss={"essential": True, "value": self.settings.issuer},
            aud={"essential": True, "value": self.settings.audience},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
        )
