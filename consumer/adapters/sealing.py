"""Credentials out of sight: sealed to this service's public key, or mounted as secrets (C2).

Also encrypts the access token that replicas share. Guarantees: nothing here puts a key, a secret or a
token into an error or a repr; a sealed box made for one organization is refused for another.
"""

from __future__ import annotations

import base64
import contextlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, Self

import msgspec
from nacl.exceptions import CryptoError
from nacl.public import PrivateKey, PublicKey, SealedBox
from nacl.secret import SecretBox

from consumer.adapters.digest_keys import KEY_BYTES, derived_key, from_base64, private_bytes
from consumer.domain.connections.connection import Connection, IntegrationRequest
from consumer.domain.errors import ConfigurationError, CredentialError
from consumer.settings import KeySettings

_SEALED_LIMIT: Final = 8_192
_FILE_LIMIT: Final = 8_192
_PLAIN_NAME: Final = re.compile(r"[0-9A-Za-z](?:[-_.0-9A-Za-z]{0,251}[0-9A-Za-z])?")
# Separates this use of the private key from sealing; 16 bytes at most.
_TOKEN_PERSON: Final = b"swoogo-sync/tokn"


@dataclass(frozen=True, slots=True)
class ClearCredentials:
    """A consumer key and secret, and the organization they were sealed for ("" when not said)."""

    consumer_key: str = field(repr=False)
    consumer_secret: str = field(repr=False)
    org_id: str = ""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A Curve25519 pair, both halves base64. The public half is what others seal credentials to."""

    public: str
    private: str = field(repr=False)

    @classmethod
    def generate(cls) -> Self:
        return cls._of(PrivateKey.generate())

    @classmethod
    def from_private(cls, private: str) -> Self:
        """The pair of a private key. Raises ConfigurationError when it is none."""
        return cls._of(PrivateKey(private_bytes(private)))

    @classmethod
    def _of(cls, key: PrivateKey) -> Self:
        return cls(_text(bytes(key.public_key)), _text(bytes(key)))


def seal(public: str, consumer_key: str, consumer_secret: str, *, org_id: str = "") -> str:
    """A sealed box around the JSON `{"consumer_key", "consumer_secret"}`, base64.

    `public`: the service's public key, base64. `org_id`: organization that may use the box; it is worth nothing to
    another one. Left out: not bound.

    Raises:
        ConfigurationError: the public key is none.
    """
    content = {"consumer_key": consumer_key, "consumer_secret": consumer_secret}
    if org_id:
        content["org_id"] = org_id
    try:
        key = PublicKey(from_base64(public, KEY_BYTES))
    except ValueError:
        raise ConfigurationError(
            "The public key is not 32 bytes in base64; take the one that belongs to the service's private key."
        ) from None
    return _text(SealedBox(key).encrypt(msgspec.json.encode(content)))


def unseal(private: str, sealed: str, previous: str = "") -> ClearCredentials:
    """What a sealed box holds.

    Args:
        private: the service's private key, base64.
        sealed: the box, base64.
        previous: the private key before it, which opens what was sealed before a rotation.

    Raises:
        CredentialError: it is no sealed box, was sealed to another key, or does not hold credentials.
        ConfigurationError: a private key is none.
    """
    try:
        box = from_base64(sealed)
    except ValueError:
        raise CredentialError("The sealed credentials are not base64; copy the whole text.") from None
    content = _opened(private, box)
    if content is None and previous:
        content = _opened(previous, box)
    if content is None:
        public = KeyPair.from_private(private).public
        raise CredentialError(
            f"The credentials are sealed to another key: seal them to {public} with `swoogo-sync keys seal`."
        )
    return _credentials(content, "The sealed credentials")


def _opened(private: str, box: bytes) -> bytes | None:
    key = PrivateKey(private_bytes(private))
    try:
        return SealedBox(key).decrypt(box)
    except (CryptoError, ValueError, TypeError):
        return None


def credential_id(consumer_key: str) -> str:
    """What a credential's credits and token are filed under: 16 hex characters that do not tell the key."""
    return blake2b(consumer_key.encode(errors="replace"), digest_size=8).hexdigest()


class Seal(StrEnum):
    """What opens an organization's credentials."""

    CURRENT = "current key"
    PREVIOUS = "previous key"
    NEITHER = "no key of ours"
    MOUNTED = "mounted secret"


