"""`make cluster-chaos`: seeded runs of the main job in a Redis Cluster to which anything may happen."""

from __future__ import annotations

import os
import random

import pytest

from tests.e2e.test_cluster import grown, in_a_cluster, struck
from tests.support.cluster_faults import KINDS
from tests.support.conferences import edited, small

_FIRST, _LAST = (int(each) for each in os.environ.get("SWOOGO_SYNC_TEST_SEEDS", "1-10").split("-"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(_FIRST, _LAST + 1))
async def test_whatever_happens_to_the_cluster_nothing_is_lost_or_doubled(kafka_bootstrap: str, seed: int) -> None:
    """Six faults of any servers while talks are edited and added."""
    chance = random.Random(seed)
    async with in_a_cluster(kafka_bootstrap) as (playing, faults):
        faults.chance, conference = chance, small()
        owners = (f"event/{playing.event.id}", f"org/{playing.event.org_id}", "pairs", "generation", "due/0")
        for turn in range(6):
            revisions = []
            for each in range(chance.randint(1, 6)):
                conference = edited(conference, chance.randrange(6), title=f"{turn}.{each}")
                revisions.append(conference := grown(conference, 10 * turn + each + 20))
            kind, tag = chance.choice(KINDS), f"{{{chance.choice(owners)}}}"
            await struck(playing, faults, kind, tag, revisions)
