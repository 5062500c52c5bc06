"""`make cluster-chaos`: seeded runs of the main job while anything may happen to Redis servers, or to brokers."""

from __future__ import annotations

import asyncio
import os
import random

import pytest

from consumer.adapters.redis.cluster_map import slot_of
from sandbox.embedded import EmbeddedKafka
from sandbox.embedded.valkey_cluster import standing_still
from tests.e2e.many_servers import by_sentinels, in_a_cluster, struck
from tests.e2e.test_brokers import on_brokers
from tests.support.cluster_faults import KINDS
from tests.support.conferences import edited, grown, small
from tests.support.sentinel_faults import KINDS as PRIMARY_FAULTS

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
            await struck(playing, faults.strike(kind, slot_of(tag)), kind, revisions)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(_FIRST, _LAST + 1))
async def test_whatever_happens_to_the_primary_of_sentinels_nothing_is_lost(kafka_bootstrap: str, seed: int) -> None:
    """Six faults of whichever server is the primary."""
    chance = random.Random(seed)
    async with by_sentinels(kafka_bootstrap) as (playing, faults):
        faults.chance, conference = chance, small()
        for turn in range(6):
            revisions = []
            for each in range(chance.randint(1, 6)):
                conference = edited(conference, chance.randrange(6), title=f"{turn}.{each}")
                revisions.append(conference := grown(conference, 10 * turn + each + 20))
            kind = chance.choice(PRIMARY_FAULTS)
            await struck(playing, faults.strike(kind), kind, revisions)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(_FIRST, _LAST + 1))
async def test_whichever_broker_dies_nothing_is_lost_or_doubled(redis_url: str, seed: int) -> None:
    """Five times one of three dies or stands still, at any moment, and comes back while the next talks are pushed."""
    chance = random.Random(seed)
    async with on_brokers(redis_url) as (playing, kafka):
        conference, waiting = small(), list[EmbeddedKafka]()

        async def strike(broker: EmbeddedKafka) -> None:
            await asyncio.sleep(chance.uniform(0, 2))
            for each in waiting:
                await each.astart()
            waiting[:] = []
            if chance.random() < 0.3:
                async with standing_still(broker):
                    await asyncio.sleep(chance.uniform(1, 6))
            else:
                await broker.astop(keep=True, hard=chance.random() < 0.7)
                waiting.append(broker)

        for turn in range(5):
            revisions = []
            for each in range(chance.randint(1, 5)):
                conference = edited(conference, chance.randrange(6), title=f"{turn}.{each}")
                revisions.append(conference := grown(conference, 10 * turn + each + 20))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(strike(kafka.broker(chance.randint(1, 3))))
                await playing.publish(revisions, f"turn {turn}")
            assert playing.exact, [each.differences or each.duplicates for each in playing.chapters]
