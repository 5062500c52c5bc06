"""The service as `consumer.app` composes it, its clients exchanged for those of a run.

The composition root itself is what runs: only the names in it that lead outside are replaced.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from hashlib import sha256
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from consumer import app
from consumer.adapters.kafka import archive as kafka_archive
from consumer.adapters.redis import archive as redis_archive
from consumer.adapters.redis import budget, stores
from consumer.adapters.sealing import KeyPair
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.errors import SilentHostError, UnavailableError
from consumer.domain.records.identity import Source, key_of
from consumer.domain.records.snapshot import Snapshot
from consumer.observability.telemetry import Telemetry
from consumer.ports import Picture, Unchanged
from consumer.services import housekeeping, rebuild
from consumer.settings import Settings, load_settings
from consumer.wiring import clients, services
from sandbox.swoogo import rendering
from sandbox.swoogo.server import SandboxSwoogo
from tests.chaos.clients import FakeBroker, FakeProducer
from tests.chaos.deliveries import PATH, SECRET
from tests.chaos.effects import Effects
from tests.chaos.log import Log
from tests.chaos.machine import VirtualClock, current
from tests.chaos.scans import LogScanner, LogSource
from tests.chaos.valkey import Server
from tests.chaos.wire import Wire


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a worker of a run stands on. `off`: by how many seconds the clock of its next process is wrong."""

    effects: Effects
    server: Server
    sandbox: SandboxSwoogo
    log: Log
    settings: Settings
    off: Callable[[], float]


_GIVES_UP: Final = 20.0
"""Seconds after which a fetch ends, as in the settings."""


class Pictures:
    """Stands for fetching images: every address holds one, whose server may be late, silent or in trouble.

    Until all is calm, half of the answers are late or never come. How late each is follows from its address and its
    number; which server is dead, looked up late or in trouble is an effect as any.
    """

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._asked: Counter[str] = Counter()

    async def get(self, url: str, known: Mapping[str, str], *, limit: int | None = None) -> Picture | Unchanged:
        """See `ports.Images`."""
        effects, now = self._effects, asyncio.get_running_loop().time()
        kind = effects.strike("image fetch")
        await effects.before(kind)
        self._asked[url] += 1
        chance = Random(f"{url} {self._asked[url]}")
        late = chance.uniform(0.0, 2 * _GIVES_UP) if not effects.calm and chance.random() < 0.5 else 0.0
        if kind == "late name":
            late += effects.chance.uniform(2.0, 40.0)
        if kind == "dead host":
            effects.dead_hosts = now + effects.chance.choice((30.0, 400.0))
        if effects.dead_hosts > now:
            late = _GIVES_UP
        await asyncio.sleep(min(late, _GIVES_UP))
        if late >= _GIVES_UP:
            raise SilentHostError("images.example.org did not deliver the image within 20 seconds.")
        if kind == "error":
            raise UnavailableError("The server of the image does not answer.")
        content = b"\x89PNG\r\n\x1a\n" + url.encode()
        record = {"url": url, "sha256": sha256(content).hexdigest()}
        if record["sha256"] == known.get("sha256"):
            return Unchanged(record)
        return Picture(content, "image/png", "a.png", record)

    async def aclose(self) -> None:
        """Nothing to close."""


class _Silent:
    """Stands for the heartbeats, which would only thin out what a run strikes."""

    def __init__(self, *_: Any) -> None: ...

    async def keep_beating(self, *_: Any) -> None: ...

    async def leave(self, *_: Any) -> None: ...


class _Quiet:
    """Stands for what looks at the clients of a real Kafka."""

    def __init__(self, *_: Any) -> None: ...

    def watch(self, *_: Any) -> None: ...

    def rest(self) -> None: ...

    def trouble(self) -> str:
        return ""

    waiting = trouble

    async def aclose(self) -> None: ...


