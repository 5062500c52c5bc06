"""An authority of the tests' own, and what it signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

KEY_PASSWORD = "canary-of-the-key-file"


@dataclass(frozen=True, slots=True)
class Certificates:
    """PEM files. `server` holds key (PKCS #8) and certificate for 127.0.0.1, and for no name."""

    authority: Path
    stranger: Path
    server: Path
    server_certificate: Path
    server_key: Path
    client_certificate: Path
    client_key: Path


def certificates(folder: Path, common_name: str) -> Certificates:
    """Make them in a folder. The client's certificate has this common name, its key the password `KEY_PASSWORD`."""
    authority, stranger = trustme.CA(), trustme.CA()
    server = authority.issue_cert("127.0.0.1")
    client = authority.issue_cert("client.test", common_name=common_name)
    made = Certificates(*(folder / f"{name}.pem" for name in Certificates.__dataclass_fields__))
    authority.cert_pem.write_to_path(made.authority)
    stranger.cert_pem.write_to_path(made.stranger)
    key = load_pem_private_key(server.private_key_pem.bytes(), None)
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    chain = b"".join(blob.bytes() for blob in server.cert_chain_pems)
    made.server_key.write_bytes(plain)
    made.server_certificate.write_bytes(chain)
    made.server.write_bytes(plain + chain)
    secret = load_pem_private_key(client.private_key_pem.bytes(), None)
    made.client_key.write_bytes(
        secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(KEY_PASSWORD.encode()))
    )
    made.client_certificate.write_bytes(b"".join(blob.bytes() for blob in client.cert_chain_pems))
    return made
