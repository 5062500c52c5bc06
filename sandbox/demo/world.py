"""Everything the demo runs on, each in a process of its own, none of which outlives it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

import httpx

from consumer.adapters.kafka.topics import DEFAULT_TOPICS, PARTITIONS, create_topics
from consumer.adapters.sealing import KeyPair
from consumer.settings import PREFIX, Settings, Topics, load_settings
from sandbox.conference.records import TopicNames
from sandbox.embedded import EmbeddedKafka, EmbeddedValkey, ServerFailedError
from sandbox.embedded.server import HOST, EmbeddedServer, die_with_parent

CONSUMER_KEY: Final = "demo-key"
CONSUMER_SECRET: Final = "demo-secret"  # noqa: S105 - of the sandbox
_STOP_SECONDS: Final = 40.0


class SandboxProcess(EmbeddedServer):
    """The sandbox Swoogo as a server of its own."""

    label = "Sandbox Swoogo"

    def __init__(
        self, *, window: float, latency_ms: float, limit: int = 2000, switches: Mapping[str, str] | None = None
    ) -> None:
        """Window in seconds, latency of every call in ms, credits of a window, and switches by name."""
        super().__init__(startup_timeout=30.0)
        self._options = [f"--window={window:g}", f"--latency={latency_ms:g}", f"--limit={limit}"]
        for name, value in (switches or {}).items():
            self._options += ["--switch", f"{name}={value}"]

    @property
    def url(self) -> str:
        """Root of the server; the API is below `/api/v1`."""
        return f"http://{HOST}:{self.port}"

    def _command(self) -> list[str]:
        credential = f"--credential={CONSUMER_KEY}:{CONSUMER_SECRET}"
        return [sys.executable, "-m", "sandbox.swoogo", f"--port={self.port}", credential, *self._options]

    async def _answers(self) -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            with contextlib.suppress(httpx.HTTPError):
                return (await client.get(f"{self.url}/_control/stats")).is_success
        return False


@dataclass(slots=True)
class ServiceProcess:
    """`swoogo-sync run` with the settings given, and nothing else of this environment but what Python needs."""

    environment: Mapping[str, str]
    log_path: Path
    command: tuple[str, ...] = (sys.executable, "-m", "consumer.entrypoints.cli", "run")
    _process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def start(self) -> None:
        """Start it; `tail` tells what it logs."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self.command,
                env={**kept, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent(),  # noqa: PLW1509 - the library is loaded before the fork
            )

    def check(self) -> None:
        """Raises ServerFailedError with the end of its log when it has ended by itself."""
        if self._process is not None and self._process.poll() is not None:
            raise ServerFailedError(f"The service ended ({self._process.returncode}). Its last words:\n{self.tail()}")

    def tail(self, lines: int = 15) -> str:
        """The last lines it logged."""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def stop(self, *, hard: bool = False) -> int | None:
        """SIGTERM, and SIGKILL when that is not enough (or at once); returns the exit code."""
        process, self._process = self._process, None
        if process is None:
            return None
        if process.poll() is None:
            process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
        return process.wait()


@dataclass(slots=True)
class World:
    """The running servers, the way to control the sandbox, and the service's settings.

    `broker` says which Kafka it is; `replicas` are the processes of the service.
    """

    broker: str
    bootstrap: str
    topics: TopicNames
    swoogo: SandboxProcess
    control: httpx.AsyncClient
    keys: KeyPair
    environment: dict[str, str]
    replicas: list[ServiceProcess] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The service's settings, for looking into its stores."""
        values: dict[str, Any] = {}
        for name, value in self.environment.items():
            *groups, leaf = name.removeprefix(PREFIX).lower().split("__")
            place = values
            for group in groups:
                place = place.setdefault(group, {})
            place[leaf] = value
        return load_settings(**values)

    def start_service(self, name: str = "service", **overrides: str) -> ServiceProcess:
        """One more replica. `overrides` are settings such as `KAFKA__GROUP_ID`."""
        extra = {f"{PREFIX}{key}": value for key, value in overrides.items()}
        replica = ServiceProcess({**self.environment, **extra}, self.swoogo.root / f"{name}.log")
        replica.start()
        self.replicas.append(replica)
        return replica

    async def stop_services(self) -> list[int | None]:
        """Drain all replicas; their exit codes."""
        replicas, self.replicas = self.replicas, []
        return list(await asyncio.gather(*(asyncio.to_thread(replica.stop) for replica in replicas)))

    async def get(self, path: str) -> Any:
        """A look into the sandbox, e.g. `stats`."""
        answer = await self.control.get(f"/_control/{path}")
        answer.raise_for_status()
        return answer.json()

    async def post(self, path: str, body: Any) -> Any:
        """A change by hand in the sandbox, e.g. `edit`."""
        answer = await self.control.post(f"/_control/{path}", json=body)
        answer.raise_for_status()
        return answer.json()


