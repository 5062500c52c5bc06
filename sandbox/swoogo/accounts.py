"""Credentials, the accounts they belong to, and the tokens they were given.

A credential sees the events of its account, or only some of them (`swoogo-api.md` 1, 11.2: 404 also means
"exists but not accessible to this credential"). Credits belong to the credential, not to the token.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote_plus

from sandbox.swoogo.credits import CreditMeter
from sandbox.swoogo.store import Record

DEFAULT_ACCOUNT = "main"


@dataclass(frozen=True, slots=True)
class Credential:
    """A consumer key and secret; `events` None means every event of the account."""

    key: str
    secret: str
    account: str = DEFAULT_ACCOUNT
    events: frozenset[int] | None = None

    def sees(self, record: Record) -> bool:
        """Whether this credential may read and write the record."""
        if record.account != self.account:
            return False
        event_id = record.id if record.kind == "events" else record.event_id
        return self.events is None or event_id is None or event_id in self.events


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token of a credential, good until `expires` (seconds since the epoch)."""

    text: str
    key: str
    expires: float


class Accounts:
    """Every credential with its meter, and every token given out."""

    def __init__(self) -> None:
        self.credentials: dict[str, Credential] = {}
        self.meters: dict[str, CreditMeter] = {}
        self._tokens: dict[str, Token] = {}
        self._given = 0

    def admit(self, credential: Credential) -> None:
        """Add a credential, or replace the one with the same key; its credits are kept."""
        self.credentials[credential.key] = credential
        self.meter(credential)

    def meter(self, credential: Credential) -> CreditMeter:
        """The credits of a credential."""
        return self.meters.setdefault(credential.key, CreditMeter())

    def by_basic(self, header: str) -> Credential | None:
        """The credential of a Basic header with url-encoded key and secret, or None (`swoogo-api.md` 1)."""
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            text = base64.b64decode(encoded.strip(), validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return None
        key, _, secret = text.partition(":")
        credential = self.credentials.get(unquote_plus(key))
        if credential is None or credential.secret != unquote_plus(secret):
            return None
        return credential

    def by_bearer(self, header: str, *, now: float) -> Credential | None:
        """The credential behind a Bearer header with a token that has not expired, or None."""
        scheme, _, text = header.partition(" ")
        token = self._tokens.get(text.strip())
        if scheme.lower() != "bearer" or token is None or now >= token.expires:
            return None
        return self.credentials.get(token.key)

    def give_token(self, credential: Credential, *, now: float, lifetime: float, revoke: bool) -> dict[str, str]:
        """A new token: `access_token`, `expires_at` in UTC without a zone, `type` (`swoogo-api.md` 1)."""
        if revoke:
            self._tokens = {t: token for t, token in self._tokens.items() if token.key != credential.key}
        self._given += 1
        text = hashlib.sha256(f"{credential.key}/{self._given}".encode()).hexdigest()
        self._tokens[text] = Token(text, credential.key, now + lifetime)
        expires_at = datetime.fromtimestamp(now + lifetime, UTC).strftime("%Y-%m-%d %H:%M:%S")
        return {"access_token": text, "expires_at": expires_at, "type": "bearer"}

    def expire_tokens(self) -> None:
        """End every token at once, as a restart of the vendor would."""
        self._tokens.clear()
