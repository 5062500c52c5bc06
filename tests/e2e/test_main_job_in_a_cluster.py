"""End to end: the main job in a Redis Cluster whose slots move and whose servers die; nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final

import pytest

from consumer.adapters.redis.cluster_map import slot_of
from sandbox.conference.model import Conference
from sandbox.demo.play import Play, play
from sandbox.demo.world import Servers, world
from sandbox.embedded import EmbeddedCluster
from tests.e2e.conftest import QUICK
from tests.support.cluster_faults import ClusterFaults
from tests.support.conferences import edited, identifier, small

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G6"), pytest.mark.timeout(180)]

_events = itertools.count(9501)
SETTINGS: Final = {**QUICK, "PUSH__LEASE": "5", "SWOOGO__DEADLINE": "3", "REDIS__TIMEOUT": "2"}


@asynccontextmanager
async def in_a_cluster(kafka_bootstrap: str) -> AsyncIterator[tuple[Play, ClusterFaults]]:
    """A conference that was synced, by two replicas."""
    async with EmbeddedCluster() as cluster:
        servers = Servers(kafka_bootstrap, cluster.url, f"cluster-{uuid.uuid4().hex[:8]}")
        settings = {**SETTINGS, "REDIS__MODE": "cluster", "REDIS__NODES": cluster.further}
        async with (
            world(window=60.0, latency_ms=20.0, limit=100_000, settings=settings, servers=servers) as running,
            play(running, small(), event_id=next(_events), org_id=str(uuid.uuid4())) as begun,
        ):
            running.start_service()
            running.start_service("second")
            await begun.connect()
            await begun.publish([small()], "import")
            assert begun.exact
            yield begun, ClusterFaults(cluster)


def grown(conference: Conference, number: int) -> Conference:
    """One more talk, which Swoogo has to be told once."""
    like = conference.talks[identifier("talk", 0)]
    talk = replace(like, id=identifier("talk", number), title=f"Talk {number}", speaker_ids=())
    return replace(conference, talks={**conference.talks, talk.id: talk})


async def struck(playing: Play, faults: ClusterFaults, kind: str, tag: str, revisions: list[Conference]) -> None:
    """The fault happens while these are recorded and pushed."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(faults.strike(kind, slot_of(tag)))
        await playing.publish(revisions, kind)
    assert playing.exact, [each.differences or each.duplicates for each in playing.chapters]


async def test_slots_move_and_a_lagging_replica_takes_over_while_it_syncs(kafka_bootstrap: str) -> None:
    """What was acknowledged and is gone, such as a create that was begun, comes back from Kafka before it goes on."""
    async with in_a_cluster(kafka_bootstrap) as (playing, faults):
        event = f"{{event/{playing.event.id}}}"
        conference = grown(edited(small(), 1, title="While its slot moves"), 20)
        await struck(playing, faults, "moved", event, [conference])
        revisions = [conference := grown(conference, number) for number in range(21, 27)]
        await struck(playing, faults, "lagged", event, revisions)
        await playing.publish([edited(conference, 2, title="And afterwards")], "afterwards")
        assert playing.exact
