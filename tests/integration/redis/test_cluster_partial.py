"""One server of a cluster loses its data: only what it had is put back and doubted, the rest goes on (G2, G5, G6)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from consumer.adapters.redis.cluster_map import slot_of
from consumer.domain.errors import UnavailableError
from sandbox.embedded import EmbeddedCluster
from sandbox.embedded.valkey_cluster import ask
from tests.support.builders import an_entry
from tests.support.cluster_ground import Servers, servers
from tests.support.rebuild_ground import CONNECTION, EVENT, ORG

pytestmark = [pytest.mark.integration, pytest.mark.rule("G6")]

TAGS = (f"event/{EVENT}", f"org/{ORG}", f"cred/{CONNECTION.credential}")
"""On the first server (organization and credential) and the second one (the event, the marker and the pairs)."""
THIRD = "4003"
"""An event of the third server."""
ARCHIVED = "4002"
"""An event of the second server."""


@pytest.fixture(scope="module")
async def used() -> AsyncIterator[EmbeddedCluster]:
    async with EmbeddedCluster(replicas=0) as made:
        yield made


@pytest.fixture
async def at(used: EmbeddedCluster) -> AsyncIterator[Servers]:
    async with servers(used) as made:
        yield made


async def wipe(at: Servers, tag: str) -> None:
    await ask(await at.cluster.primary_of(slot_of(tag)), "FLUSHALL")


async def test_what_the_lost_server_had_waits_and_the_rest_is_pushed(at: Servers) -> None:
    may_push = at.replica.rebuilder.may_push
    await wipe(at, f"event/{THIRD}")
    assert not await at.replica.rebuilder.is_redis_complete()
    assert await may_push()
    assert await may_push(*TAGS)
    assert not await may_push(f"event/{THIRD}")
    assert not await may_push(*TAGS, "due/0")
    assert await at.replica.rebuilder.restore()
    assert await may_push(f"event/{THIRD}")


async def test_without_the_marker_nothing_is_pushed(at: Servers) -> None:
    await wipe(at, "generation")
    assert not await at.replica.rebuilder.may_push()
    assert not await at.replica.rebuilder.may_push(f"org/{ORG}")


@pytest.mark.rule("G2", "G5")
async def test_only_what_the_lost_server_had_is_doubted(at: Servers) -> None:
    """Neither looks before creates nor doubts about credits where nothing was lost."""
    redis, keys = at.replica.stores.redis, at.replica.stores.keys
    doubts = {name: keys.event(name, "careful") for name in (EVENT, THIRD)}
    doubts["credits"] = keys.credential(CONNECTION.credential, "credits")
    at.ground.history.log_entry(THIRD, "session/s9", an_entry(9, epoch=7, at=50))
    for tag, doubted in ((f"event/{THIRD}", {THIRD}), (f"org/{ORG}", {"credits"})):
        for key in doubts.values():
            await redis.delete(key)
        await wipe(at, tag)
        assert await at.replica.rebuilder.restore()
        assert {name for name, key in doubts.items() if await redis.exists(key)} == doubted
    assert await redis.hlen(keys.event(THIRD, "ledger")) == 1
    assert await at.replica.stores.connections.connection(ORG) == CONNECTION


async def test_what_is_pushed_meanwhile_is_not_overwritten_from_kafka(at: Servers) -> None:
    """The record was forgotten and made known again, and its issues published again, after what the rebuild reads."""
    redis, keys, history = at.replica.stores.redis, at.replica.stores.keys, at.ground.history
    history.log_entry(EVENT, "session/s1", None, at=2_000)
    history.add(history.issues, f"{EVENT}/session/s1".encode(), None)
    await redis.hset(keys.event(EVENT, "published"), "session/s1", "newer")
    await wipe(at, f"event/{THIRD}")
    assert await at.replica.rebuilder.restore()
    assert await at.entries() == 1
    assert await redis.hget(keys.event(EVENT, "published"), "session/s1") == b"newer"


@pytest.mark.rule("Y2", "Y4")
async def test_events_are_known_again_when_the_list_of_them_is_lost(at: Servers) -> None:
    """Archived ones too: an erasure looks for a person in each of them."""
    redis, keys = at.replica.stores.redis, at.replica.stores.keys
    at.ground.history.log_entry(ARCHIVED, "session/s8", an_entry(8, epoch=7, at=50))
    await redis.hset(keys.event(ARCHIVED, "state"), "archived", "5000")
    await redis.sadd(keys.archived(), ARCHIVED)
    await wipe(at, "index")
    assert await at.replica.rebuilder.restore()
    assert await at.replica.stores.inbox.events() == (EVENT, ARCHIVED)
    assert await redis.smembers(keys.archived()) == {ARCHIVED.encode()}


async def test_a_server_wiped_as_the_rebuild_of_another_begins_is_noticed(at: Servers) -> None:
    await wipe(at, f"event/{THIRD}")
    marker = await at.replica.markers.look()
    await wipe(at, f"org/{ORG}")
    with pytest.raises(UnavailableError, match="wiped as a rebuild began"):
        await at.replica.markers.resume(marker)
    assert not await at.replica.rebuilder.may_push(f"org/{ORG}")
    assert await at.replica.rebuilder.restore()
    assert await at.replica.stores.connections.connection(ORG) == CONNECTION
