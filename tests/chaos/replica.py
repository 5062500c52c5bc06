"""The service as `consumer.app` composes it, its clients exchanged for those of a run.

The composition root itself is what runs: only the names in it that lead outside are replaced.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from random import Random
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

from consumer import app
from consumer.adapters.redis import stores
from consumer.adapters.swoogo.client import SwoogoClient
from consumer.domain.errors import SilentHostError
from consumer.observability.watch import Watch
from consumer.ports import Picture, Unchanged
from consumer.services import rebuild
from consumer.settings import Settings
from sandbox.swoogo.server import SandboxSwoogo
from tests.chaos.effects import Effects
from tests.chaos.log import FakeBroker, FakeProducer, Log, LogSource
from tests.chaos.machine import VirtualClock, current
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
    """Stands for fetching images: every address holds one. Until all is calm, some answers are late or never come.

    How late each fetch is follows from its address and its number, so that nothing else of a run depends on it.
    """

    def __init__(self, effects: Effects) -> None:
        self._effects = effects
        self._asked: Counter[str] = Counter()

    async def get(self, url: str, known: Mapping[str, str], *, limit: int | None = None) -> Picture | Unchanged:
        """See `ports.Images`."""
        self._asked[url] += 1
        chance = Random(f"{url} {self._asked[url]}")
        if not self._effects.calm and chance.random() < 0.5:
            late = chance.uniform(0.0, 2 * _GIVES_UP)
            await asyncio.sleep(min(late, _GIVES_UP))
            if late > _GIVES_UP:
                raise SilentHostError("images.example.org did not deliver the image within 20 seconds.")
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


class _Unwatched(Watch):
    """Looks at nothing: it would do so on the machine's clock."""

    @asynccontextmanager
    async def over(self, *_: Any) -> AsyncIterator[None]:
        yield


@contextmanager
def composed_on(around: Surroundings) -> Iterator[None]:
    """Within this, `consumer.app` composes services of this run."""

    async def nothing(*_: Any) -> None: ...

    replaced: dict[str, Any] = {
        "ensure_topics": nothing,
        "producer": lambda _: FakeProducer(around.log, around.effects),
        "SystemClock": lambda: VirtualClock(around.effects.chance, around.off()),
        "SwoogoClient": partial(SwoogoClient, transport=Wire(around.sandbox, around.effects)),
        "open_images": lambda _: Pictures(around.effects),
        "open_broker": lambda _: FakeBroker(around.log, around.effects),
        "Pulse": _Quiet,
        "KafkaLag": _Quiet,
        "RedisReplicas": _Silent,
        "KafkaRebuildSource": lambda settings, producer: LogSource(settings, producer, around.log),
        "_PULSE_SECONDS": 600.0,
        "gc": SimpleNamespace(collect=lambda: None, freeze=lambda: None),
    }
    # As often as in earnest would take most of a run.
    with (
        patch.multiple(app, **replaced),
        patch.object(stores, "connect", lambda _: around.server.connect(struck=current() is not None)),
        patch.object(rebuild, "_LOOK_SECONDS", 10.0),
    ):
        yield


async def live(around: Surroundings) -> None:
    """One life of a worker, from the start of its process; ends only by force."""
    async with app.service(around.settings, _Unwatched(around.settings)) as service:
        await service.run(asyncio.Event())
