"""The main job on a Redis of many servers, while something happens to them."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.world import Servers, world
from sandbox.embedded import EmbeddedCluster, EmbeddedSentinels
from tests.e2e.conftest import QUICK
from tests.support.cluster_faults import ClusterFaults
from tests.support.conferences import small
from tests.support.sentinel_faults import SentinelFaults

_events = itertools.count(9501)
_SETTINGS: Final = {**QUICK, "PUSH__LEASE": "5", "SWOOGO__DEADLINE": "3", "REDIS__TIMEOUT": "2"}


@asynccontextmanager
async def in_a_cluster(kafka_bootstrap: str) -> AsyncIterator[tuple[Play, ClusterFaults]]:
    """A conference that was synced, by two replicas of the service in a cluster."""
    async with EmbeddedCluster() as cluster:
        at = Servers(kafka_bootstrap, cluster.url, f"cluster-{uuid.uuid4().hex[:8]}")
        async with synced(at, {"REDIS__MODE": "cluster", "REDIS__NODES": cluster.further}) as playing:
            yield playing, ClusterFaults(cluster)


@asynccontextmanager
async def by_sentinels(kafka_bootstrap: str) -> AsyncIterator[tuple[Play, SentinelFaults]]:
    """A conference that was synced, by two replicas of the service on three servers."""
    async with EmbeddedSentinels(replicas=2) as servers:
        found = {"REDIS__MODE": "sentinel", "REDIS__NODES": servers.further, "REDIS__SENTINEL_MASTER": servers.name}
        at = Servers(kafka_bootstrap, servers.url, f"sentinel-{uuid.uuid4().hex[:8]}")
        async with synced(at, found) as playing:
            yield playing, SentinelFaults(servers)


@asynccontextmanager
async def synced(at: Servers, found: Mapping[str, str]) -> AsyncIterator[Play]:
    """A conference that two replicas of the service have synced. `found`: settings that lead to Redis."""
    async with (
        world(window=60.0, latency_ms=20.0, limit=100_000, settings={**_SETTINGS, **found}, servers=at) as running,
        play(running, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as begun,
    ):
        running.start_service()
        running.start_service("second")
        await begun.connect()
        await begun.publish([small()], "import")
        assert begun.exact
        yield begun


async def struck(playing: Play, strike: Coroutine[Any, Any, None], kind: str, revisions: list[Conference]) -> None:
    """The fault happens while these are recorded and pushed. `kind`: its name, for what is shown."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(strike)
        await playing.publish(revisions, kind)
    assert playing.exact, [each.differences or each.duplicates for each in playing.chapters]
