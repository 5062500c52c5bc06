"""Kafka and Valkey for a whole run of benchmarks, each in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from sandbox.demo.world import Servers
from sandbox.embedded import EmbeddedKafka, EmbeddedValkey


@dataclass(frozen=True, slots=True)
class Ground:
    """The servers that all benchmarks of a run share; `broker` says which Kafka it is.

    `prefix` starts every name of a topic, group or key that a benchmark uses.
    """

    broker: str
    bootstrap: str
    redis_url: str
    prefix: str = "bench-"

    def named(self, name: str) -> Servers:
        """The same servers, with names of this benchmark's own on them."""
        return Servers(self.bootstrap, self.redis_url, f"{self.prefix}{name}")


@asynccontextmanager
async def ground() -> AsyncIterator[Ground]:
    """Start both, Valkey with `appendfsync always`; they end with the block.

    Raises ServerUnavailableError, ServerFailedError.
    """
    async with AsyncExitStack() as stack:
        kafka, valkey = EmbeddedKafka(), EmbeddedValkey()
        stack.push_async_callback(kafka.astop)
        stack.push_async_callback(valkey.astop)
        await asyncio.gather(kafka.astart(), valkey.astart())
        yield Ground(kafka.label, kafka.bootstrap, valkey.url)
