"""A cluster whose servers lose data one by one: each loss is noticed, and nothing is lost for good (G6)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from redis.asyncio import Redis

from consumer.adapters.redis.cluster_map import slot_of
from consumer.domain.connection_state import ConnectionState
from consumer.services.rebuild_ports import LockLostError
from sandbox.embedded import EmbeddedCluster
from sandbox.embedded.valkey_cluster import ask, standing_still
from tests.support.builders import an_entry
from tests.support.cluster_ground import Servers, servers
from tests.support.rebuild_ground import CONNECTION, EVENT, MAPPING, ORG

pytestmark = pytest.mark.integration

ELSEWHERE = f"{{org/{ORG}}}"
"""A tag whose slot another server has than the marker, the event and the pairs."""


@pytest.fixture(scope="module")
def used() -> Iterator[EmbeddedCluster]:
    """What a test did to it is made good before the next one, but for slots that moved."""
    made = EmbeddedCluster()
    made.start()
    yield made
    made.stop()


@pytest.fixture
async def at(used: EmbeddedCluster) -> AsyncIterator[Servers]:
    await used.heal()
    async with servers(used) as made:
        yield made


async def test_a_replica_with_everything_takes_over_and_little_is_read(at: Servers) -> None:
    """Another process, so Kafka is compared with it, from where its mark says."""
    primary, follower = await at.of_event()
    primary.stop(keep=True, hard=True)
    await at.cluster.promote(follower)
    assert not await at.replica.rebuilder.is_redis_complete()
    assert await at.replica.rebuilder.restore()
    assert at.reads_from()[at.ground.history.ledger] > 0
    assert await at.entries() == 1


async def test_what_a_lagging_replica_lacks_is_noticed_and_comes_back(at: Servers) -> None:
    """It stood still while an entry was acknowledged: the changelog has that, and so has Redis in the end."""
    primary, follower = await at.of_event()
    async with standing_still(follower):
        await ask(primary, "CLIENT", "KILL", "TYPE", "REPLICA")  # else it finds the rest in its socket
        at.ground.history.log_entry(EVENT, "session/s2", an_entry(2, epoch=8, at=60))
        logged = at.ground.history.records[at.ground.history.ledger][-1]
        assert await at.replica.stores.inbox.events() == (EVENT,)
        await at.replica.markers.advance(await at.replica.markers.look(), await at.ground.history.ends())
        primary.stop(keep=True, hard=True)
    await at.cluster.promote(follower)
    assert not await at.replica.rebuilder.is_redis_complete()
    assert await at.replica.rebuilder.restore()
    assert await at.entries() == 2
    assert at.reads_from()[at.ground.history.ledger] <= logged.offset
    assert (await at.replica.markers.look()).lost_at


async def test_a_mapping_that_its_server_lacks_comes_back_though_all_else_is_there(at: Servers) -> None:
    """The request for it is settled on the organization's server, and the pair known on a third one."""
    connections, key = at.replica.stores.connections, at.replica.stores.keys.event(EVENT, "mapping")
    await at.replica.stores.redis.delete(key)
    await at.replica.stores.redis.hset("test:{generation}:marker", "server", "another=0-1")
    assert await connections.mapping(EVENT) is None
    assert not await at.replica.rebuilder.is_redis_complete()
    assert await at.replica.rebuilder.restore()
    assert await connections.mapping(EVENT) == MAPPING


async def test_what_a_server_lacks_is_noticed_though_the_marker_is_ahead(at: Servers) -> None:
    """The marker's own server has everything, and notes so; another one's replica stood still meanwhile."""
    primary = await at.cluster.primary_of(slot_of(ELSEWHERE))
    [follower] = await at.cluster.replicas_of(primary)
    newer = replace(CONNECTION, stamp="2", sealed="bmV3ZXI=")
    async with standing_still(follower):
        await ask(primary, "CLIENT", "KILL", "TYPE", "REPLICA")
        at.ground.history.log_state(ConnectionState(ORG, newer, {}, 4))
        await at.replica.stores.connections.put_connection(ORG, newer)
        await at.replica.markers.advance(await at.replica.markers.look(), await at.ground.history.ends())
        primary.stop(keep=True, hard=True)
    await at.cluster.promote(follower)
    assert await at.replica.stores.connections.connection(ORG) == CONNECTION
    assert not await at.replica.rebuilder.is_redis_complete()
    assert await at.replica.rebuilder.restore()
    assert await at.replica.stores.connections.connection(ORG) == newer


