"""End to end: the main job in a Redis Cluster whose slots move and whose servers die; nothing is lost or doubled."""

from __future__ import annotations

import pytest

from consumer.adapters.redis.cluster_map import slot_of
from tests.e2e.many_servers import in_a_cluster, struck
from tests.support.conferences import edited, grown, small

pytestmark = [pytest.mark.e2e, pytest.mark.rule("G1", "G2", "G6"), pytest.mark.timeout(180)]


async def test_slots_move_and_a_lagging_replica_takes_over_while_it_syncs(kafka_bootstrap: str) -> None:
    """What was acknowledged and is gone, such as a create that was begun, comes back from Kafka before it goes on."""
    async with in_a_cluster(kafka_bootstrap) as (playing, faults):
        slot = slot_of(f"{{event/{playing.event.id}}}")
        conference = grown(edited(small(), 1, title="While its slot moves"), 20)
        await struck(playing, faults.strike("moved", slot), "moved", [conference])
        revisions = [conference := grown(conference, number) for number in range(21, 27)]
        await struck(playing, faults.strike("lagged", slot), "lagged", revisions)
        await playing.publish([edited(conference, 2, title="And afterwards")], "afterwards")
        assert playing.exact