class CredentialOpener:
    """Turns what an integration names into a consumer key and secret.

    A mounted secret is a folder `<secrets_dir>/<name>` with the files `consumer_key` and `consumer_secret`
    (and `org_id`, to bind it to one organization), or a file of that name with the JSON of the three.
    It is read at every use, so that a rotated secret counts at once.
    """

    def __init__(self, settings: KeySettings) -> None:
        """Raises ConfigurationError when the private key is missing or none."""
        self._private = settings.private.get_secret_value()
        self._previous = settings.previous.get_secret_value()
        self._folder = settings.secrets_dir
        self.public = KeyPair.from_private(self._private).public

    def __call__(self, source: Connection | IntegrationRequest) -> tuple[str, str]:
        """The consumer key and secret. Raises CredentialError with a sentence that says what to do."""
        if source.sealed:
            if len(source.sealed) > _SEALED_LIMIT:
                raise CredentialError(f"The sealed credentials are longer than {_SEALED_LIMIT} characters.")
            found = unseal(self._private, source.sealed, self._previous)
        elif source.secret_name:
            found = self._mounted(source.secret_name)
        else:
            raise CredentialError("The integration names no credentials; publish sealed ones or the name of a secret.")
        if found.org_id and found.org_id != source.org_id:
            raise CredentialError("The credentials belong to another organization; seal them for this one.")
        return found.consumer_key, found.consumer_secret

    def seal_of(self, source: Connection | IntegrationRequest) -> Seal:
        """Which key opens the credentials; whether they are of any use is not asked."""
        if not source.sealed:
            return Seal.MOUNTED
        for kind, private in ((Seal.CURRENT, self._private), (Seal.PREVIOUS, self._previous)):
            try:
                if private:
                    unseal(private, source.sealed)
                    return kind
            except CredentialError:
                continue
        return Seal.NEITHER

    def _mounted(self, name: str) -> ClearCredentials:
        if not _PLAIN_NAME.fullmatch(name):
            raise CredentialError("The name of the secret is not a plain file name.")
        place = self._folder / name
        if place.is_file():
            return _credentials(_content(place, name), f"The secret {name}")
        org_id = _line(place / "org_id", name) if (place / "org_id").exists() else ""
        return _complete(
            ClearCredentials(_line(place / "consumer_key", name), _line(place / "consumer_secret", name), org_id),
            f"The secret {name}",
        )


class TokenCipher:
    """Encrypts the shared access token at rest, with a key derived from the service's private key.

    During a rotation a token that was encrypted with the previous key is still read; the next one, half an hour later
    at most, is encrypted with the new.
    """

    def __init__(self, private: str, previous: str = "") -> None:
        """Raises ConfigurationError when a private key is none."""
        self._box = _token_box(private)
        self._previous = _token_box(previous) if previous else None

    def encrypt(self, text: str) -> bytes:
        """The text with a nonce of its own, authenticated."""
        return bytes(self._box.encrypt(text.encode()))

    def decrypt(self, data: bytes) -> str | None:
        """The text, or None when it was not encrypted with this key: a shared token is only a saved call."""
        for box in (self._box, self._previous):
            if box is not None:
                with contextlib.suppress(CryptoError, ValueError, TypeError):
                    return box.decrypt(data).decode()
        return None


def _token_box(private: str) -> SecretBox:
    return SecretBox(derived_key(private, _TOKEN_PERSON))


def _credentials(content: bytes, what: str) -> ClearCredentials:
    try:
        parsed: Any = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        parsed = None
    if not isinstance(parsed, dict):
        raise CredentialError(f"{what} must be a JSON object with consumer_key and consumer_secret.")
    texts = {name: value.strip() for name, value in parsed.items() if isinstance(value, str)}
    found = ClearCredentials(texts.get("consumer_key", ""), texts.get("consumer_secret", ""), texts.get("org_id", ""))
    return _complete(found, what)


def _complete(found: ClearCredentials, what: str) -> ClearCredentials:
    if not found.consumer_key or not found.consumer_secret:
        raise CredentialError(f"{what} must hold both consumer_key and consumer_secret.")
    return found


def _content(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_FILE_LIMIT)
    except OSError:
        raise CredentialError(f"The secret {name} has no readable {path.name}; mount it with that file.") from None


def _line(path: Path, name: str) -> str:
    try:
        return _content(path, name).decode().strip()
    except UnicodeDecodeError:
        raise CredentialError(f"The secret {name} holds a {path.name} that is not text.") from None


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