async def test_a_server_that_comes_back_empty_is_noticed_and_filled(at: Servers) -> None:
    """The marker's own server is another one, and says that all is well."""
    primary = await at.cluster.primary_of(slot_of(ELSEWHERE))
    [follower] = await at.cluster.replicas_of(primary)
    assert await at.cluster.primary_of(slot_of("{generation}")) is not primary
    follower.stop(keep=True, hard=True)
    primary.stop(keep=True, hard=True)
    for each in (primary.root / "data" / "appendonlydir").iterdir():
        each.unlink()
    await primary.astart()
    await at.cluster.whole()
    assert not await at.replica.rebuilder.is_redis_complete()
    assert await at.replica.stores.connections.connection(ORG) is None
    assert await at.replica.rebuilder.restore()
    assert at.reads_from()[at.ground.history.ledger] == 0
    assert await at.replica.stores.connections.connection(ORG) == CONNECTION


async def test_one_server_that_is_wiped_is_noticed_though_its_process_stays(at: Servers) -> None:
    await ask(await at.cluster.primary_of(slot_of(ELSEWHERE)), "FLUSHALL")
    assert not await at.replica.rebuilder.is_redis_complete()
    assert await at.replica.rebuilder.restore()
    assert await at.replica.stores.connections.connection(ORG) == CONNECTION


async def test_a_wipe_during_a_rebuild_is_noticed_by_that_rebuild(at: Servers) -> None:
    """What was put back before the wipe is put back again, though another server notes that it was."""
    primary, history = await at.cluster.primary_of(slot_of(ELSEWHERE)), at.ground.history
    await ask(primary, "FLUSHALL")

    async def wipe() -> None:
        if history.reads[-1][0] == history.resources[0]:
            await ask(primary, "FLUSHALL")
        else:
            history.before_read = wipe

    history.batch, history.before_read = 1, wipe
    with pytest.raises(LockLostError):
        await at.replica.rebuilder.restore()
    assert (await at.replica.stores.inbox.requests(ORG)).rows == {}
    assert await at.replica.rebuilder.restore()
    assert len((await at.replica.stores.inbox.requests(ORG)).rows) == 2


async def test_slots_that_move_are_no_loss_until_their_new_server_fails(at: Servers) -> None:
    """No one waits while slots move. A replica that takes over with slots its primary had not before is not trusted."""
    home, _ = await at.of_event()
    slot = slot_of(at.replica.stores.keys.event(EVENT, "ledger"))
    other, *_ = await at.cluster.others(home)
    [follower] = await at.cluster.replicas_of(other)
    assert await at.cluster.move_slot(slot, other) > 0
    assert await at.entries() == 1
    assert await at.replica.rebuilder.is_redis_complete()
    await at.cluster.whole()
    other.stop(keep=True, hard=True)
    await at.cluster.promote(follower)
    assert not await at.replica.rebuilder.is_redis_complete()
    assert (await at.replica.markers.look()).offsets == {}
    assert await at.replica.rebuilder.restore()
    assert await at.entries() == 1


async def test_after_the_marker_has_seen_the_slots_their_new_server_is_trusted(at: Servers) -> None:
    home, _ = await at.of_event()
    slot = slot_of(at.replica.stores.keys.event(EVENT, "ledger"))
    other, *_ = await at.cluster.others(home)
    [follower] = await at.cluster.replicas_of(other)
    await at.cluster.move_slot(slot, other)
    assert await at.entries() == 1
    await at.replica.markers.advance(await at.replica.markers.look(), await at.ground.history.ends())
    await at.cluster.whole()
    other.stop(keep=True, hard=True)
    await at.cluster.promote(follower)
    assert not await at.replica.rebuilder.is_redis_complete()
    assert await at.replica.rebuilder.restore()
    assert at.reads_from().get(at.ground.history.ledger, 1) > 0
    assert await at.entries() == 1


async def test_slots_given_away_without_their_keys_are_a_loss() -> None:
    """A dead server's slots are given to another one, as an operator may do who gave up: no process is new."""
    async with EmbeddedCluster() as cluster, servers(cluster) as at:
        dead = await at.cluster.primary_of(slot_of("{due/0}"))
        [follower] = await at.cluster.replicas_of(dead)
        for each in (dead, follower):
            each.stop(keep=True, hard=True)
        left = at.cluster.running
        heir = await at.cluster.primary_of(slot_of("{generation}"))
        name, slots = await ask(heir, "CLUSTER", "MYID"), await ask(heir, "CLUSTER", "SLOTS")
        [(first, last)] = [(first, last) for first, last, (_, port, *_), *_ in slots if port == dead.port]
        async with Redis(port=heir.port) as client, client.pipeline(transaction=False) as pipe:
            for slot in range(first, last + 1):
                pipe.execute_command("CLUSTER", "SETSLOT", slot, "NODE", name)
            await pipe.execute()
        for node in left:
            await at.cluster.forget(node, dead, follower)
        await at.cluster.whole()
        assert not await at.replica.rebuilder.is_redis_complete()
        assert await at.replica.rebuilder.restore()
        assert await at.replica.rebuilder.is_redis_complete()
