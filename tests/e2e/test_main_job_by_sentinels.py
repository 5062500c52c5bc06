"""End to end: the main job by sentinels; when another server takes over, nothing is lost and nothing doubled."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.world import Servers, world
from sandbox.embedded import EmbeddedSentinels
from tests.e2e.test_main_job_in_a_cluster import SETTINGS, grown
from tests.support.conferences import edited, small
from tests.support.sentinel_faults import SentinelFaults

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G6"), pytest.mark.timeout(180)]

_events = itertools.count(9551)


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
        world(window=60.0, latency_ms=20.0, limit=100_000, settings={**SETTINGS, **found}, servers=at) as running,
        play(running, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as begun,
    ):
        running.start_service()
        running.start_service("second")
        await begun.connect()
        await begun.publish([small()], "import")
        assert begun.exact
        yield begun


async def struck(playing: Play, faults: SentinelFaults, kind: str, revisions: list[Conference]) -> None:
    """The fault happens while these are recorded and pushed."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(faults.strike(kind))
        await playing.publish(revisions, kind)
    assert playing.exact, [each.differences or each.duplicates for each in playing.chapters]


async def test_the_primary_is_killed_in_the_middle_and_another_takes_over(kafka_bootstrap: str) -> None:
    """Once with all that was written, once without the last of it."""
    async with by_sentinels(kafka_bootstrap) as (playing, faults):
        conference = edited(small(), 1, title="While the primary dies")
        for kind, numbers in (("killed", range(20, 24)), ("lagged", range(24, 28))):
            revisions = [conference := grown(conference, number) for number in numbers]
            await struck(playing, faults, kind, revisions)
        await playing.publish([edited(conference, 2, title="And afterwards")], "afterwards")
        assert playing.exact
