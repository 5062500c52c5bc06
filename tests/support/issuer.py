"""An issuer of ID tokens: keys made here, a JWKS that can be served on loopback, tokens right and wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from consumer.adapters.http_server import serving
from consumer.entrypoints.console.identity import Bearer
from consumer.entrypoints.console.tokens import Keys, Tokens, fetch_keys
from consumer.ports import Clock
from consumer.settings.oidc import OidcSettings
from tests.support.fakes.clock import FakeClock

ISSUER: Final = "https://login.example.org/realms/staff"
AUDIENCE: Final = "swoogo-sync-console"
GROUPS: Final = {
    "viewers": "sync-viewers,sync-view-{organization}",
    "admins": "sync-admin-{organization}",
    "operators": "sync-operators",
}
_RSA: Final = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, private=True)
_EC: Final = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)
_ED: Final = OKPKey.generate_key("Ed25519", {"kid": "ed"}, private=True)


def segment(value: Any) -> str:
    """A part of a token."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


@dataclass
class Issuer:
    """Signs with keys by their kid; `published` are those in the JWKS."""

    clock: Clock = field(default_factory=FakeClock)
    keys: dict[str, Key] = field(default_factory=lambda: {"rsa": _RSA, "ec": _EC, "ed": _ED})
    published: list[str] = field(default_factory=lambda: ["rsa", "ec", "ed"])
    asked: int = 0
    away: bool = False
    document: bytes | None = None
    """What is answered instead of a JWKS."""

    def claims(self, claims: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
        """Of an operator, unless changed; None takes one away. `claims`: those whose names are no words."""
        now = self.clock.now() // 1000
        usual = {"iss": ISSUER, "aud": AUDIENCE, "sub": "u-1", "iat": now, "exp": now + 300}
        named = {"name": "Ada Byron", "groups": ["sync-operators"]}
        return {
            name: value for name, value in {**usual, **named, **changes, **(claims or {})}.items() if value is not None
        }

    def token(self, kid: str = "rsa", algorithm: str = "", header: dict[str, Any] | None = None, **claims: Any) -> str:
        """A signed one."""
        key = self.keys[kid]
        usual = {"RSA": "RS256", "EC": "ES256", "OKP": "Ed25519"}[key.key_type]
        head = {"alg": algorithm or usual, "kid": kid, "typ": "JWT", **(header or {})}
        body = f"{segment({name: value for name, value in head.items() if value is not None})}"
        body += f".{segment(self.claims(**claims))}"
        signed = JWSRegistry.algorithms[algorithm or usual].sign(body.encode(), key)  # whatever its header says
        return f"{body}.{segment(signed)}"

    def unsigned(self, algorithm: Any = "none", signature: str = "", **claims: Any) -> str:
        """One that says it needs no signature."""
        return f"{segment({'alg': algorithm, 'kid': 'rsa'})}.{segment(self.claims(**claims))}.{signature}"

    def confused(self, secret: bytes) -> str:
        """Signed by HMAC, with what everyone knows as its secret."""
        body = f"{segment({'alg': 'HS256', 'kid': 'rsa', 'typ': 'JWT'})}.{segment(self.claims())}"
        return f"{body}.{segment(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"

    def jwks(self) -> bytes:
        """The document as published now."""
        if self.document is not None:
            return self.document
        return json.dumps({"keys": [self.keys[kid].as_dict(private=False) for kid in self.published]}).encode()

    async def fetch(self) -> bytes:
        """The document, without a server."""
        self.asked += 1
        if self.away:
            raise OSError("away")
        return self.jwks()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """The document by HTTP; `/moved` redirects to it."""
        self.asked += 1
        status = 503 if self.away else 302 if scope["path"] == "/moved" else 200
        headers = [(b"location", b"/jwks")] if status == 302 else []
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": self.jwks()})

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Its address on loopback, while the block runs."""
        async with serving(self, "127.0.0.1", 0, "JWKS", "") as port:
            yield f"http://127.0.0.1:{port}"

    def settings(self, **changes: Any) -> OidcSettings:
        """Of a console that trusts it."""
        usual = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": "http://127.0.0.1:1/jwks", **GROUPS}
        return OidcSettings(**{**usual, **changes})

    def tokens(self, **changes: Any) -> Tokens:
        """What verifies its tokens, without a server."""
        return Tokens(self.settings(**changes), Keys(self.fetch, self.clock), self.clock)

    def bearer(self, **changes: Any) -> Bearer:
        """The identity that its tokens give."""
        return Bearer(self.settings(**changes), self.tokens(**changes))


@asynccontextmanager
async def by_http(issuer: Issuer, path: str = "/jwks") -> AsyncIterator[Tokens]:
    """What verifies tokens, with keys from a server of the issuer's."""
    async with issuer.served() as address, httpx.AsyncClient() as client:
        settings = issuer.settings(jwks_url=f"{address}{path}")
        yield Tokens(settings, Keys(fetch_keys(settings, client), issuer.clock), issuer.clock)