@dataclass(frozen=True, slots=True)
class Servers:
    """Kafka and Redis that run already: their addresses, and a prefix for names of one's own on them."""

    bootstrap: str
    redis_url: str
    prefix: str


@asynccontextmanager
async def world(
    *,
    window: float,
    latency_ms: float,
    limit: int = 2000,
    switches: Mapping[str, str] | None = None,
    settings: Mapping[str, str] | None = None,
    servers: Servers | None = None,
    partitions: int = PARTITIONS,
) -> AsyncIterator[World]:
    """Start the sandbox, and Kafka and Valkey unless they are given; the service is started by who plays.

    Args:
        window: length of the sandbox's credit window, seconds.
        latency_ms: how long every Swoogo call takes, ms.
        limit: credits of a window.
        switches: behaviours of the sandbox by name.
        settings: settings of the service besides the addresses, without their prefix.
        servers: running ones to use.
        partitions: of each topic.
    """
    async with AsyncExitStack() as stack:
        swoogo = SandboxProcess(window=window, latency_ms=latency_ms, limit=limit, switches=switches)
        stack.push_async_callback(swoogo.astop)
        if servers is None:
            kafka, valkey = EmbeddedKafka(), EmbeddedValkey()
            stack.push_async_callback(kafka.astop)
            stack.push_async_callback(valkey.astop)
            starting = asyncio.gather(kafka.astart(), valkey.astart(), swoogo.astart())
            try:
                await starting
            except BaseException:
                starting.cancel()
                raise
            broker, bootstrap, redis_url, prefix = "Apache Kafka", kafka.bootstrap, valkey.url, ""
        else:
            await swoogo.astart()
            broker, bootstrap, redis_url = "the Kafka given", servers.bootstrap, servers.redis_url
            prefix = f"{servers.prefix}."
        names = {each.name: f"{prefix}{getattr(TopicNames(), each.name)}" for each in fields(TopicNames)}
        topics = {f"{prefix}{name}": policy for name, policy in DEFAULT_TOPICS.items()}
        await create_topics(bootstrap, topics, partitions=partitions)
        # The sandbox hangs up what is idle for five seconds; a call sent at that moment would get no answer.
        idle = httpx.Limits(keepalive_expiry=2.0)
        control = await stack.enter_async_context(
            httpx.AsyncClient(base_url=swoogo.url, trust_env=False, timeout=30, limits=idle)
        )
        keys = KeyPair.generate()
        values = {
            "KAFKA__BOOTSTRAP_SERVERS": bootstrap,
            "KAFKA__GROUP_ID": f"{prefix}swoogo-sync",
            **{
                f"KAFKA__TOPICS__{name.upper()}": f"{prefix}{default}"
                for name, default in Topics().model_dump().items()
            },
            "REDIS__URL": redis_url,
            "REDIS__PREFIX": servers.prefix if servers else "swoogo-sync",
            "SWOOGO__BASE_URL": f"{swoogo.url}/api/v1",
            "SWOOGO__CREDIT_WINDOW": f"{window:g}",
            "SWOOGO__DEADLINE": f"{min(window * 0.95, 30.0):g}",
            "SWOOGO__CREDIT_LIMIT": str(limit),
            "KEYS__PRIVATE": keys.private,
            "HTTP__PORT": "0",  # replicas stand side by side on one machine
            **(settings or {}),
        }
        environment = {f"{PREFIX}{name}": value for name, value in values.items()}
        running = World(broker, bootstrap, TopicNames(**names), swoogo, control, keys, environment)
        stack.push_async_callback(running.stop_services)
        yield running
