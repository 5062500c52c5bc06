"""Keys that are made of the service's private key, one for each use of it, and those people's data is digested with.

Apart from `adapters.sealing`, as most commands digest and none of them opens a sealed box.
"""

from __future__ import annotations

import base64
import binascii
from hashlib import blake2b
from typing import Final

from consumer.domain.errors import ConfigurationError
from consumer.domain.records.digests import Digests
from consumer.settings import KeySettings

KEY_BYTES: Final = 32
# Separates this use of the private key from the others; 16 bytes at most.
_DIGEST_PERSON: Final = b"swoogo-sync/dgst"


def digests_of(settings: KeySettings) -> Digests:
    """What keeps people's data out of the ledger (Y3): by the keys of their own, else by one derived from the private
    key. Digests by any key that is set are understood, so that a rotation costs no call.

    Raises ConfigurationError: a private key is none.
    """
    pairs = (settings.private.get_secret_value(), settings.previous.get_secret_value())
    derived = [derived_key(private, _DIGEST_PERSON) for private in pairs if private]
    return Digests(tuple(dict.fromkeys([*settings.digest_keys(), *derived])))


def derived_key(private: str, person: bytes) -> bytes:
    """32 bytes of the private key for one use of it. Raises ConfigurationError: it is none."""
    return blake2b(private_bytes(private), digest_size=KEY_BYTES, person=person).digest()


def private_bytes(private: str) -> bytes:
    """The private key's 32 bytes. Raises ConfigurationError: it is none."""
    try:
        return from_base64(private, KEY_BYTES)
    except ValueError:
        raise ConfigurationError(
            "SWOOGO_SYNC_KEYS__PRIVATE is not 32 bytes in base64; make a key with `swoogo-sync keys new`."
        ) from None


def from_base64(text: str, length: int | None = None) -> bytes:
    """Raises ValueError when the text is not base64, or of another length."""
    try:
        data = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("not base64") from None
    if length is not None and len(data) != length:
        raise ValueError("wrong length")
    return data