class _Unwatched(Telemetry):
    """Looks at nothing: it would do so on the machine's clock."""

    @asynccontextmanager
    async def monitor(self, *_: Any) -> AsyncIterator[None]:
        yield


@contextmanager
def composed_on(around: Surroundings) -> Iterator[None]:
    """Within this, `consumer.app` composes services of this run."""

    async def nothing(*_: Any) -> None: ...

    in_app: dict[str, Any] = {
        "ensure_topics": nothing,
        "SystemClock": lambda: VirtualClock(around.effects.chance, around.off()),
        "open_broker": lambda _: FakeBroker(around.log, around.effects),
        "ConsumerHealth": _Quiet,
        "KafkaLag": _Quiet,
        "OpenDeadLetters": _Quiet,
        "RedisReplicas": _Silent,
        "_PULSE_SECONDS": 600.0,
        "gc": SimpleNamespace(collect=lambda: None, freeze=lambda: None),
    }
    in_clients: dict[str, Any] = {
        "producer": lambda _: FakeProducer(around.log, around.effects),
        "SwoogoClient": partial(SwoogoClient, transport=Wire(around.sandbox, around.effects)),
        "KafkaRebuildSource": lambda settings, producer: LogSource(settings, producer, around.log),
    }
    # As often as in earnest would take most of a run.
    with (
        patch.multiple(app, **in_app),
        patch.multiple(clients, **in_clients),
        patch.object(services, "open_images", lambda _: Pictures(around.effects)),
        patch.object(stores, "connect", lambda _: around.server.connect(struck=current() is not None)),
        patch.object(kafka_archive, "producer", in_clients["producer"]),
        patch.object(kafka_archive, "TopicScanner", lambda _: LogScanner(around.log)),
        # Events are taken for over though they are not: all rows stay, as they may all be needed.
        patch.object(redis_archive, "ended_at", lambda _: 0),
        patch.object(redis_archive, "stays", every_row),
        patch.object(rebuild, "_LOOK_SECONDS", 20.0),
        patch.object(housekeeping, "_EVERY_SECONDS", 10.0),
        patch.object(budget, "_LONGEST_NAP", 5.0),
        patch.object(rendering, "TRUNCATED", 5),
    ):
        yield


async def live(around: Surroundings) -> None:
    """One life of a worker, from the start of its process; ends only by force."""
    async with app.service(around.settings, _Unwatched(around.settings)) as service:
        await service.run(asyncio.Event())


def every_row(snapshot: Snapshot) -> frozenset[str]:
    """The keys of all rows."""
    held: tuple[tuple[Source, Iterable[str]], ...] = (
        (Source.SESSION, snapshot.sessions),
        (Source.CONTACT, snapshot.contacts),
        (Source.SPONSOR, snapshot.sponsors),
    )
    return frozenset(key_of(source, each) for source, rows in held for each in rows)


@cache
def _key_pair() -> KeyPair:
    return KeyPair.generate()


def settings_of(
    redis_url: str, limit: int, window: float, hooks: float | None = None, *, archived: bool = False
) -> tuple[KeyPair, Settings]:
    """The settings of a run with its limit of credits and its window (seconds), and the key pair in them.

    `hooks`: with webhooks, and by how many seconds Swoogo's clock and ours may differ. `archived`: with the archive.
    """
    keys = _key_pair()
    return keys, load_settings(
        redis={"url": redis_url, "prefix": "chaos"},
        kafka={"group_id": "chaos"},
        push={"poll_interval": 10.0, "retry_max": 150.0},
        swoogo={
            "base_url": "http://swoogo.test/api/v1",
            "credit_limit": limit,
            "credit_window": window,
            "credit_reserve": 0,
        },
        keys={"private": keys.private},
        archive={"after": 1.0 if archived else 0.0},
        webhooks={
            "enabled": "off" if hooks is None else "on",
            "public_url": "http://hooks.test",
            "path_secret": PATH,
            "secret": SECRET,
            "clock_tolerance": hooks or 0.0,
        },
    )
